"""Readings: billed usage per meter and month.

Fields: usage_month; those of the meter's number; one per usage; optionally unit, tariff, read_kind, starts_on, ends_on,
coverage. Options: ``Readings`` of ``tanso.packs.options``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from tanso import lake_files, sql
from tanso.ingest.kinds import prorate, reading_rows, rows, usage_jumps
from tanso.ingest.lake import partitions
from tanso.ingest.model import Context, Kind, StagedFile
from tanso.packs.sources import Source
from tanso.settings import Home

ORDER_BY = "usage_month, utility, meter_key, row_no"


def judge(con: duckdb.DuckDBPyConnection, source: Source, context: Context) -> None:
    """Makes ``good`` (row_no, utility, meter_key, usage_month, usage, tariff, is_estimated): one row per usage.

    Of a prorated source also starts_on and ends_on (exclusive); its usage_month is that of the first day.
    Reads ``raw``.
    Makes ``judged``, ``good``, ``refused``, ``duplicates``; of a prorated source ``candidates`` and ``lapping`` too.
    """
    prorated = prorate.is_prorated(source)
    reading_rows.make(con, source, context)
    # From here on ``judged`` tells what became of each row.
    if _suspects(con, "meter_key, starts_on, ends_on" if prorated else "meter_key, usage_month"):
        _refuse_repeated(con, source, f"utility, meter_key, {'starts_on, ends_on' if prorated else 'usage_month'}")
    con.execute(f"create view good as {_readings(source, 'judged')}")
    if prorated:
        con.execute("alter view good rename to candidates")
        con.execute("create table good as from candidates")
        prorate.find_overlaps(con)
        con.execute("delete from good where row_no in (from lapping)")
        con.execute("update judged set reason = 'overlapping_period' where row_no in (from lapping)")
    con.execute("create table refused as select row_no, reason from judged where reason is not null")
    # What is good and brings nothing new, a row without any usage included.
    brings_nothing = " and ".join(f"{column} is null" for column, _ in _numbered(source))
    con.execute(f"create table duplicates as select row_no from judged where reason is null and {brings_nothing}")


def _numbered(source: Source) -> list[tuple[str, str]]:
    """Each usage's column in ``judged``, and its utility."""
    return [(f"usage_{i}", usage["utility"]) for i, usage in enumerate(source.option("usages"))]


def _refuse_repeated(con: duckdb.DuckDBPyConnection, source: Source, key: str) -> None:
    """In ``judged``, of the ``suspects``: what repeats under ``key`` is a duplicate or in conflict.

    Reads ``suspects``.
    Makes ``readings``, ``repeated``, ``conflicts``, ``copies``.
    Changes ``judged``.
    """
    con.execute(f"create table readings as {_readings(source, 'suspects')}")
    con.execute(
        f"""
        create table repeated as
        select {key}, min(usage) <> max(usage) as is_conflict
        from readings group by all having count(*) > 1
        """
    )
    con.execute(
        f"""
        create table conflicts as
        select distinct row_no
        from readings semi join (from repeated where is_conflict) using ({key})
        """
    )
    # Of equal readings the first stays.
    con.execute(
        f"""
        create table copies as
        select row_no, utility
        from readings join (
            select {key}, min(row_no) as first_row_no
            from readings semi join repeated using ({key})
            where row_no not in (from conflicts)
            group by all
        ) using ({key})
        where row_no <> first_row_no and row_no not in (from conflicts)
        """
    )
    con.execute("update judged set reason = 'conflicting_duplicate' where row_no in (from conflicts)")
    for column, utility in _numbered(source):
        con.execute(
            f"update judged set {column} = null where row_no in (select row_no from copies where utility = $1)",
            [utility],
        )


def _readings(source: Source, table: str) -> str:
    """Query for the readings of ``table`` (columns of ``judged``), one per usage, of rows that nothing is against."""
    is_prorated = prorate.is_prorated(source)
    days, tariff = ("starts_on, ends_on, ", "tariff::varchar as tariff") if is_prorated else ("", "tariff")
    return " union all ".join(
        f"select row_no, {sql.text(usage['utility'])} as utility, meter_key, usage_month, {days}"
        f"usage_{i} as usage, {tariff}, is_estimated from {table} where reason is null and usage_{i} is not null"
        for i, usage in enumerate(source.option("usages"))
    )


def _suspects(con: duckdb.DuckDBPyConnection, key: str) -> bool:
    """Table ``suspects``: the rows of ``judged`` whose ``key`` is there again, and perhaps, by its hash, a few others.
    False, and no table, if there is none.

    Few keys repeat: everything about duplicates works on those alone.
    Reads ``judged``.
    Makes ``suspects``.
    """
    hashes = con.execute(f"select hash({key}) as hash from judged where reason is null").fetchnumpy()["hash"]
    hashes.sort()
    again = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
    if not len(again):
        return False
    con.register("again", pa.table({"hash": pa.array(again, pa.uint64())}))
    con.execute(
        f"create table suspects as from judged where reason is null and hash({key}) in (select hash from again)"
    )
    con.unregister("again")
    return True


def blame(source: Source) -> list[tuple[str, str, str]]:
    """See ``kinds``."""
    fields = {
        "bad_customer_no": source.option("meter"),
        "bad_month": ["usage_month", "ends_on"] if prorate.is_prorated(source) else ["usage_month"],
        "incomplete_period": ["coverage"],
        "unknown_unit": ["unit", *(field for usage in source.option("usages") for field in usage.get("where", {}))],
        "conflicting_duplicate": [usage["field"] for usage in source.option("usages")],
    }
    for reason in ("bad_period", "period_reversed", "period_empty", "period_too_long", "overlapping_period"):
        fields[reason] = ["starts_on", "ends_on"]
    causes = [(reason, field, "true") for reason, names in fields.items() for field in names]
    for usage in source.option("usages"):
        causes += rows.number_causes(usage["field"], usage["max"])
    return causes


def figures(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """``months`` (YYYY-MM) that have readings, number of ``readings``, how many are ``estimated``, and ``by_month``:
    month -> utility -> readings and median usage (text).

    Reads ``good``.
    """
    by_month: dict[str, dict[str, list[Any]]] = {}
    estimated = 0
    for month, utility, readings, middle, guessed in con.execute(
        """
        select strftime(usage_month, '%Y-%m'), utility, count(*), quantile_disc(usage, 0.5)::varchar,
            count(*) filter (is_estimated)
        from good group by usage_month, utility order by usage_month, utility
        """
    ).fetchall():
        by_month.setdefault(month, {})[utility] = [readings, middle]
        estimated += guessed
    readings = sum(count for utilities in by_month.values() for count, _ in utilities.values())
    return {"months": list(by_month), "readings": readings, "estimated": estimated, "by_month": by_month}


def stage(con: duckdb.DuckDBPyConnection, source: Source, context: Context, path: Path) -> None:
    """Readings are staged as the lake has them, with row_no: of a month that no other file speaks for, the staged file
    is the lake's.

    Reads ``good``.
    """
    if prorate.is_prorated(source):
        lake_files.write(con, f"select * from good order by {ORDER_BY}", path)
    else:
        partitions.stage(con, source, context.sha256, path, context.received.count)


def publish(con: duckdb.DuckDBPyConnection, home: Home, source: Source, staged: list[StagedFile]) -> dict[str, Any]:
    """One partition per month that holds the readings in force."""
    notes: dict[str, Any] = {}
    if prorate.is_prorated(source):
        notes = prorate.publish(con, home, source, staged)
    else:
        prorate.forget(home, source)
        partitions.publish(con, home, source, staged)
    return notes | usage_jumps.report(con, home, source, staged)


KIND = Kind(
    "readings",
    judge,
    publish,
    blame=blame,
    figures=figures,
    stage=stage,
    order_by=ORDER_BY,
    policy_tables=("unit_conversions",),
    # Months and days that the edges of a download cut: no mistake of the file.
    lenient_reasons=frozenset(("incomplete_period",)),
)
