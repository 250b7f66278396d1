"""Readings: billed usage per meter and month.

Fields: usage_month; those of the meter's number; one per usage; optionally unit, tariff, read_kind, starts_on, ends_on.
Options:

``meter``               list of fields; one: a customer number, hyphens and spaces go; several: a tuple of texts, joined
                        by U+001F
``customer_no_pattern`` what a customer number looks like (optional)
``usages``              list of {field, utility, unit, max}: ``max`` is the largest plausible usage in ``unit``; with
                        ``where`` ({field: text}) only of rows whose field says so; rows for no usage are
                        ``unknown_unit``
``zero_is_missing``     true: the source writes 0 where it has no reading; such a row is ``missing_value`` (optional)
``estimated_values``    what ``read_kind`` says of an estimated reading (optional)
"""

from __future__ import annotations

import re
from typing import Any

import duckdb

from include.extracts import lake_files, partitions, read
from include.extracts.kinds import Context, StagedFile
from include.packs.sources import Source
from include.settings import Home

POLICY_TABLES = ("unit_conversions",)
ORDER_BY = "usage_month, utility, meter_key"  # a key: what repeats is a duplicate or in conflict

# The contract's order: of several reasons the first is stored.
_REASONS = (
    "missing_value", "bad_customer_no", "bad_month", "bad_number", "negative_usage", "unknown_unit",
    "usage_out_of_range", "period_reversed",
)  # fmt: skip
# Fields with few different texts, and how they are read.
_FEW_VALUES = {
    "usage_month": "to_month(text)",
    "starts_on": "to_day(text)",
    "ends_on": "to_day(text)",
    "tariff": "compact(text)",
    "read_kind": "compact(text)",
    "unit": "lower(compact(text))",
}
_OPTIONS = {"meter", "customer_no_pattern", "usages", "estimated_values", "zero_is_missing"}


def check(source: Source) -> None:
    """Raises SourceError for options that cannot be used."""
    if unknown := set(source.options) - _OPTIONS:
        raise source.error(f"options.{min(unknown)}", f"unknown; known are {', '.join(sorted(_OPTIONS))}")
    meter, usages = source.option("meter"), source.option("usages")
    if not isinstance(meter, list) or not meter or not set(meter) <= set(source.columns):
        raise source.error("options.meter", f"must be a list of fields, not {meter!r}")
    if "usage_month" not in source.columns:
        raise source.error("columns.usage_month", "is missing")
    try:
        re.compile(source.option("customer_no_pattern", ".*"))
    except (re.error, TypeError):
        raise source.error("options.customer_no_pattern", "is no regular expression") from None
    if not isinstance(usages, list) or not usages:
        raise source.error("options.usages", "must be a list")
    for number, usage in enumerate(usages):
        key = f"options.usages[{number}]"
        if not isinstance(usage, dict) or set(usage) - {"where"} != {"field", "utility", "unit", "max"}:
            raise source.error(key, f"must have field, utility, unit and max, and may have where, not {usage!r}")
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
    """Makes ``good`` (row_no, utility, meter_key, usage_month, usage, tariff, is_estimated): one row per usage."""
    usages = source.option("usages")
    _conversions(con, source, usages)
    _few_values(con, source)
    pattern = {"pattern": source.option("customer_no_pattern")} if "customer_no_pattern" in source.options else {}
    con.execute(f"create table judged as {_judged(source, usages)}", pattern)
    con.execute(
        "create table readings as "
        + " union all ".join(
            f"select row_no, {lake_files.sql_text(usage['utility'])} as utility, meter_key, usage_month, "
            f"usage_{i} as usage, tariff, is_estimated from judged where reason is null and usage_{i} is not null"
            for i, usage in enumerate(usages)
        )
    )
    # Few keys repeat: everything about duplicates works on those alone.
    con.execute(
        """
        create table repeated as
        select utility, meter_key, usage_month, min(usage) <> max(usage) as is_conflict
        from readings group by all having count(*) > 1
        """
    )
    con.execute(
        """
        create table conflicts as
        select distinct row_no
        from readings semi join (from repeated where is_conflict) using (utility, meter_key, usage_month)
        """
    )
    con.execute(
        """
        create table firsts as
        select utility, meter_key, usage_month, min(row_no) as first_row_no
        from readings semi join repeated using (utility, meter_key, usage_month)
        where row_no not in (select row_no from conflicts)
        group by all
        """
    )
    con.execute(
        """
        create table good as
        select readings.*
        from readings left join firsts using (utility, meter_key, usage_month)
        where row_no not in (select row_no from conflicts) and row_no = coalesce(first_row_no, row_no)
        """
    )
    con.execute(
        """
        create table refused as
        select row_no, reason from judged where reason is not null
        union all select row_no, 'conflicting_duplicate' from conflicts
        """
    )
    # What is good and brings nothing new, a row without any usage included.
    con.execute(
        """
        create table duplicates as
        select row_no from judged where reason is null
        except select row_no from good
        except select row_no from conflicts
        """
    )


def _conversions(con: duckdb.DuckDBPyConnection, source: Source, usages: list[dict]) -> None:
    """Table ``units`` (unit, utility, divide_by): the units a usage may come in, folded; NULL for its own unit."""
    con.execute("create table own_units (utility varchar, unit varchar)")
    con.executemany("insert into own_units values (?, ?)", [[usage["utility"], usage["unit"]] for usage in usages])
    con.execute(
        """
        create table units as
        select lower(compact(unit)) as unit, utility, null::decimal(18, 6) as divide_by from own_units
        union all
        select lower(compact(from_unit)), utility, divide_by
        from policy.unit_conversions join own_units using (utility)
        where program_id = $program_id and to_unit = unit
        """,
        {"program_id": source.program_id},
    )


def _few_values(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Tables ``<field>_values`` (text, value): each different text is read once, not once per row."""
    for field in set(_FEW_VALUES) & set(source.columns):
        con.execute(
            f"create table {field}_values as "
            f"select text, {_FEW_VALUES[field]} as value from (select distinct {field} as text from raw)"
        )
    if "read_kind" in source.columns:
        estimated = [read.fold_text(str(value)) for value in source.option("estimated_values", [])]
        con.execute(
            "create or replace table read_kind_values as "
            "select text, list_contains($1, value) as value from read_kind_values",
            [estimated],
        )


def _judged(source: Source, usages: list[dict]) -> str:
    """The query that types every row of ``raw`` and finds the first reason against it."""
    fields, meter = source.columns, source.option("meter")
    required = [f"raw.{field} is null" for field, column in fields.items() if column.not_null]
    if source.option("zero_is_missing", False):
        required += [f"not regexp_matches(to_number(raw.{usage['field']}), '[1-9]')" for usage in usages]
    if len(meter) == 1:
        meter_key = f"to_meter_no(raw.{meter[0]})"
        bad_number = "meter_key is null"
        if "customer_no_pattern" in source.options:
            bad_number += " or not regexp_full_match(meter_key, $pattern)"
    else:
        meter_key, bad_number = f"concat_ws(chr(31), {', '.join(f'raw.{field}' for field in meter)})", "false"
    has_unit = "unit" in fields
    has_days = {"starts_on", "ends_on"} <= set(fields)
    typed = [
        "row_no",
        f"{meter_key} as meter_key",
        "usage_month_values.value as month",
        f"{'tariff_values.value' if 'tariff' in fields else 'null::varchar'} as tariff",
        f"{'coalesce(read_kind_values.value, false)' if 'read_kind' in fields else 'false'} as is_estimated",
        f"{'ends_on_values.value < starts_on_values.value' if has_days else 'false'} as is_reversed",
        f"({' or '.join(required) or 'false'}) as is_missing",
    ]
    any_of: dict[str, list[str]] = {
        "bad_number": [],
        "negative_usage": [],
        "unknown_unit": [],
        "usage_out_of_range": [],
    }
    values = []
    joins = "".join(
        f" left join {field}_values on {field}_values.text = raw.{field}" for field in _FEW_VALUES if field in fields
    )
    for i, usage in enumerate(usages):
        text, number, value = f"raw.{usage['field']}", f"number_{i}", f"usage_{i}"
        if "where" in usage:
            text = f"case when {_where(usage)} then {text} end"
        typed += [f"{text} as text_{i}", f"to_number({text}) as {number}"]
        exact = f"try_cast({number} as decimal(18, 3))"
        if has_unit:
            typed += [f"units_{i}.divide_by as divide_by_{i}", f"units_{i}.unit is not null as is_known_{i}"]
            joins += (
                f" left join units as units_{i} on units_{i}.unit = unit_values.value"
                f" and units_{i}.utility = {lake_files.sql_text(usage['utility'])}"
            )
            exact = f"case when divide_by_{i} is null then {exact} else {_divided(number, f'divide_by_{i}')} end"
            any_of["unknown_unit"].append(f"text_{i} is not null and not is_known_{i}")
        values.append(f"{exact} as {value}")
        any_of["bad_number"].append(f"text_{i} is not null and {number} is null")
        any_of["negative_usage"].append(f"starts_with({number}, '-') and regexp_matches({number}, '[1-9]')")
        # A number that the type cannot hold is out of range as well.
        any_of["usage_out_of_range"].append(f"{number} is not null and coalesce({value} > {usage['max']}, true)")
    if all("where" in usage for usage in usages):
        typed.append(f"coalesce({' or '.join(f'({_where(usage)})' for usage in usages)}, false) as is_of_a_utility")
        any_of["unknown_unit"].append("not is_of_a_utility")
    conditions = {
        "missing_value": "is_missing",
        "bad_customer_no": bad_number,
        "bad_month": "month is null",
        **{reason: " or ".join(parts) or "false" for reason, parts in any_of.items()},
        "period_reversed": "is_reversed",
    }
    whens = " ".join(f"when {conditions[reason]} then '{reason}'" for reason in _REASONS)
    kept = ", ".join(f"usage_{i}" for i in range(len(usages)))
    return f"""
        with typed as (select {", ".join(typed)} from raw{joins}),
             valued as (select *, {", ".join(values)} from typed)
        select row_no, meter_key, month as usage_month, tariff, is_estimated, {kept}, case {whens} end as reason
        from valued
    """


def _where(usage: dict) -> str:
    """SQL on ``raw``: the row is one that ``usage`` is taken from."""
    wanted = {field: lake_files.sql_text(str(text)) for field, text in usage["where"].items()}
    return " and ".join(f"compact(raw.{field}) = compact({text})" for field, text in wanted.items())


def _divided(number: str, divide_by: str) -> str:
    """``number`` (text, not negative) divided by a DECIMAL(18,6), exactly, half-up to 3 decimals; NULL from 10^12 on.

    In whole numbers, since DuckDB divides decimals as DOUBLE. Decimals after the tenth cannot change the result.
    """
    ten_decimals = rf"regexp_replace({number}, '([.][0-9]{{10}})[0-9]+', '\1')"
    scaled = f"(try_cast({ten_decimals} as decimal(22, 10)) * 10000000000)::hugeint"
    divisor = f"({divide_by} * 1000000)::hugeint"
    thousandths = f"({scaled} * 2000 + {divisor} * 10000) // ({divisor} * 20000)"
    return f"try_cast({thousandths} as decimal(18, 0)) * 0.001::decimal(4, 3)"


def figures(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """``months`` (YYYY-MM) that have readings, number of ``readings``, and how many are ``estimated``."""
    months = con.execute("select distinct strftime(usage_month, '%Y-%m') from good order by 1").fetchall()
    readings, estimated = con.execute("select count(*), count(*) filter (where is_estimated) from good").fetchone()
    return {"months": [month for (month,) in months], "readings": readings, "estimated": estimated}


def publish(con: duckdb.DuckDBPyConnection, home: Home, source: Source, staged: list[StagedFile]) -> dict[str, Any]:
    """One partition per month that holds the readings in force."""
    partitions.publish(con, home, source, staged)
    return {}
