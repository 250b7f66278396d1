"""Bills whose service periods are no calendar months (readings with ``month_basis: prorated``).

A bill's usage is spread evenly over its days, and a month counts once bills in force cover all its days. Which bills
are in force, and so what a month's usage is, depends on all files of the source: it is worked out at every publish.
Inside, ``ends_on`` is always the first day after the bill.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from tanso import lake_files, sql
from tanso.ingest.lake.partitions import COLUMNS
from tanso.ingest.model import StagedFile
from tanso.packs.sources import Source
from tanso.settings import Home
from tanso.shown import guarded


def is_prorated(source: Source) -> bool:
    return bool(source.option("month_basis", "calendar") == "prorated")


def end_day(source: Source, last: str) -> str:
    """SQL for the first day after a bill that says ``last``."""
    return f"{last} + 1" if source.option("period_end", "exclusive") == "inclusive" else last


def find_overlaps(con: duckdb.DuckDBPyConnection) -> None:
    """Table ``lapping`` (row_no): all good bills of the file that share a day with another one of their meter.

    Nobody can tell which of them is right, as with ``conflicting_duplicate``.
    Reads ``good``.
    Makes ``lapping``.
    """
    con.execute(f"create table lapping as select distinct row_no from ({_lapping('good')}) where is_lapping")


def _lapping(table: str) -> str:
    window = "over (partition by utility, meter_key order by starts_on, ends_on rows between"
    return f"""
        select *, coalesce(starts_on < max(ends_on) {window} unbounded preceding and 1 preceding), false)
            or coalesce(ends_on > min(starts_on) {window} 1 following and unbounded following), false) as is_lapping
        from {table}
    """


def publish(con: duckdb.DuckDBPyConnection, home: Home, source: Source, staged: list[StagedFile]) -> dict[str, Any]:
    """Write ``readings/source_id=…/usage_month=…/data.parquet`` of all months that are covered; unchanged ones stay.

    What is not covered goes to ``reports/incomplete_months/<source_id>.csv``.
    Makes ``files``, ``spans``, ``superseded``, ``bills``, ``months``.
    """
    folder = home.lake / "readings" / f"source_id={source.source_id}"
    months: list[str] = []
    if staged:
        _bills_in_force(con, staged)
        _months(con)
        months = [
            month
            for (month,) in con.execute(
                "select distinct strftime(usage_month, '%Y-%m') from months where is_complete order by 1"
            ).fetchall()
        ]
    for month in months:
        lake_files.publish(con, _readings(source, month), folder / f"usage_month={month}" / "data.parquet")
    for path in folder.glob("usage_month=*"):
        if path.name.removeprefix("usage_month=") not in months:
            shutil.rmtree(path)
    return _report(con, home, source, bool(staged))


def forget(home: Home, source: Source) -> None:
    """Remove the report of a source that is prorated no more."""
    _report_path(home, source).unlink(missing_ok=True)


def _bills_in_force(con: duckdb.DuckDBPyConnection, staged: list[StagedFile]) -> None:
    """Table ``bills``: of the same meter and period the last file's bill, unless a later file has one that overlaps it.

    What is replaced once does not come back when its replacement is replaced.
    Makes ``files``, ``spans``, ``superseded``, ``bills``.
    """
    con.execute("create table files (path varchar primary key, seq integer, source_file_id varchar)")
    rows = [(str(file.checked()), seq, file.sha256) for seq, file in enumerate(staged)]
    con.executemany("insert into files values (?, ?, ?)", rows)
    con.execute(
        f"""
        create table spans as
        with latest as (
            select staged.* exclude (usage_month), seq, source_file_id
            from read_parquet({sql.texts(file.path for file in staged)}, filename = 'path') as staged
            join files using (path)
            qualify row_number() over (partition by utility, meter_key, starts_on, ends_on order by seq desc) = 1
        )
        {_lapping("latest")}
        """
    )
    con.execute(
        """
        create table superseded as
        select old.utility, old.meter_key, old.starts_on, old.ends_on
        from (from spans where is_lapping) as old
        semi join (from spans where is_lapping) as new
            on new.utility = old.utility and new.meter_key = old.meter_key and new.seq > old.seq
            and new.starts_on < old.ends_on and old.starts_on < new.ends_on
        """
    )
    con.execute(
        "create table bills as select * from spans anti join superseded using (utility, meter_key, starts_on, ends_on)"
    )


def _months(con: duckdb.DuckDBPyConnection) -> None:
    """Table ``months``: per meter and month that a bill touches, the days covered and, once all are, the usage.

    Exact, in whole thousandths: bills within the month count whole; at most one reaches over its start and one over its
    end, so that two denominators do for the sum, which is rounded once, half up.
    Reads ``bills``.
    Makes ``months``.
    """
    con.execute(
        """
        create table months as
        with parts as (
            select bills.*, month::date as usage_month, (month + interval 1 month)::date as next_month,
                (usage * 1000)::hugeint as thousandths,
                starts_on >= usage_month and ends_on > next_month as is_last,
                (ends_on - starts_on)::hugeint as bill_days,
                (least(ends_on, next_month) - greatest(starts_on, usage_month))::hugeint as days
            from bills, unnest(
                generate_series(date_trunc('month', starts_on), date_trunc('month', ends_on - 1), interval 1 month)
            ) as touched(month)
        ),
        sums as (
            select utility, meter_key, usage_month, sum(days) as days_covered,
                (any_value(next_month) - usage_month)::hugeint as days_in_month,
                coalesce(sum(thousandths) filter (days = bill_days), 0)::hugeint as whole,
                coalesce(max(thousandths * days) filter (starts_on < usage_month), 0) as first_part,
                coalesce(max(bill_days) filter (starts_on < usage_month), 1) as first_days,
                coalesce(max(thousandths * days) filter (is_last), 0) as last_part,
                coalesce(max(bill_days) filter (is_last), 1) as last_days,
                arg_max(tariff, starts_on) as tariff,
                bool_or(is_estimated) as is_estimated,
                arg_max(source_file_id, seq) as source_file_id
            from parts
            group by utility, meter_key, usage_month
        ),
        fractions as (
            select *, first_days * last_days as denominator,
                whole * denominator + first_part * last_days + last_part * first_days as numerator
            from sums
        )
        select *, days_covered = days_in_month as is_complete,
            ((2 * numerator + denominator) // (2 * denominator))::decimal(18, 0) * 0.001::decimal(4, 3) as usage
        from fractions
        """
    )


def _readings(source: Source, month: str) -> str:
    """Reads ``months``."""
    known = {
        "program_id": sql.text(source.program_id),
        "source_id": sql.text(source.source_id),
        "provider": sql.text(source.provider or ""),
    }
    known["row_no"] = "null"  # a month may be of several bills
    columns = ", ".join(f'{known.get(name, name)}::{kind} as "{name}"' for name, kind in COLUMNS.items())
    return f"""
        select {columns} from months
        where is_complete and usage_month = date '{month}-01'
        order by utility, meter_key
    """


def _report_path(home: Home, source: Source) -> Path:
    return home.reports / "incomplete_months" / f"{source.source_id}.csv"


def _report(con: duckdb.DuckDBPyConnection, home: Home, source: Source, has_bills: bool) -> dict[str, Any]:
    """Reads ``months``, ``superseded``."""
    forget(home, source)
    if not has_bills:
        return {}
    found = con.execute(
        """
        select utility, meter_key, strftime(usage_month, '%Y-%m'), days_covered, days_in_month
        from months where not is_complete order by all
        """
    ).fetchall()
    notes = {}
    if found:
        path = _report_path(home, source)
        write_report(path, ["utility", "meter", "usage_month", "days_covered", "days_in_month"], found)
        where = path.relative_to(home.root)
        notes["incomplete_months"] = f"{len(found)} months of meters not wholly covered by bills, not used: {where}"
    if replaced := sql.scalar(con, "select count(*) from superseded"):
        notes["superseded_bills"] = f"{replaced} bills replaced by bills of later files that overlap them"
    return notes


def write_report(path: Path, header: list[str], found: Iterable[Sequence[Any]]) -> None:
    """Write a list of months of meters: utility, meter key, and what else the header names."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    for utility, meter, *rest in found:
        writer.writerow([utility, guarded(meter.replace("\x1f", " / ")), *rest])
    lake_files.write_bytes(path, text.getvalue().encode("utf-8-sig"))
