"""Marts as files: one sorted Parquet file per mart, the same rows giving the same bytes, and their SHA-256."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import duckdb

from tanso import lake_files, sql
from tanso.cells import cell
from tanso.files import file_sha256

# What is due on a day beside what was paid by then; who was paid and is due nothing any more is in it too.
_PAID = """
    with paid as (
        select program_id, period_id, participant_id, any_value(region_code) as region_code,
            any_value(currency) as currency, coalesce(sum(amount) filter (returned_reason is null), 0)::bigint as paid
        from marts.fct_payout_lines
        group by all
    )
    select program_id, period_id, participant_id, coalesce(due.region_code, paid.region_code) as region_code,
        coalesce(due.currency, paid.currency) as currency, coalesce(status, 'nothing_due') as status, hold_reason,
        coalesce(amount, 0) as due, coalesce(paid, 0) as paid, coalesce(amount, 0) - coalesce(paid, 0) as difference
    from marts.fct_payouts as due
    full join paid using (program_id, period_id, participant_id)
    where program_id = coalesce(getvariable('program_id'), program_id)
        and period_id = coalesce(getvariable('period_id'), period_id)
    order by all
"""


def write(
    database: Path, folder: Path, program_id: str | None = None, period_id: str | None = None
) -> list[dict[str, Any]]:
    """Write ``marts/<mart>.parquet`` and ``due_and_paid.csv`` of a built file into ``folder``.

    With a programme only its rows; with a period only the marts that have periods, and of them its rows. Returns per
    file path, rows and sha256. Raises ValueError for a programme or period that the marts do not have.
    """
    (folder / "marts").mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(f"attach {sql.text(database)} as built (read_only)")
        connection.execute("use built")
        _choose(connection, program_id, period_id)
        written = []
        for mart, columns in _marts(connection).items():
            if period_id and "period_id" not in columns:
                continue
            path = folder / "marts" / f"{mart}.parquet"
            wanted = [name for name in ("program_id", "period_id") if name in columns]
            chosen = " and ".join(f"{name} = coalesce(getvariable('{name}'), {name})" for name in wanted) or "true"
            lake_files.write(connection, f"select * from marts.{mart} where {chosen} order by all", path)
            count = sql.scalar(connection, "select count(*) from read_parquet(?)", [str(path)])
            written.append(_about(folder, path, count))
        written.append(_due_and_paid(connection, folder))
    return written


def _choose(connection: duckdb.DuckDBPyConnection, program_id: str | None, period_id: str | None) -> None:
    for name, value, table in (("program_id", program_id, "dim_programs"), ("period_id", period_id, "dim_periods")):
        connection.execute(f"set variable {name} = $value", {"value": value})
        if value:
            rows = connection.execute(f"select distinct {name} from marts.{table} order by 1").fetchall()
            known = [row[0] for row in rows]
            if value not in known:
                raise ValueError(f"no {name} {value!r} by then; there are {', '.join(known) or 'none'}")


def _marts(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for mart, column in connection.execute(
        "select table_name, column_name from duckdb_columns() where database_name = 'built' and schema_name = 'marts' "
        "order by table_name, column_index"
    ).fetchall():
        found.setdefault(mart, []).append(column)
    return found


def _due_and_paid(connection: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, Any]:
    path, count = folder / "due_and_paid.csv", 0
    result = connection.execute(_PAID)
    with path.open("w", encoding="utf-8-sig", newline="") as file:  # spreadsheets tell UTF-8 by the mark
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([column[0] for column in result.description])
        while rows := result.fetchmany(10_000):
            writer.writerows([cell(value) for value in row] for row in rows)
            count += len(rows)
    return _about(folder, path, count)


def _about(folder: Path, path: Path, rows: int) -> dict[str, Any]:
    return {"path": path.relative_to(folder).as_posix(), "rows": rows, "sha256": file_sha256(path)}
