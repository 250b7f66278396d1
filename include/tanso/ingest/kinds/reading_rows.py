"""Rows of readings: the SQL that types each of them and finds the first reason against it."""

from __future__ import annotations

from functools import partial
from typing import Any

import duckdb

from tanso import sql
from tanso.ingest.formats.unseen import fold_text
from tanso.ingest.kinds import prorate, rows
from tanso.ingest.kinds.reading_cells import Cells
from tanso.ingest.model import Context
from tanso.packs.sources import Source

# The contract's order: of several reasons the first is stored.
_REASONS = (
    "missing_value", "bad_customer_no", "bad_month", "bad_period", "bad_number", "negative_usage", "unknown_unit",
    "usage_out_of_range", "period_reversed", "period_empty", "period_too_long", "incomplete_period",
    "overlapping_period", "bad_value",
)  # fmt: skip


def _conversions(con: duckdb.DuckDBPyConnection, source: Source, usages: list[dict[str, Any]]) -> None:
    """Table ``units`` (unit, utility, multiply_by, divide_by): the units a usage may come in, folded; both NULL for its
    own unit.

    Reads ``policy.unit_conversions``.
    Makes ``own_units``, ``units``.
    """
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


def make(con: duckdb.DuckDBPyConnection, source: Source, context: Context) -> None:
    """Table ``judged``: every row of ``raw`` typed, with the first reason against it.

    row_no, meter_key, usage_month, tariff, is_estimated, per usage ``usage_<i>``, reason; of a prorated source also
    starts_on and ends_on.
    Reads ``raw``.
    Makes ``judged``; where units may differ, ``own_units`` and ``units`` too.
    """
    fields, meter, usages = source.columns, source.option("meter"), source.option("usages")
    if any(_has_units(source, usage) for usage in usages):
        _conversions(con, source, usages)
    cells = Cells(con, source, context.received)
    required = [cells(field, "{} is null".format) for field, column in fields.items() if column.not_null]
    if source.option("zero_is_missing", False):
        required += [cells(usage["field"], "not regexp_matches(to_number({}), '[1-9]')".format) for usage in usages]
    if len(meter) == 1:
        meter_key, bad_number = cells.meter_no(meter[0], source.options.get("customer_no_pattern"))
    else:
        meter_key = f"concat_ws(chr(31), {', '.join(cells(field, '{}'.format) for field in meter)})"
        bad_number = " or ".join(cells(field, "coalesce(is_lost({}), false)".format) for field in meter)
    prorated = prorate.is_prorated(source)
    days = {
        field: cells(field, f"{rows.day_macro(source)}({{}})".format)
        for field in ("starts_on", "ends_on")
        if field in fields
    }
    if prorated:
        starts_on, ends_on = days["starts_on"], prorate.end_day(source, days["ends_on"])
        month, periods = f"date_trunc('month', {starts_on})::date", f"{starts_on} as starts_on, {ends_on} as ends_on,"
        bad_month = f"date_trunc('month', {ends_on} - 1) > {context.newest_month}"
    else:
        month, periods = cells("usage_month", "to_month({})".format), ""
        bad_month = cells("usage_month", f"coalesce(to_month({{}}) > {context.newest_month}, true)".format)
    values, reasons = _usages(source, cells)
    conditions = {
        "missing_value": " or ".join(required),
        "bad_customer_no": bad_number,
        "bad_month": bad_month,
        "bad_period": f"{starts_on} is null or {ends_on} is null" if prorated else "",
        **reasons,
        "period_reversed": f"{days['ends_on']} < {days['starts_on']}" if len(days) == 2 else "",
        "period_empty": f"{ends_on} = {starts_on}" if prorated else "",
        "period_too_long": f"{ends_on} - {starts_on} > {source.option('max_days')}" if prorated else "",
    }
    if "coverage" in fields:
        conditions["incomplete_period"] = cells("coverage", "{} = 'partial'".format)
        conditions["overlapping_period"] = cells("coverage", "{} = 'overlap'".format)
    conditions["bad_value"] = " or ".join(
        cells(field, "coalesce(is_lost({}), false)".format) for field in _texts(source)
    )
    whens = " ".join(f"when {conditions[reason]} then '{reason}'" for reason in _REASONS if conditions.get(reason))
    tariff = cells.name("tariff", "compact({})".format) if "tariff" in fields else "null::varchar"
    listed = ", ".join(f"{value} as usage_{i}" for i, value in enumerate(values))
    is_estimated, unit_joins = _is_estimated(source, cells), _unit_joins(source, cells)
    con.execute(  # the cells' tables are made last, when all that is asked of them is known
        f"""
        create table judged as
        select row_no, {meter_key} as meter_key, {month} as usage_month, {periods} {tariff} as tariff,
            {is_estimated} as is_estimated, {listed}, case {whens} end as reason
        from {cells.make()}{unit_joins}
        """
    )
    cells.forget()


def _texts(source: Source) -> list[str]:
    """The fields that may say anything (tariff, kind of reading); dates of reading may be unreadable."""
    usages = source.option("usages")
    typed = {"usage_month", "unit", "starts_on", "ends_on", *source.option("meter")}
    typed |= {field for usage in usages for field in (usage["field"], *usage.get("where", {}))}
    return [field for field in source.columns if field not in typed]


def _is_estimated(source: Source, cells: Cells) -> str:
    if "read_kind" not in source.columns:
        return "false"
    listed = sql.texts(fold_text(str(value)) for value in source.option("estimated_values", []))
    return cells("read_kind", lambda text: f"coalesce(list_contains({listed}, compact({text})), false)")


def _usages(source: Source, cells: Cells) -> tuple[list[str], dict[str, str]]:
    """SQL for each usage in its own unit, and what may be wrong with any of them: reason -> SQL."""
    values, usages = [], source.option("usages")
    any_of: dict[str, list[str]] = {
        "bad_number": [],
        "negative_usage": [],
        "unknown_unit": [],
        "usage_out_of_range": [],
    }
    for i, usage in enumerate(usages):
        where = _where(usage, cells)

        def of(meaning: str, field: str = usage["field"], where: str = where) -> str:
            """What the cell's text means, if the row is one that the usage is taken from."""
            value = cells(field, meaning.format)
            return f"case when {where} then {value} end" if where else value

        exact = "try_cast(to_number({0}) as decimal(18, 3))"
        # A number that the type cannot hold is out of range as well.
        beyond = f"to_number({{0}}) is not null and coalesce({exact} > {usage['max']}, true)"
        any_of["bad_number"].append(of("{0} is not null and to_number({0}) is null"))
        any_of["negative_usage"].append(
            of("starts_with(to_number({0}), '-') and regexp_matches(to_number({0}), '[1-9]')")
        )
        if _has_units(source, usage):
            number, is_there = of("to_number({0})"), of("{0} is not null")
            factors = f"units_{i}.multiply_by", f"units_{i}.divide_by"
            value = f"case when units_{i}.divide_by is null then {of(exact)} else {_converted(number, *factors)} end"
            any_of["unknown_unit"].append(f"{is_there} and units_{i}.unit is null")
            any_of["usage_out_of_range"].append(f"{number} is not null and coalesce({value} > {usage['max']}, true)")
        else:
            value = of(exact)
            any_of["usage_out_of_range"].append(of(beyond))
        values.append(value)
    if all("where" in usage for usage in usages):
        of_a_utility = " or ".join(f"({_where(usage, cells)})" for usage in usages)
        any_of["unknown_unit"].append(f"not coalesce({of_a_utility}, false)")
    return values, {reason: " or ".join(f"({part})" for part in parts) for reason, parts in any_of.items()}


def _has_units(source: Source, usage: dict[str, Any]) -> bool:
    return "unit" in source.columns or "given_in" in usage


def _unit_joins(source: Source, cells: Cells) -> str:
    """Reads ``units``."""
    joins = ""
    for i, usage in enumerate(source.option("usages")):
        if _has_units(source, usage):
            unit = _unit(usage, cells)
            joins += (
                f" left join units as units_{i} on units_{i}.unit = {unit}"
                f" and units_{i}.utility = {sql.text(usage['utility'])}"
            )
    return joins


def _unit(usage: dict[str, Any], cells: Cells) -> str:
    if "given_in" in usage:
        return f"lower(compact({sql.text(usage['given_in'])}))"
    return cells("unit", "lower(compact({}))".format)


def _where(usage: dict[str, Any], cells: Cells) -> str:
    """SQL: the row is one that ``usage`` is taken from; empty if it is from all."""
    return " and ".join(
        cells(field, partial("compact({1}) = compact({0})".format, sql.text(text)))
        for field, text in usage.get("where", {}).items()
    )


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
