"""The summary of a home: what came in, what was refused and why, what is due, paid, held, and where everything lies."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from tanso import days, settings, shown
from tanso.files import private_folder, replace_private
from tanso.reports import marts as of_marts
from tanso.reports.text import if_any, section, table
from tanso.settings import Home


def summarize(home: Home, as_of: date | None = None, since: datetime | None = None) -> str:
    """The summary as text that is Markdown too; also written to ``reports/latest.md``. Holds no personal data.

    ``as_of``: the day that decides what is payable, by default that of the environment, else today in each programme's
    time zone. ``since`` (UTC): what came or was issued since then is told apart as this run's.
    """
    day = as_of or settings.as_of()
    parts = ["", _arrived(home, since), _problems(home)]
    zones: dict[str, tzinfo] = {}
    day_text = str(day or "today")
    if home.database.exists():
        from tanso.payouts import decision
        from tanso.warehouse import connect

        with connect(home, by_bytes=False) as marts:
            of_policy = decision.zones(marts)
            zones = {program_id: ZoneInfo(zone) for program_id, zone in of_policy.items()}
            day_text = days.text(days.of_programs(day, of_policy).values())
            parts += [
                of_marts.files(marts),
                _unusual(home),
                _registers(home),
                of_marts.results(marts),
                of_marts.gaps(marts),
            ]
        parts += [_payouts(home, day), _returns(home)]
    else:
        parts.append("Nothing is evaluated yet: run `make run`, or `make ingest evaluate`.\n")
    parts += [_batches(home, since, zones), _proposals(home), _where(home)]
    parts[0] = f"# Tanso, as of {day_text}\n"
    text = "\n".join(part for part in parts if part)
    replace_private(private_folder(home.reports) / "latest.md", text.encode())
    return text


def _arrived(home: Home, since: datetime | None) -> str:
    if since is None:
        return ""
    receipts = (json.loads(path.read_text("utf-8")) for path in home.receipts.glob("*/[0-9]*.json"))
    count = sum(_utc(one["received_at"]) >= since for one in receipts if one["status"] != "not_a_file")
    batches = sum(_utc(manifest["issued_at"]) >= since for manifest in _manifests(home))
    if not count and not batches:
        return "This run: no new file, no new batch. What follows stands from earlier runs.\n"
    return f"This run: {count:,} new files, {batches:,} batches issued.\n"


def _problems(home: Home) -> str:
    """Of each source's last look: what could not be pulled or judged, and which files were left for the next run."""
    looks = _looks(home)
    # Indented, as the tables are: no text of an error is Markdown then.
    found = [
        f"    {line}" for look in looks for problem in look["problems"] for line in shown.lines(problem).split("\n")
    ]
    left = [
        [look["source_id"], file["file_name"], file["why"]] for look in looks for file in look.get("left_files", ())
    ]
    return "\n".join(
        part
        for part in (
            section(
                "Failed sources",
                "\n".join(found),
                "Fix that and run again; nothing is lost. Until then nothing of its programme is proposed."
                if found
                else "",
            ),
            section(
                "Left for the next run",
                if_any(
                    left,
                    "They may still be uploading (`pull.settled_for` of the source sets how long a file must rest):",
                ),
                table(["source", "file", "reason"], left, limit=12),
            ),
        )
        if part
    )


def _unusual(home: Home) -> str:
    """What the expectations found about accepted files as a whole."""
    try:
        findings = json.loads((home.reports / "lake.json").read_text("utf-8"))["findings"]
    except FileNotFoundError:
        return ""
    ordered = sorted(findings, key=lambda found: (found["severity"], found["source_id"], found["file_name"]))
    rows = [[found[key] for key in ("severity", "source_id", "file_name", "figure", "value")] for found in ordered]
    return section(
        "Unusual files",
        if_any(rows, f"They were accepted; `{_short(home.data_docs / 'index.html')}` shows what was expected:"),
        table(["severity", "source", "file", "figure", "value"], rows, limit=12),
    )


def _registers(home: Home) -> str:
    """What the kinds of extracts noted: register rows that were kept, doubtful values, columns and files left alone."""
    try:
        notes = json.loads((home.reports / "lake.json").read_text("utf-8"))["notes"]
    except FileNotFoundError:
        return ""
    counts: dict[tuple[str, str, str], int] = {}
    for source_id, found in notes.items():
        for kind, entries in found.items():
            for entry in entries if isinstance(entries, list) else [entries]:
                what = (entry.get("reason") or entry.get("note") or "") if isinstance(entry, dict) else str(entry)
                counts[source_id, kind, what] = counts.get((source_id, kind, what), 0) + 1
    looks = _looks(home)
    ignored = [
        [look["source_id"], name, "no such file name is declared"] for look in looks for name in look["ignored_files"]
    ]
    ignored += [
        [look["source_id"], file["file_name"], "columns not used: " + ", ".join(file["ignored_columns"])]
        for look in looks
        for file in look["files"]
        if file.get("ignored_columns")
    ]
    return section(
        "Ingest notes",
        if_any(
            counts,
            f"By participant in `{_short(home.reports / 'lake.json')}` (`kept`: the last accepted row stays in force):",
        ),
        table(["source", "item", "reason", "count"], ([*key, counts[key]] for key in sorted(counts))),
        if_any(ignored, "Left alone:"),
        table(["source", "file", "reason"], ignored, limit=12),
    )


def _looks(home: Home) -> list[dict[str, Any]]:
    """What the last look at each source brought."""
    return [json.loads(path.read_text("utf-8")) for path in sorted((home.reports / "sources").glob("*.json"))]


def _payouts(home: Home, day: date | None) -> str:
    from tanso.payouts.decision import standing

    found = standing(home, day)
    names = ("program_id", "period_id", "currency", "due", "paid", "to_pay", "held", "overpaid")
    held: dict[tuple[Any, ...], list[int]] = {}
    for row in found:
        for reason in row["held_reasons"]:
            entry = held.setdefault((row["program_id"], reason["region_code"], reason["hold_reason"]), [0, 0])
            entry[0] += reason["participants"]
            entry[1] += reason["amount"]
    with duckdb.connect(str(home.database), read_only=True) as marts:
        regions = marts.sql(
            """
            select program_id, region_code, period_id, count(*), sum(paid_amount)::bigint
            from marts.fct_payouts where paid_amount <> 0 group by all order by all
            """
        ).fetchall()
    return section(
        "Payouts",
        table(
            ["programme", "period", "currency", "due", "paid", "to pay", "held", "overpaid"],
            ([row[name] for name in names] for row in found),
        ),
        if_any(regions, "Paid, by region and period (`marts.fct_payout_lines` has the lines):"),
        table(["programme", "region", "period", "participants", "amount"], regions, limit=50),
        if_any(held, "On hold until fixed (`held.csv` in the batches lists them):"),
        table(["programme", "region", "reason", "payouts", "amount"], ([*key, *held[key]] for key in sorted(held))),
    )


def _returns(home: Home) -> str:
    from tanso.payouts.returns import unmatched

    found = [list(row.values()) for row in unmatched(home)]
    return section(
        "Bank returns that match no payment",
        if_any(
            found,
            "They change nothing: no such line was issued. Ask the bank for batch and line number, and put a "
            "corrected list into the inbox:",
        ),
        table(["programme", "file", "batch", "line", "reason"], found, limit=20),
    )


def _batches(home: Home, since: datetime | None, zones: dict[str, tzinfo]) -> str:
    from tanso.payouts.files.lost_characters import counts

    lost = counts(home)
    manifests = sorted(_manifests(home), key=lambda manifest: manifest["issued_at"])
    rows = [
        [
            manifest["program_id"],
            manifest["batch_id"],
            manifest["lines"],
            manifest["amount"],
            manifest["currency"],
            manifest["approved_by"],
            _utc(manifest["issued_at"]).astimezone(zones.get(manifest["program_id"], UTC)).isoformat(" ", "minutes"),
            "this run" if since and _utc(manifest["issued_at"]) >= since else "",
        ]
        for manifest in manifests
    ]
    return section(
        "Batches issued",
        table(["programme", "batch", "lines", "amount", "currency", "approved by", "issued", ""], rows[-20:]),
        f"The latest 20 of {len(rows):,}." if len(rows) > 20 else "",
        if_any(
            lost,
            "With characters that a file cannot show: participants with 〓, with a text cut off, and with nothing but "
            "look-alikes (`reports/lost_characters/` has the ids):",
        ),
        table(["programme", "batch", "〓", "cut off", "look-alikes"], lost[-20:]),
    )


def _proposals(home: Home) -> str:
    from tanso.ledger import approvals
    from tanso.payouts import pending

    waiting = [
        [
            proposal.lines,
            proposal.amount,
            proposal.currency,
            proposal.approvers,
            approvals.joined(approvals.given(home, proposal)),
            f'make approve PROPOSAL={proposal.proposal_id} BY="<name>"',
        ]
        for proposal in pending(home)
    ]
    return section(
        "Waiting for approval",
        if_any(waiting, "`make approve` shows what they pay; nothing is paid before a person approves:"),
        table(["lines", "amount", "currency", "approvers", "approved by", "to approve it"], waiting),
    )


def _where(home: Home) -> str:
    python = "import duckdb; duckdb.connect('{}', read_only=True).sql('from marts.fct_payouts limit 20').show()"
    rows = [
        ["marts", _short(home.database)],
        ["payout files", _short(home.exports) + "/<programme>/<period>/<batch>/<region>/"],
        ["refused rows and files, for the providers", _short(home.feedback) + "/<source>/"],
        ["how each file was judged (a browser opens it)", _short(home.data_docs / "index.html")],
        ["this summary", _short(home.reports / "latest.md")],
    ]
    query = f'    .venv/bin/python -c "{python.format(_short(home.database))}"' if home.database.exists() else ""
    return section("Where to look", table(["what", "where"], rows), query)


def _manifests(home: Home) -> list[dict[str, Any]]:
    """The issued batches' manifests; a folder that is being written has a hidden name."""
    paths = (path for path in home.exports.glob("*/*/*/manifest.json") if not path.parent.name.startswith("."))
    return [json.loads(path.read_text("utf-8")) for path in paths]


def _utc(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _short(path: Path) -> str:
    """The path from the checkout where it lies below it."""
    return str(path.relative_to(settings.PROJECT_ROOT) if path.is_relative_to(settings.PROJECT_ROOT) else path)
