"""Applications: one row per application form. Of the same application in several files the last one counts."""

from __future__ import annotations

from typing import Any

import duckdb

from tanso import sql
from tanso.ingest.kinds import rows
from tanso.ingest.model import Context, Kind, StagedFile
from tanso.packs.sources import Source
from tanso.settings import Home

# 2018, 2018年度, 平成30年度, H30, 令和元年度, R1
_PLAIN_YEAR = "([12][0-9]{3})(年度?)?"
_ERA_YEAR = "(?i)([SHR]|昭和|平成|令和)[.]?(元|[0-9]{1,2})(年度?)?"


def judge(con: duckdb.DuckDBPyConnection, source: Source, context: Context) -> None:
    """Fields: application_id, participant_id, fiscal_year, received_on, prize_code, eco_marks (blank = 0), and those of
    the options: a sheet (blank = no), a report (blank = no).

    Reads ``raw``.
    Makes ``parsed``, ``refused``, ``duplicates``, ``passed``, ``good``.
    """
    sheets = dict(sorted(source.option("sheets").items()))
    reports = source.option("reports")
    yes_no = source.option("yes_no")
    marks = dict.fromkeys(source.option("report_marks"), True)
    con.execute(
        f"""
        create macro to_fiscal_year(t) as case
            when regexp_full_match(compact(t), '{_PLAIN_YEAR}') then try_cast(left(t, 4) as integer)
            when regexp_full_match(compact(t), '{_ERA_YEAR}') then _era_year(
                regexp_extract(compact(t), '{_ERA_YEAR}', 1), regexp_extract(compact(t), '{_ERA_YEAR}', 2)) end
        """
    )
    named = {field: sql.name(field) for field in (*sheets.values(), *reports.values())}
    sheet_flags = ", ".join(
        f"{rows.value_of(f'raw.{named[field]}', yes_no)} as {named[field]}" for field in sheets.values()
    )
    report_flags = ", ".join(
        f"coalesce({rows.value_of(f'raw.{named[field]}', marks)}, false) as {named[field]}"
        for field in reports.values()
    )
    con.execute(
        f"""
        create table parsed as
        select row_no, application_id, participant_id, to_fiscal_year(fiscal_year) as fiscal_year,
            {rows.day_macro(source)}(received_on) as received_on, prize_code,
            case when eco_marks is null then 0 else try_cast(to_integer(eco_marks) as integer) end as eco_marks,
            {sheet_flags}, {report_flags}
        from raw
        """
    )
    rows.refuse_values(con, source, _bad_values(source))
    rows.refuse_repeated(con, "application_id", "duplicate_application_no")
    con.execute(
        f"""
        create table good as
        select row_no, application_id, participant_id, fiscal_year, received_on,
            {_words(sheets)} as sheets, prize_code, eco_marks, {_words(reports)} as reported_months,
            $sha256 as source_file_id
        from passed
        """,
        {"sha256": context.sha256},
    )


def _bad_values(source: Source) -> list[tuple[str, str]]:
    bad = [
        ("fiscal_year", "parsed.fiscal_year is null"),
        ("received_on", "parsed.received_on is null"),
        ("eco_marks", "parsed.eco_marks is null or parsed.eco_marks < 0"),
    ]
    sheets, reports = source.option("sheets").values(), source.option("reports").values()
    for field in sheets:
        bad.append((field, f"raw.{sql.name(field)} is not null and parsed.{sql.name(field)} is null"))
    for field in reports:
        bad.append((field, f"raw.{sql.name(field)} is not null and not parsed.{sql.name(field)}"))
    return bad


def blame(source: Source) -> list[tuple[str, str, str]]:
    """See ``kinds``."""
    causes = [("bad_value", field, wrong) for field, wrong in _bad_values(source)]
    return [*causes, ("duplicate_application_no", "application_id", "true")]


def publish(con: duckdb.DuckDBPyConnection, home: Home, source: Source, staged: list[StagedFile]) -> dict[str, Any]:
    """One row per application_id: of the last file that has it.

    Makes ``files``, ``accepted``.
    """
    rows.accepted(con, source, staged)
    query = "select * from accepted qualify row_number() over (partition by application_id order by seq desc) = 1"
    rows.replace_table(con, home, source, "applications", query if staged else None, "application_id")
    return {}


def _words(fields: dict[Any, str]) -> str:
    """SQL: the keys whose field is true, space-separated; '' if none."""
    words = (f"case when {sql.name(field)} then {sql.text(key)} end" for key, field in fields.items())
    return f"concat_ws(' ', {', '.join(words)})"


KIND = Kind(
    "applications",
    judge,
    publish,
    blame=blame,
)
