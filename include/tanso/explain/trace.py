"""Where a participant's figures were received: for each the landed file and the data row in it.

Row numbers are those of the staged files, which hold what was read of every landed file, row by row; they count data
rows from 1, as ``dq_quarantine`` does.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from tanso import lake
from tanso.files import file_sha256
from tanso.ingest.landing import erased, land
from tanso.settings import Home
from tanso.sql import Row, rows

# What a row is known by in the staged files of one kind or another; other columns are left aside.
_KNOWN_BY = {
    "participant_id": "varchar",
    "meter_key": "varchar",
    "utility": "varchar",
    "usage_month": "date",
    "previous_usage": "decimal(18, 3)",
    "application_id": "varchar",
    "certified_on": "date",
    "points": "bigint",
}
# Lake tables whose rows say themselves which file they were taken from.
_TABLES = ("participants", "applications", "opening_points", "activities")


def load(marts: duckdb.DuckDBPyConnection, home: Home, program_id: str, participant_id: str) -> None:
    """Make the temporary tables ``received`` (source_file_id, row_no and ``_KNOWN_BY`` of every staged row of the
    participant) and ``lake_<table>`` (the participant's rows in force) on a connection to the published marts."""
    key = [program_id, participant_id]
    for table in _TABLES:
        paths = [str(path) for path in sorted((home.lake / table).rglob("*.parquet"))]
        marts.execute(f"create or replace temp table lake_{table} ({lake.columns_sql(table)})")
        if paths:
            marts.execute(
                f"insert into lake_{table} by name select * from read_parquet(?, union_by_name = true, "
                "hive_partitioning = false) where program_id = ? and participant_id = ?",
                [paths, *key],
            )
    columns = ", ".join(f"{name} {kind}" for name, kind in _KNOWN_BY.items())
    marts.execute(f"create or replace temp table received (source_file_id varchar, row_no bigint, {columns})")
    marts.execute(
        "create or replace temp table replaced "
        "(utility varchar, usage_month date, usage decimal(18, 3), source_file_id varchar, row_no bigint)"
    )
    in_force = _staged(marts, home, key)
    for path in _beside(in_force):
        present = {row[0] for row in marts.execute("describe select * from read_parquet(?)", [path]).fetchall()}
        if {"utility", "meter_key", "usage_month", "usage"} <= present:
            marts.execute(
                "insert into replaced select utility, usage_month, usage, parse_filename(?, true), row_no "
                "from read_parquet(?) where (utility, meter_key) in (select (utility, meter_key) "
                "from intermediate.int_metered_units where program_id = ? and participant_id = ?)",
                [path, path, *key],
            )
    for path in in_force:
        present = {row[0] for row in marts.execute("describe select * from read_parquet(?)", [path]).fetchall()}
        named = [name for name in _KNOWN_BY if name in present]
        if "participant_id" in present:
            mine, values = "participant_id = ?", [participant_id]
        else:
            mine, values = (
                "(utility, meter_key) in (select (utility, meter_key) from intermediate.int_metered_units "
                "where program_id = ? and participant_id = ?)",
                key,
            )
        marts.execute(
            f"insert into received (source_file_id, row_no, {', '.join(named)}) "
            f"select parse_filename(?, true), row_no, {', '.join(named)} from read_parquet(?) where {mine}",
            [path, path, *values],
        )


def _beside(paths: list[str]) -> list[str]:
    """All staged files of the sources that these are of: what they hold of a month may have been replaced since."""
    folders = sorted({Path(path).parent for path in paths})
    return [str(path) for folder in folders for path in sorted(folder.glob("*.parquet")) if path.name.count(".") == 1]


def _staged(marts: duckdb.DuckDBPyConnection, home: Home, key: list[str]) -> list[str]:
    """The staged files that the participant's figures were taken from."""
    taken_from = " union ".join(f"select source_file_id from lake_{table}" for table in _TABLES)
    found = marts.execute(
        "select source_file_id from marts.fct_monthly_usage where program_id = ? and participant_id = ? "
        f"union {taken_from} order by 1",
        key,
    ).fetchall()
    paths = (next((home.lake / "_staged").glob(f"*/{sha256}.parquet"), None) for (sha256,) in found if sha256)
    return [str(path) for path in paths if path]


def corrections(marts: duckdb.DuckDBPyConnection, program_id: str, participant_id: str, period: Row) -> list[Row]:
    """Readings up to the period's end that a later file replaced by another usage: file and row, and ``usage_now``."""
    return rows(
        marts,
        """
        select u.utility, u.usage_month, r.usage, u.usage as usage_now, r.source_file_id, r.row_no
        from marts.fct_monthly_usage as u
        join replaced as r on r.utility = u.utility and r.usage_month = u.usage_month and r.usage <> u.usage
        where u.program_id = $program_id and u.participant_id = $participant_id and u.usage_month <= $ends_on
        order by all
        """,
        {"program_id": program_id, "participant_id": participant_id, "ends_on": period["ends_on"]},
    )


def readings(marts: duckdb.DuckDBPyConnection, program_id: str, participant_id: str, period: Row) -> list[Row]:
    """All months up to the period's end: usage, what it counts as, file and row."""
    return rows(
        marts,
        """
        with counted as (
            select units.utility, readings.month_no,
                bool_or(readings.month_no = months.month_no) as is_actual,
                bool_or(readings.month_no between of_row.baseline_from_no and of_row.baseline_to_no
                    and not readings.is_tariff_excluded) as is_baseline
            from intermediate.int_metered_units as units
            join intermediate.int_metered_rows as of_row using (unit_key)
            join intermediate.int_period_months as months
                on months.period_no = of_row.period_no and months.program_id = units.program_id
            join intermediate.int_metered_readings as readings
                on readings.unit_key = units.unit_key and readings.month_no >= of_row.first_month_no
                and readings.month_no % 12 = months.calendar_month
            where units.program_id = $program_id and units.participant_id = $participant_id
                and months.period_id = $period_id
            group by all
        )
        select u.utility, u.usage_month, u.usage, u.is_estimated,
            case
                when counted.is_actual is null then u.usage_month in (
                    select usage_month from intermediate.int_period_months
                    where program_id = $program_id and period_id = $period_id
                )
                else counted.is_actual
            end as is_in_period,
            coalesce(counted.is_baseline, false) as is_in_baseline,
            received.previous_usage,
            u.source_file_id, received.row_no
        from marts.fct_monthly_usage as u
        left join counted on counted.utility = u.utility
            and counted.month_no = extract(year from u.usage_month) * 12 + extract(month from u.usage_month) - 1
        left join received on received.source_file_id = u.source_file_id and received.utility = u.utility
            and received.usage_month = u.usage_month
        where u.program_id = $program_id and u.participant_id = $participant_id and u.usage_month <= $ends_on
        order by u.utility, u.usage_month
        """,
        {
            "program_id": program_id,
            "participant_id": participant_id,
            "period_id": period["period_id"],
            "ends_on": period["ends_on"],
        },
    )


def files(marts: duckdb.DuckDBPyConnection, home: Home, source_file_ids: Iterable[str | None]) -> list[Row]:
    """The files with those SHA-256: source_id, file_name, sha256, received_at, ``landed`` (its path in the home) and
    ``state``: ``intact``; ``changed`` or ``missing`` when the bytes are not those received; ``erased`` by a purge."""
    wanted = sorted({sha256 for sha256 in source_file_ids if sha256})
    found = rows(
        marts,
        "select source_id, file_name, sha256, received_at from marts.dq_files "
        "where status = 'accepted' and list_contains(?, sha256) order by source_id, file_name",
        [wanted],
    )
    for file in found:
        path = land.landed_path(home, file["sha256"])
        file["landed"] = str(path.relative_to(home.root))
        if path.exists():
            file["state"] = "intact" if file_sha256(path) == file["sha256"] else "changed"
        else:
            file["state"] = "erased" if erased.is_erased(home, file["source_id"], file["sha256"]) else "missing"
    return found
