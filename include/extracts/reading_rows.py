"""Rows of readings: the SQL that types each of them and finds the first reason against it."""

from __future__ import annotations

import duckdb

from include.extracts import lake_files, prorate, read, rows
from include.packs.sources import Source

# The contract's order: of several reasons the first is stored.
_REASONS = (
    "missing_value", "bad_customer_no", "bad_month", "bad_period", "bad_number", "negative_usage", "unknown_unit",
    "usage_out_of_range", "period_reversed", "period_empty", "period_too_long", "incomplete_period",
    "overlapping_period",
)  # fmt: skip
# Fields with few different texts, and how they are read.
_FEW_VALUES = {
    "usage_month": "to_month(text)",
    "starts_on": "{day}(text)",
    "ends_on": "{day}(text)",
    "tariff": "compact(text)",
    "read_kind": "compact(text)",
    "unit": "lower(compact(text))",
}


def prepare(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    """The tables that ``judged`` joins: units and their conversions, and what few different texts mean."""
    _conversions(con, source, source.option("usages"))
    _few_values(con, source)


def _conversions(con: duckdb.DuckDBPyConnection, source: Source, usages: list[dict]) -> None:
    """Table ``units`` (unit, utility, multiply_by, divide_by): the units a usage may come in, folded; both NULL for its
    own unit."""
    con.execute("create table own_units (utility varchar, unit varchar)")
    con.executemany("insert into own_units values (?, ?)", [[usage["utility"], usage["unit"]] for usage in usages])
    con.execute(
        """
        create table units as
        select lower(compact(unit)) as unit, utility, null::decimal(18, 6) as multiply_by,
            null::decimal(18, 6) as divide_by
        from own_units
        union all
        select lower(compact(from_unit)), utility, multiply_by, divide_by
        from policy.unit_conversions join own_units using (utility)
        where program_id = $program_id and to_unit = unit
        """,
        {"program_id": source.program_id},
    )


def _few_values(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Tables ``<field>_values`` (text, value): each different text is read once, not once per row."""
    for field in set(_FEW_VALUES) & set(source.columns):
        value = _FEW_VALUES[field].format(day=rows.day_macro(source))
        con.execute(
            f"create table {field}_values as "
            f"select text, {value} as value from (select distinct {field} as text from raw)"
        )
    if "read_kind" in source.columns:
        estimated = [read.fold_text(str(value)) for value in source.option("estimated_values", [])]
        con.execute(
            "create or replace table read_kind_values as "
            "select text, list_contains($1, value) as value from read_kind_values",
            [estimated],
        )


def judged(source: Source) -> str:
    """The query that types every row of ``raw`` and finds the first reason against it."""
    fields, meter, usages = source.columns, source.option("meter"), source.option("usages")
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
    has_days, prorated = {"starts_on", "ends_on"} <= set(fields), prorate.is_prorated(source)
    first_day = "date_trunc('month', starts_on_values.value)::date"
    ends_on = prorate.end_day(source, "ends_on_values.value")
    typed = [
        "row_no",
        f"{meter_key} as meter_key",
        f"{first_day if prorated else 'usage_month_values.value'} as month",
        *(["starts_on_values.value as starts_on", f"{ends_on} as ends_on"] if prorated else []),
        f"{'tariff_values.value' if 'tariff' in fields else 'null::varchar'} as tariff",
        f"{'coalesce(read_kind_values.value, false)' if 'read_kind' in fields else 'false'} as is_estimated",
        f"{'ends_on_values.value < starts_on_values.value' if has_days else 'false'} as is_reversed",
        f"({' or '.join(required) or 'false'}) as is_missing",
        f"{'raw.coverage' if 'coverage' in fields else 'null::varchar'} as coverage",
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
        if "unit" in fields or "given_in" in usage:
            unit = "unit_values.value"
            if "given_in" in usage:
                unit = f"lower(compact({lake_files.sql_text(usage['given_in'])}))"
            typed += [f"units_{i}.{name} as {name}_{i}" for name in ("multiply_by", "divide_by")]
            typed.append(f"units_{i}.unit is not null as is_known_{i}")
            joins += (
                f" left join units as units_{i} on units_{i}.unit = {unit}"
                f" and units_{i}.utility = {lake_files.sql_text(usage['utility'])}"
            )
            converted = _converted(number, f"multiply_by_{i}", f"divide_by_{i}")
            exact = f"case when divide_by_{i} is null then {exact} else {converted} end"
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
        "bad_month": "false" if prorated else "month is null",
        "bad_period": "starts_on is null or ends_on is null" if prorated else "false",
        **{reason: " or ".join(parts) or "false" for reason, parts in any_of.items()},
        "period_reversed": "is_reversed",
        "period_empty": "ends_on = starts_on" if prorated else "false",
        "period_too_long": f"ends_on - starts_on > {source.option('max_days')}" if prorated else "false",
        "incomplete_period": "coverage = 'partial'",
        "overlapping_period": "coverage = 'overlap'",
    }
    whens = " ".join(f"when {conditions[reason]} then '{reason}'" for reason in _REASONS)
    kept = ", ".join(f"usage_{i}" for i in range(len(usages)))
    return f"""
        with typed as (select {", ".join(typed)} from raw{joins}),
             valued as (select *, {", ".join(values)} from typed)
        select row_no, meter_key, month as usage_month, {"starts_on, ends_on, " if prorated else ""}tariff,
            is_estimated, {kept}, case {whens} end as reason
        from valued
    """


def _where(usage: dict) -> str:
    """SQL on ``raw``: the row is one that ``usage`` is taken from."""
    wanted = {field: lake_files.sql_text(str(text)) for field, text in usage["where"].items()}
    return " and ".join(f"compact(raw.{field}) = compact({text})" for field, text in wanted.items())


def _converted(number: str, multiply_by: str, divide_by: str) -> str:
    """``number`` (text, not negative) times and by a DECIMAL(18,6), exactly, half-up to 3 decimals; NULL from 10^12 on.

    In whole numbers, since DuckDB divides decimals as DOUBLE. Decimals after the tenth are not looked at: of a number
    that is only divided they cannot change the result.
    """
    ten_decimals = rf"regexp_replace({number}, '([.][0-9]{{10}})[0-9]+', '\1')"
    scaled = f"(try_cast({ten_decimals} as decimal(22, 10)) * 10000000000)::hugeint"
    factor, divisor = (f"({value} * 1000000)::hugeint" for value in (multiply_by, divide_by))
    thousandths = f"({scaled} * {factor} * 2 + {divisor} * 10000000) // ({divisor} * 20000000)"
    # try: a product that no integer holds is NULL as well
    return f"try_cast(try({thousandths}) as decimal(18, 0)) * 0.001::decimal(4, 3)"
