"""Propose: work out per programme and period what is due and not yet paid, for a person to approve.

A proposal lies in ``proposals/<program_id>/<period_id>/``: ``proposal.json`` for people, ``lines.parquet`` for
machines, no personal data in either. A newer one replaces it; it goes when nothing is due any more.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Container
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from tanso import days, sql
from tanso.days import AsOf
from tanso.files import private_folder
from tanso.ingest import taken
from tanso.ledger import approvals, issue_log, ledger
from tanso.packs.sources import load_sources
from tanso.payouts.decision import build_info, decide, zones
from tanso.payouts.files.layouts import Layout, load_layout
from tanso.privacy import vault
from tanso.settings import Home
from tanso.sql import Row, rows

HERE = "where program_id = ? and period_id = ?"


@dataclass(frozen=True)
class Proposal:
    """One programme's and period's difference between due and paid on a day, as ``proposal.json`` holds it.

    Amounts are integers in ``currency``. ``totals`` has per region and incentive type this batch's lines and amount,
    ``period_amount`` (all batches with this one, returns taken off) and ``previous_amount`` (the same of
    ``previous_period_id``); ``held`` per region and reason participants and amount; ``lists`` per region what is sent
    or published; ``top`` the ten largest lines; ``overpaid`` the standing total; ``approvers`` how many different
    people must approve it; ``same_payee`` accounts and cards with more than one line (``payees``: how many;
    ``largest``: participants, lines, amount); ``failed_sources`` those that it was proposed in spite of.
    """

    program_id: str
    period_id: str
    batch_id: str
    as_of: date
    digest: str
    lines: int
    amount: int
    currency: str
    totals: list[Row]
    previous_period_id: str | None
    held: list[Row]
    lists: list[Row]
    top: list[Row]
    overpaid: dict[str, int]
    issued_before: dict[str, int]
    policy_sha256: str
    code_version: str
    marts_fingerprint: str
    approvers: int
    same_payee: dict[str, Any] = field(default_factory=lambda: {"payees": 0, "largest": []})
    failed_sources: list[str] = field(default_factory=list)

    @property
    def proposal_id(self) -> str:
        """``<program_id>/<batch_id>/<digest>``: who approves it approves exactly these lines, held rows and lists."""
        return f"{self.program_id}/{self.batch_id}/{self.digest[: approvals.DIGEST_SIGNS]}"


def propose(
    home: Home, as_of: AsOf = None, roots: list[Path] | None = None, despite_failed_sources: Container[str] = ()
) -> list[Proposal]:
    """Work out what is due on ``as_of`` and write the proposals; those of which nothing is due any more are removed.

    Pays nobody. ``roots``: the folders that hold packs. Of a programme with a source that failed nothing is proposed,
    unless it is one of ``despite_failed_sources``; what somebody asked for so before goes on waiting. Raises ValueError
    for a day that is yet to come in a programme's time zone, and what ``decide`` raises.
    """
    vault.check(home)  # returned accounts are compared by keyed hash
    with ledger.lock(home), decide(home, as_of) as connection:
        days.refuse_to_come(as_of, zones(connection))
        issue_log.append(home, ledger.batches(home))  # of a run that was stopped
        _check_layouts(build_info(connection), roots)
        keys = connection.execute(
            "select program_id, period_id from line union select program_id, period_id from due_list order by all"
        ).fetchall()
        failed = {program_id: sorted(of) for program_id, of in taken.failed(home, load_sources(roots)).items()}
        keys = [key for key in keys if key[0] not in failed or key[0] in despite_failed_sources]
        layouts = {program_id: load_layout(program_id, roots) for program_id in {key[0] for key in keys}}
        described = [
            describe(connection, home, program_id, period_id, layouts[program_id], failed.get(program_id, []))
            for program_id, period_id in keys
        ]
        proposals = [proposal for proposal in described if proposal]
        for proposal in proposals:
            _write(connection, home, proposal)
        kept = {(proposal.program_id, proposal.period_id) for proposal in proposals}
        for old in pending(home):
            skipped = old.program_id in failed and old.program_id not in despite_failed_sources
            is_asked_for = skipped and old.failed_sources == failed[old.program_id]
            if (old.program_id, old.period_id) not in kept and not is_asked_for:
                discard(home, old.program_id, old.period_id)
    return proposals


def _check_layouts(build: dict[str, Any], roots: list[Path] | None) -> None:
    """A manifest names the policy of the evaluation, layouts included: they must be those of today."""
    from tanso.warehouse import policies  # which imports this package

    known = build.get("layouts_sha256")  # of an older version's marts: not known
    if known is not None and known != policies.layouts_sha256(policies.files_of(roots)):
        raise ValueError(
            "payouts.yml, or a file beside it, of a pack was changed after the last evaluation, so it is not in the "
            "policy that a batch would name: evaluate again (make evaluate), which keeps all that has not changed"
        )


def pending(home: Home) -> list[Proposal]:
    """The proposals that wait for an approver."""
    paths = sorted(home.proposals.glob("*/*/proposal.json"))
    return [_read(path) for path in paths if not path.parent.name.startswith(".")]


def discard(home: Home, program_id: str, period_id: str) -> None:
    """Remove the proposal of a programme and period, if there is one."""
    shutil.rmtree(home.proposals / program_id / period_id, ignore_errors=True)


def describe(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    program_id: str,
    period_id: str,
    layout: Layout,
    failed_sources: list[str],
) -> Proposal | None:
    """The proposal that the decision makes for one programme and period; None when nothing is due."""
    key = (program_id, period_id)
    # A list that the programme has no file for is not due.
    connection.execute(
        f"delete from due_list {HERE} and not list_contains(?, regexp_replace(list, '_.*', ''))",
        [*key, sorted(layout.lists)],
    )
    lines, amount = sql.first(connection, f"select count(*), coalesce(sum(amount), 0)::bigint from line {HERE}", key)
    lists = rows(
        connection, f"select region_code, list, count(*) as items from due_list {HERE} group by all order by all", key
    )
    if not lines and not lists:
        return None
    build = build_info(connection)
    previous = sql.scalar(
        connection,
        # the latest earlier period of the same kind, that is, with the same letters
        "select max(period_id) from ledger where program_id = $1 and period_id < $2 "
        "and regexp_replace(period_id, '[0-9]{4}', '') = regexp_replace($2, '[0-9]{4}', '')",
        key,
    )
    batch_id = ledger.next_batch_id(home, *key)
    as_of = sql.scalar(connection, "select as_of from day where program_id = ?", [program_id])
    head = [batch_id, as_of.isoformat(), build["policy_sha256"], layout.sha256, *failed_sources]
    return Proposal(
        program_id,
        period_id,
        batch_id,
        as_of,
        _digest(connection, key, head),
        lines,
        amount,
        sql.scalar(connection, "select currency from house.marts.dim_programs where program_id = ?", [program_id]),
        _totals(connection, program_id, period_id, previous),
        previous,
        rows(
            connection,
            "select region_code, hold_reason, count(*) as participants, sum(amount)::bigint as amount "
            f"from held {HERE} group by all order by all",
            key,
        ),
        lists,
        rows(
            connection,
            f"select participant_id, region_code, incentive_type, amount from line {HERE} "
            "order by amount desc, participant_id limit 10",
            key,
        ),
        rows(
            connection,
            f"select count(*) as participants, coalesce(sum(amount), 0)::bigint as amount from overpaid {HERE}",
            key,
        )[0],
        rows(
            connection,
            "select count(distinct batch_id) as batches, coalesce(sum(amount), 0)::bigint as amount "
            f"from ledger {HERE}",
            key,
        )[0],
        build["policy_sha256"],
        build["code_version"],
        build["fingerprint"],
        approvals.needed(connection, program_id, period_id, amount),
        _same_payee(connection, key),
        failed_sources,
    )


def _same_payee(connection: duckdb.DuckDBPyConnection, key: tuple[str, str]) -> Row:
    """Accounts and cards that more than one line pays to: how many, and the ten that get most."""
    found = rows(
        connection,
        "select list(participant_id order by participant_id)[:10] as participants, count(*) as lines, "
        f"sum(amount)::bigint as amount from line {HERE} and payee_key is not null "
        "group by payee_key having count(*) > 1 order by amount desc, participants",
        key,
    )
    return {"payees": len(found), "largest": found[:10]}


def _totals(connection: duckdb.DuckDBPyConnection, program_id: str, period_id: str, previous: str | None) -> list[Row]:
    return rows(
        connection,
        """
        with amounts as (
            select region_code, incentive_type, 1 as lines, amount, amount as period_amount, 0 as previous_amount
            from line where program_id = $1 and period_id = $2
            union all
            select region_code, incentive_type, 0, 0, amount, 0 from kept where program_id = $1 and period_id = $2
            union all
            select region_code, incentive_type, 0, 0, 0, amount from kept where program_id = $1 and period_id = $3
        )
        select region_code, incentive_type, sum(lines)::bigint as lines, sum(amount)::bigint as amount,
            sum(period_amount)::bigint as period_amount, sum(previous_amount)::bigint as previous_amount
        from amounts group by all order by all
        """,
        [program_id, period_id, previous],
    )


def _digest(connection: duckdb.DuckDBPyConnection, key: tuple[str, str], head: list[str]) -> str:
    """SHA-256 of everything that would be issued, but the personal data: accounts stand in it as keyed hashes."""
    digest = hashlib.sha256(repr([*key, *head]).encode())
    for table in ("line", "delivery", "held", "overpaid", "due_list", "balance", "ranking", "winner"):
        # Of a million rows in the engine: per row a hash of its texts, of which the order says nothing; hashed in two
        # steps, so that none is of all rows' hashes at once.
        rows_hash = sql.scalar(
            connection,
            f"""
            select sha256(coalesce(string_agg(part, '' order by part), ''))
            from (
                select sha256(string_agg(row_hash, '' order by row_hash)) as part
                from (
                    select sha256(to_json(texts)::varchar) as row_hash
                    from (select columns(*)::varchar from (select * from {table} {HERE})) as texts
                )
                group by left(row_hash, 2)
            )
            """,
            key,
        )
        digest.update(f"{table} {rows_hash}\n".encode())
    return digest.hexdigest()


def _write(connection: duckdb.DuckDBPyConnection, home: Home, proposal: Proposal) -> None:
    parent = private_folder(private_folder(home.proposals) / proposal.program_id)
    aside = parent / f".{proposal.period_id}-{os.getpid()}"
    shutil.rmtree(aside, ignore_errors=True)
    private_folder(aside)
    content = {"proposal_id": proposal.proposal_id, **vars(proposal), "as_of": proposal.as_of.isoformat()}
    (aside / "proposal.json").write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf-8")
    connection.execute(
        f"create or replace temp table to_write as select * from line {HERE} order by line_no",
        [proposal.program_id, proposal.period_id],
    )
    connection.sql("from to_write order by line_no").write_parquet(str(aside / "lines.parquet"))
    for file in aside.iterdir():
        file.chmod(0o600)
    discard(home, proposal.program_id, proposal.period_id)
    aside.replace(parent / proposal.period_id)


def _read(path: Path) -> Proposal:
    content = json.loads(path.read_text("utf-8"))
    del content["proposal_id"]
    # One that an older version wrote does not say how many must approve; issuing works it out again.
    return Proposal(**{"approvers": 1, **content, "as_of": date.fromisoformat(content["as_of"])})
