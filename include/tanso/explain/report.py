"""Why a participant got what they got, down to file and row of every figure, as text. No personal data."""

from __future__ import annotations

from typing import Any

from tanso.reports.text import section, table
from tanso.settings import Home
from tanso.shown import escaped, json_text

Rows = list[dict[str, Any]]

# What of each part is worth a line, in the order of the way back: paid, granted, computed, received.
COLUMNS = {
    "lines": ["batch_id", "line_no", "incentive_type", "amount", "currency", "issued_at", "returned_reason"],
    "settlement": ["entry", "batch_id", "line_no", "amount", "paid"],
    "reductions": ["utility", "status", "baseline_usage", "actual_usage", "reduction", "reduction_rate"],
    "comparisons": ["utility", "usage_month", "baseline_usage", "actual_usage", "status"],
    "readings": [
        "utility",
        "usage_month",
        "counts_as",
        "usage",
        "is_estimated",
        "previous_usage",
        "file_name",
        "row_no",
    ],
    "corrections": ["utility", "usage_month", "usage", "usage_now", "file_name", "row_no"],
    "applications": ["application_id", "received_on", "status", "certified_on", "file_name", "row_no"],
    "actions": ["acted_on", "action_code", "quantity", "status", "points", "file_name", "row_no"],
    "opening_points": ["certified_on", "points", "file_name", "row_no"],
    "register": ["file_name", "row_no"],
    "files": ["source_id", "file_name", "sha256", "state"],
}  # fmt: skip
TITLES = {
    "lines": "Lines issued",
    "settlement": "Paid, due, and the difference",
    "reductions": "Usage against the baseline",
    "comparisons": "Month by month",
    "readings": "Readings of the baseline and of the period",
    "corrections": "Readings that a later file corrected",
    "applications": "Applications",
    "actions": "Actions handed in",
    "opening_points": "Points from before",
    "register": "Row of the register",
    "files": "Files received, in landing/ under their SHA-256",
}


def explain(home: Home, participant_id: str, period_id: str | None = None, as_json: bool = False) -> str:
    """The explanation as text, or as JSON (a list, keys as ``tanso.explain.explain`` has them, numbers as text where
    they are decimals). Raises what ``tanso.explain.explain.explain`` raises."""
    from tanso.explain.explain import explain
    from tanso.privacy import access_log

    found = explain(home, participant_id, period_id)
    access_log.record(home, "explained", "make explain", participant_id=participant_id, period_id=period_id)
    if as_json:
        return json_text(found)
    return "\n".join(map(_text, found))


def _text(found: dict[str, Any]) -> str:
    shown = {**found, "readings": [_counted(row) for row in found["readings"] if _counts_as(row)]}
    received = (row for name in COLUMNS if "row_no" in COLUMNS[name] for row in shown[name])
    named = {row["source_file_id"] for row in received}
    shown["files"] = [file for file in found["files"] if file["sha256"] in named]
    title = escaped(f"# {found['program_id']} {found['period_id']}: {found['participant_id']}")
    parts = [f"{title}\n", _due(found["payout"])]
    parts += [_rows(shown, "lines"), _rows(shown, "settlement"), _awards(found["awards"])]
    if found["balance"]:
        rows = [[name, value] for name, value in found["balance"].items() if name.endswith("_points")]
        parts.append(section("Balance", table(["what", "points"], rows)))
    parts += [_rows(shown, name) for name in COLUMNS if name not in ("lines", "settlement")]
    return "\n".join(part for part in parts if part)


def _due(payout: dict[str, Any] | None) -> str:
    if payout is None:
        return "Nothing is due.\n"
    by = f" × {payout['won_per_point']}" if payout["won_per_point"] is not None else ""
    amount = "unknown" if payout["amount"] is None else f"{payout['amount']:,}"
    held = f", held: {payout['hold_reason']}" if payout["hold_reason"] else ""
    chosen = payout["incentive_type"] or "nothing chosen"
    return (
        escaped(
            f"{payout['points']:,} points{by} = {amount} {payout['currency']} as {chosen} "
            f"({payout['status']}{held}); paid so far: {payout['paid_amount']:,}"
        )
        + "\n"
    )


def _awards(awards: Rows) -> str:
    blocks = []
    for award in awards:
        rule = award["rule"] or {}
        by = f"policy/{rule['table']}.csv, " if rule else ""
        lines = [
            f"- {award['award_type']} {award['utility'] or ''}".rstrip()
            + f": {award['points']:,} points, certified on "
            f"{award['certified_on']}",
            f"  {award['explanation']}",
            f"  rule: {by}{award['rule_id']}" + (f"; source: {rule['source']}" if rule.get("source") else ""),
        ]
        blocks.append("\n".join(map(escaped, lines)))
    return section("Points, by rule", *blocks)


def _rows(found: dict[str, Any], name: str) -> str:
    rows: Rows = found[name]
    columns = [column for column in COLUMNS[name] if any(row[column] is not None for row in rows)]
    return section(
        TITLES[name], table(columns, [[_cell(row[column]) for column in columns] for row in rows], limit=400)
    )


def _cell(value: Any) -> Any:
    return {True: "yes", False: ""}[value] if isinstance(value, bool) else value


def _counted(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "counts_as": _counts_as(row)}


def _counts_as(row: dict[str, Any]) -> str:
    return " and ".join(name for name in ("baseline", "period") if row[f"is_in_{name}"])
