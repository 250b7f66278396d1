"""Make the decision: ``decision.sql`` on the published marts, the lake, and the ledger as it is on disk."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from tanso import days, lake
from tanso.days import AsOf
from tanso.ledger import ledger
from tanso.privacy import vault
from tanso.settings import Home
from tanso.sql import Row, rows
from tanso.warehouse import read

SQL = Path(__file__).with_name("decision.sql")
# tables of the lake that are read here and in files.sql
_READ = ("participants", "participant_utilities", "applications", "opening_points", "returns")
_ERASED = pa.schema([("source_file_id", pa.string()), ("participant_id", pa.string())])


def decide(
    home: Home, as_of: AsOf = None, program_id: str | None = None, period_id: str | None = None
) -> duckdb.DuckDBPyConnection:
    """A database in memory with the tables of ``decision.sql``, for all programmes and periods or for one. Close it.

    Table ``day`` has the day that counts for each programme (``days.AsOf``); one that is yet to come foretells.
    Raises NotPublishedError before the first evaluation, ChangedError when the marts are not those that were published,
    LedgerError for a damaged batch, DamagedFile for a damaged lake, ValueError when marts, register and policy do not
    go together.
    Makes ``day``, ``ledger``, ``erased`` and the tables of ``decision.sql``.
    """
    connection = duckdb.connect()
    try:
        # The vault's personal data will be joined here: they never go to disk as they are.
        connection.execute("set temp_directory = ''; set enable_progress_bar = false")
        read.attach(connection, home, "house")
        lake.check(home.lake, _READ)
        lake.create_sources(connection, home.lake)
        ledger.load(connection, home)
        _load_erased(connection, home)
        day = days.of_programs(as_of, zones(connection))
        connection.execute(
            "create temp table day as select unnest(?::varchar[]) as program_id, unnest(?::date[]) as as_of",
            [list(day), list(day.values())],
        )
        connection.execute("set variable program_id = ?::varchar", [program_id])
        connection.execute("set variable period_id = ?::varchar", [period_id])
        connection.execute(SQL.read_text("utf-8"))
        _check(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def build_info(connection: duckdb.DuckDBPyConnection) -> Row:
    """What the published marts say of how they were made: ``code_version``, ``policy_sha256``, ``fingerprint``.

    Reads ``carried.meta.build_info``.
    """
    return rows(connection, "select * from carried.meta.build_info")[0]


def time_zone(connection: duckdb.DuckDBPyConnection, program_id: str) -> ZoneInfo:
    """Where a programme's days are days."""
    return ZoneInfo(zones(connection)[program_id])


def zones(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Programme -> IANA time zone, of the policy that what is published was made by.

    Reads ``carried.policy.programs``.
    """
    return dict(connection.execute("select program_id, time_zone from carried.policy.programs order by 1").fetchall())


def standing(home: Home, as_of: AsOf = None) -> list[Row]:
    """Per programme and period what a run's report tells, whether or not there is something to propose.

    Keys: program_id, period_id, currency, as_of, due, paid, to_pay, held, overpaid (amounts), overpaid_participants,
    and held_reasons (list of region_code, hold_reason, participants, amount).
    Reads ``decision``, ``held``, ``day``.
    """
    with decide(home, as_of) as connection:
        held = rows(
            connection,
            "select program_id, period_id, region_code, hold_reason, count(*) as participants, "
            "sum(amount)::bigint as amount from held group by all order by all",
        )
        found = rows(
            connection,
            """
            select program_id, period_id, p.currency, any_value(y.as_of) as as_of,
                sum(due)::bigint as due, sum(paid)::bigint as paid,
                coalesce(sum(due - paid) filter (where hold_reason is null and due > paid), 0)::bigint as to_pay,
                coalesce(sum(due - paid) filter (where hold_reason is not null and due > paid), 0)::bigint as held,
                count(*) filter (where paid > due) as overpaid_participants,
                coalesce(sum(paid - due) filter (where paid > due), 0)::bigint as overpaid
            from decision as d
            join house.marts.dim_programs as p using (program_id)
            join day as y using (program_id)
            group by all having sum(due) > 0 or sum(paid) > 0 order by program_id, period_id
            """,
        )
    for row in found:
        key = (row["program_id"], row["period_id"])
        row["held_reasons"] = [
            {name: value for name, value in reason.items() if name not in ("program_id", "period_id")}
            for reason in held
            if (reason["program_id"], reason["period_id"]) == key
        ]
    return found


def _load_erased(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Make ``erased``: whom a purge has erased from the snapshot that their row in force was taken from.

    Reads ``lake.participants``.
    Makes ``erased``.
    """
    snapshots = connection.execute("select distinct source_file_id from lake.participants").fetchall()
    pairs = vault.erased_of(home, [sha256 for (sha256,) in snapshots if sha256])
    columns = {name: [pair[no] for pair in pairs] for no, name in enumerate(_ERASED.names)}
    connection.register("pairs", pa.table(columns, schema=_ERASED))
    connection.execute("create temp table erased as from pairs")
    connection.unregister("pairs")


def _check(connection: duckdb.DuckDBPyConnection) -> None:
    """Reads ``balance``, ``line``."""
    without_unit = connection.execute(
        "select program_id, period_id, participant_id from balance where redeemed is null order by all limit 1"
    ).fetchone()
    if without_unit:
        program_id, period_id, participant_id = without_unit
        raise ValueError(
            f"point_rules.csv of {program_id}: no redemption_unit in force for {period_id}, in which {participant_id} "
            "has points; add a row"
        )
    without_payee = connection.execute(
        "select program_id, period_id, participant_id, incentive_type from line "
        "where incentive_type in ('cash', 'green_card') and payee_key is null order by all limit 1"
    ).fetchone()
    if without_payee:
        program_id, period_id, participant_id, incentive_type = without_payee
        raise ValueError(
            f"{program_id} {period_id}: {participant_id} is payable by {incentive_type} in the marts, but the register "
            "has no account or card; the marts are older than the register: evaluate again (make evaluate)"
        )
