"""Purge: erase personal data whose retention has ended. A command of its own, never part of a run.

Retention ends ``retention_years`` (``policy/programs.csv``; blank: never) after a former member's last payout line, or
after the membership if there is none. Then the member is erased from every vault file. A register file is erased from
landing, with its part of the vault, ``retention_years`` after its day, unless it is the newest of its source or some
member's row in force was taken from it. Ledger, receipts, SHA-256, counts and facts without personal data stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from tanso import days, lake, warehouse
from tanso.days import AsOf
from tanso.ingest import names
from tanso.ingest.lake.staged import stored_result
from tanso.ingest.landing import erased, land
from tanso.ingest.model import Receipt, ReceiptStatus
from tanso.ledger import ledger
from tanso.payouts import decision
from tanso.privacy import access_log, vault
from tanso.settings import Home
from tanso.sql import Row, rows


@dataclass(frozen=True)
class OldFile:
    """A landed file that is past its retention, and the day that it is counted from."""

    receipt: Receipt
    day: date


@dataclass(frozen=True)
class Purge:
    """What a purge erases.

    ``members``: program_id, participant_id, ended_on, last_paid_on, kept_until; ``waiting`` the same of those whose
    retention has ended but to whom something is still payable.
    ``vault``: source_id, sha256 -> the participants to erase from that snapshot.
    """

    as_of: dict[str, date]  # by programme
    members: list[Row]
    waiting: list[Row]
    files: list[OldFile]
    vault: dict[tuple[str, str], list[str]]


def purge(home: Home, as_of: AsOf = None, apply: bool = False, roots: list[Path] | None = None) -> Purge:
    """Find what is to be erased on ``as_of``, and erase it if ``apply``. Safe to stop and to run again.

    Raises ValueError for a day that is yet to come in a programme's time zone, NotPublishedError before the first
    evaluation, since what is still payable stands in the marts.
    """
    with land.lock(home), ledger.lock(home), warehouse.connect(home) as marts:
        _load(marts, home)
        zones = decision.zones(marts)
        days.refuse_to_come(as_of, zones)  # what is erased a year too early does not come back
        found = _plan(marts, home, days.of_programs(as_of, zones), zones, roots)
        if apply:
            _erase(home, found)
    return found


def _load(marts: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Beside the marts, in memory: the register in force and the ledger as they are on disk."""
    marts.execute("use memory")
    lake.check(home.lake, ["participants"])
    lake.create_sources(marts, home.lake)
    ledger.load(marts, home)


def _plan(
    marts: duckdb.DuckDBPyConnection,
    home: Home,
    as_of: dict[str, date],
    zones: dict[str, str],
    roots: list[Path] | None,
) -> Purge:
    marts.execute(
        "create temp table day as select unnest(?::varchar[]) as program_id, unnest(?::date[]) as as_of",
        [list(as_of), list(as_of.values())],
    )
    marts.execute("create temp table paid_on (program_id varchar, issued_at timestamp, day date)")
    for program_id, issued_at in marts.execute("select distinct program_id, issued_at from ledger").fetchall():
        local = issued_at.replace(tzinfo=UTC).astimezone(ZoneInfo(zones.get(program_id, "UTC")))
        marts.execute("insert into paid_on values (?, ?, ?)", [program_id, issued_at, local.date()])
    marts.execute(
        """
        create temp table ended as
        with former as (
            select program_id, participant_id, least(withdrawn_on, moved_out_on) as ended_on from lake.participants
        ),
        paid as (
            select program_id, participant_id, max(day) as last_paid_on
            from ledger join paid_on using (program_id, issued_at)
            group by all
        ),
        payable as (
            select distinct program_id, participant_id from tanso.marts.fct_payouts
            where status = 'payable' and amount > paid_amount
        )
        select program_id, participant_id, ended_on, last_paid_on,
            (coalesce(last_paid_on, ended_on) + to_years(retention_years::integer))::date as kept_until,
            payable.participant_id is not null as is_waiting
        from former
        join carried.policy.programs using (program_id)
        join day using (program_id)
        left join paid using (program_id, participant_id)
        left join payable using (program_id, participant_id)
        where ended_on <= as_of and kept_until <= as_of
        """
    )
    columns = "program_id, participant_id, ended_on, last_paid_on, kept_until"
    members = rows(marts, f"select {columns} from ended where not is_waiting order by all")
    waiting = rows(marts, f"select {columns} from ended where is_waiting order by all")
    gone = {(member["program_id"], member["participant_id"]) for member in members}
    files = _files(marts, home, as_of, zones, roots)
    from_vault: dict[tuple[str, str], list[str]] = {}
    whole = {(file.receipt.source_id, file.receipt.sha256) for file in files}
    for program_id, source_id in _registers(roots):
        for path in sorted((home.vault / source_id).glob("*.parquet")):
            is_whole = (source_id, path.stem) in whole
            in_file = vault.participants(home, path)
            wanted = [one for one in in_file if is_whole or (program_id, one) in gone]
            if wanted:
                from_vault[source_id, path.stem] = wanted
    if from_vault or files:
        access_log.record(
            home, "purge_planned", f"retention as of {days.text(as_of.values())}", vault_files=len(from_vault)
        )
    # Who is in no vault file any more was erased by an earlier purge.
    there = {one for snapshot in from_vault.values() for one in snapshot}
    members = [member for member in members if member["participant_id"] in there]
    return Purge(as_of, members, waiting, files, from_vault)


def _registers(roots: list[Path] | None) -> list[tuple[str, str]]:
    """(program_id, source_id) of the declared registers."""
    from tanso.packs import load_sources

    return [(source.program_id, source.source_id) for source in load_sources(roots) if source.kind == "participants"]


def _files(
    marts: duckdb.DuckDBPyConnection,
    home: Home,
    as_of: dict[str, date],
    zones: dict[str, str],
    roots: list[Path] | None,
) -> list[OldFile]:
    """Landed register files that are older than their retention and that nobody's row in force needs."""
    years = dict(marts.execute("select program_id, retention_years::integer from carried.policy.programs").fetchall())
    needed = {
        row[0]
        for row in marts.execute(
            "select distinct source_file_id from lake.participants as p where (program_id, participant_id) not in "
            "(select (program_id, participant_id) from ended where not is_waiting)"
        ).fetchall()
    }
    found = []
    for program_id, source_id in _registers(roots):
        landed = [receipt for receipt in land.receipts(home, source_id) if receipt.status == ReceiptStatus.LANDED]
        results = {receipt.sha256: stored_result(home, source_id, receipt.sha256) for receipt in landed}
        accepted = [r for r in landed if (results[r.sha256] or {}).get("status") == "accepted"]
        newest = max(accepted, key=lambda r: (r.file_name, r.received_no), default=None)
        for receipt in landed:
            day = _day(receipt, zones.get(program_id, "UTC"))
            is_kept = (
                years.get(program_id) is None
                or _years_later(day, years[program_id]) > as_of[program_id]
                or receipt.sha256 in needed
                or receipt is newest
                or results[receipt.sha256] is None
            )
            if not is_kept and land.landed_path(home, receipt.sha256).exists():
                found.append(OldFile(receipt, day))
    return found


def _day(receipt: Receipt, time_zone: str) -> date:
    """A snapshot's day: the one in its name, else that on which it was received."""
    received_at = datetime.fromisoformat(receipt.received_at).astimezone(ZoneInfo(time_zone))
    return names.day_in(receipt.file_name) or received_at.date()


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)


def _erase(home: Home, found: Purge) -> None:
    details: dict[str, Any] = {
        "participants": [member["participant_id"] for member in found.members],
        "files": [file.receipt.sha256 for file in found.files],
    }
    if found.vault or found.files:
        # Before and after: one that is stopped is finished by the next, which finds less to do.
        access_log.record(home, "purge_started", f"retention as of {days.text(found.as_of.values())}", **details)
    land.remove_leftovers(home)  # names and accounts, too
    for (source_id, sha256), participant_ids in found.vault.items():
        vault.erase(home, source_id, sha256, participant_ids)
    for file in found.files:
        erased.erase(home, file.receipt)
    if found.vault or found.files:
        access_log.record(home, "purged", f"retention as of {days.text(found.as_of.values())}", **details)
