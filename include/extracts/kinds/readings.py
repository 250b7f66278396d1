"""Readings: billed usage per meter and month.

Fields: usage_month; those of the meter's number; one per usage; optionally unit, tariff, read_kind, starts_on, ends_on,
coverage. Options (docs/reference/sources.md has them in full):

``meter``               list of fields; one: a customer number, hyphens and spaces go; several: a tuple of texts, joined
                        by U+001F
``customer_no_pattern`` what a customer number looks like (optional)
``usages``              list of {field, utility, unit, max}: ``max`` is the largest plausible usage in ``unit``; with
                        ``where`` ({field: text}) only of rows whose field says so; rows for no usage are
                        ``unknown_unit``; with ``given_in`` the column is in that unit, and converted
``zero_is_missing``     true: the source writes 0 where it has no reading; such a row is ``missing_value`` (optional)
``estimated_values``    what ``read_kind`` says of an estimated reading (optional)
``month_basis``         calendar: a row is a month; prorated: a row is a bill from ``starts_on`` to ``ends_on``, whose
                        usage is spread over its days when the lake is written (prorate.py; its further options too)
"""

from __future__ import annotations

import re
from typing import Any

import duckdb

from include.extracts import espi, lake_files, partitions, prorate, reading_rows, rows
from include.extracts.kinds import Context, StagedFile
from include.packs.sources import Source
from include.settings import Home

POLICY_TABLES = ("unit_conversions",)
ORDER_BY = "usage_month, utility, meter_key, row_no"

_OPTIONS = {"meter", "customer_no_pattern", "usages", "estimated_values", "zero_is_missing"} | prorate.OPTIONS


def check(source: Source) -> None:
    """Raises SourceError for options that cannot be used."""
    if unknown := set(source.options) - _OPTIONS:
        raise source.error(f"options.{min(unknown)}", f"unknown; known are {', '.join(sorted(_OPTIONS))}")
    meter, usages = source.option("meter"), source.option("usages")
    if not isinstance(meter, list) or not meter or not set(meter) <= set(source.columns):
        raise source.error("options.meter", f"must be a list of fields, not {meter!r}")
    prorate.check(source)
    if source.format == "espi":
        for field, column in source.columns.items():
            if unknown := set(column.headers) - set(espi.FIELDS):
                raise source.error(f"columns.{field}.header", f"{min(unknown)!r} is none of {', '.join(espi.FIELDS)}")
    try:
        re.compile(source.option("customer_no_pattern", ".*"))
    except (re.error, TypeError):
        raise source.error("options.customer_no_pattern", "is no regular expression") from None
    if not isinstance(usages, list) or not usages:
        raise source.error("options.usages", "must be a list")
    for number, usage in enumerate(usages):
        key = f"options.usages[{number}]"
        if not isinstance(usage, dict) or set(usage) - {"where", "given_in"} != {"field", "utility", "unit", "max"}:
            message = f"must have field, utility, unit and max, and may have where and given_in, not {usage!r}"
            raise source.error(key, message)
        if "given_in" in usage and ("unit" in source.columns or not isinstance(usage["given_in"], str)):
            raise source.error(f"{key}.given_in", "must be a unit, and is for extracts without a column unit")
        if usage["field"] not in source.columns:
            raise source.error(f"{key}.field", f"{usage['field']!r} is no field of columns")
        if isinstance(usage["max"], bool) or not isinstance(usage["max"], int) or usage["max"] <= 0:
            raise source.error(f"{key}.max", f"must be a whole number above 0, not {usage['max']!r}")
        where = usage.get("where", {})
        if not isinstance(where, dict) or not set(where) <= set(source.columns) or (not where and "where" in usage):
            raise source.error(f"{key}.where", f"must be fields of columns and what they say, not {where!r}")
    if not isinstance(source.option("zero_is_missing", False), bool):
        raise source.error("options.zero_is_missing", "must be true or false")
    if len({usage["utility"] for usage in usages}) < len(usages):
        raise source.error("options.usages", "a utility may be there once only")


def judge(con: duckdb.DuckDBPyConnection, source: Source, context: Context) -> None:
    """Makes ``good`` (row_no, utility, meter_key, usage_month, usage, tariff, is_estimated): one row per usage.

    Of a prorated source also starts_on and ends_on (exclusive); its usage_month is that of the first day.
    """
    usages, prorated = source.option("usages"), prorate.is_prorated(source)
    # What repeats under this key is a duplicate or in conflict.
    period = "starts_on, ends_on" if prorated else "usage_month"
    key = f"utility, meter_key, {period}"
    days = "starts_on, ends_on, " if prorated else ""
    reading_rows.prepare(con, source)
    pattern = {"pattern": source.option("customer_no_pattern")} if "customer_no_pattern" in source.options else {}
    con.execute(f"create table judged as {reading_rows.judged(source)}", pattern)
    con.execute(
        "create table readings as "
        + " union all ".join(
            f"select row_no, {lake_files.sql_text(usage['utility'])} as utility, meter_key, usage_month, {days}"
            f"usage_{i} as usage, tariff, is_estimated from judged where reason is null and usage_{i} is not null"
            for i, usage in enumerate(usages)
        )
    )
    # Few keys repeat: everything about duplicates works on those alone.
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
    con.execute(
        f"""
        create table firsts as
        select {key}, min(row_no) as first_row_no
        from readings semi join repeated using ({key})
        where row_no not in (select row_no from conflicts)
        group by all
        """
    )
    con.execute(
        f"""
        create table good as
        select readings.*
        from readings left join firsts using ({key})
        where row_no not in (select row_no from conflicts) and row_no = coalesce(first_row_no, row_no)
        """
    )
    if prorated:
        prorate.find_overlaps(con)
        con.execute("delete from good where row_no in (select row_no from lapping)")
    else:
        con.execute("create table lapping (row_no bigint)")
    con.execute(
        """
        create table refused as
        select row_no, reason from judged where reason is not null
        union all select row_no, 'conflicting_duplicate' from conflicts
        union all select row_no, 'overlapping_period' from lapping
        """
    )
    # What is good and brings nothing new, a row without any usage included.
    con.execute(
        """
        create table duplicates as
        select row_no from judged where reason is null
        except select row_no from good
        except select row_no from conflicts
        except select row_no from lapping
        """
    )


def blame(source: Source) -> list[tuple[str, str, str]]:
    """See ``kinds``."""
    fields = {
        "bad_customer_no": source.option("meter"),
        "bad_month": ["usage_month"],
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
    month -> utility -> readings and median usage (text)."""
    by_month: dict[str, dict[str, list]] = {}
    estimated = 0
    for month, utility, readings, middle, guessed in con.execute(
        """
        select strftime(usage_month, '%Y-%m'), utility, count(*), quantile_disc(usage, 0.5)::varchar,
            count(*) filter (where is_estimated)
        from good group by 1, 2 order by 1, 2
        """
    ).fetchall():
        by_month.setdefault(month, {})[utility] = [readings, middle]
        estimated += guessed
    readings = sum(count for utilities in by_month.values() for count, _ in utilities.values())
    return {"months": list(by_month), "readings": readings, "estimated": estimated, "by_month": by_month}


def publish(con: duckdb.DuckDBPyConnection, home: Home, source: Source, staged: list[StagedFile]) -> dict[str, Any]:
    """One partition per month that holds the readings in force."""
    if prorate.is_prorated(source):
        return prorate.publish(con, home, source, staged)
    prorate.forget(home, source)
    partitions.publish(con, home, source, staged)
    return {}
