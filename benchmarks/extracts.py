"""A nation's extracts as its providers would send them: the formats and encodings that the pack's sources declare.

About one row in a hundred is one that is refused. ``write_register`` and ``write_month`` fill an inbox.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from xml.sax.saxutils import escape

import duckdb

from benchmarks.nation import Nation, month_name
from tanso.packs.sources import Source
from tanso.settings import Home

WORKBOOK_ROWS = 1_000_000
# Kinds of refused rows, out of a thousand rows each; the first that applies.
_DEFECT = """
    case when h % 1000 < 4 then null when h % 1000 < 7 then '-' || {usage} when h % 1000 < 10 then {usage} || '?'
    else {usage} end
"""


def write_register(con: duckdb.DuckDBPyConnection, home: Home, nation: Nation, declared: list[Source]) -> None:
    """The register's snapshot of the last month; ``con`` has the tables of ``nation.settle``."""
    [source] = [source for source in declared if source.kind == "participants"]
    labels = source.options
    types = {made["type"]: label for label, made in labels["participant_types"].items()}
    incentives = {made: label for label, made in labels["incentive_types"].items()}
    methods = {made: label for label, made in labels["payment_methods"].items()}
    yes = next(label for label, made in labels["yes_no"].items() if made)
    fields = {
        "participant_id": "participant_id",
        "name": _name("name"),
        "login_id": "'user' || lpad(i::varchar, 9, '0')",
        "participant_type": _choice("participant_type", types),
        "region_code": "region_code",
        "postal_code": "lpad((i % 100000)::varchar, 5, '0')",
        "address": "'Street ' || i",
        "address_detail": "'No ' || i % 100",
        "complex_code": "if(is_flat or participant_class = 'complex', complex_code, null)",
        "dong": "if(is_flat, dong, null)",
        "ho": "if(is_flat, ho, null)",
        "households": "if(participant_class = 'complex', '600', null)",
        "joined_on": "joined_on::varchar",
        "withdrawn_on": "withdrawn_on::varchar",
        "moved_in_on": "moved_in_on::varchar",
        "area_m2": "(40 + draw(i, 'area') % 100)::varchar",
        "required_consent": f"'{yes}'",
        "optional_consent": f"'{yes}'",
        "incentive_type": _choice("incentive_type", incentives),
        "bank_code": "if(incentive_type = 'cash', '004', null)",
        "account_no": "if(incentive_type = 'cash', '110-' || lpad(i::varchar, 9, '0'), null)",
        "account_holder": f"if(incentive_type = 'cash', {_name('name')}, null)",
        "card_no": "if(incentive_type = 'green_card', '9410' || lpad(i::varchar, 12, '0'), null)",
    }
    uses = []
    for utility in labels["metered_utilities"]:
        its = f"filter (where utility = '{utility}')"
        uses += [f"max(provider) {its} as {utility}_provider", f"max(meter_key) {its} as {utility}_meter"]
        fields[f"{utility}_provider"] = f"{utility}_provider"
        fields[f"{utility}_method"] = (
            f"case when {utility}_provider is null then '{methods['none']}' "
            f"when is_flat then '{methods['aggregated']}' else '{methods['individual']}' end"
        )
        fields[f"{utility}_customer_no"] = f"if(is_flat, null, {utility}_meter)"
    known = {field: fields[field] for field in source.columns if field in fields}
    query = (
        f"select {_listed(known)} from member join (select i, {', '.join(uses)} from meter group by i) using (i) "
        "order by participant_id"
    )
    name = source.pattern.replace("[0-9]" * 8, f"{month_name(nation.last_no).replace('-', '')}28")
    _write_csv(con, source, list(known), query, home.inbox / source.source_id / name)


def write_month(
    con: duckdb.DuckDBPyConnection, home: Home, nation: Nation, source: Source, month_no: int
) -> list[Path]:
    """One month's extract of a source of readings: a CSV file, or as many workbooks as it takes."""
    month, saves = month_name(month_no).replace("-", ""), month_no >= nation.saves_from_no
    con.execute(
        f"""
        create or replace temp table bill as
        select
            meter.*,
            hash(meter_no, {month_no}) as h,
            reading(h, level, habit, step, season(utility, {month_no % 12 + 1}), {saves}) as milli,
            if(milli % 1000 = 0, (milli // 1000)::varchar, (milli * 0.001::decimal(4, 3))::varchar) as usage
        from meter
        where source_id = ? and milli is not null
        """,
        [source.source_id],
    )
    usages = source.options["usages"]
    estimated = next(iter(source.options.get("estimated_values", ())), "")
    single = len(source.options["meter"]) == 1
    first = f"date '{month_name(month_no)}-01'"
    fields = {
        "usage_month": f"'{month}'",
        "starts_on": f"{first}::varchar",
        "ends_on": f"last_day({first})::varchar",
        "read_kind": f"if(h // 65536 % 33 = 0, '{estimated}', '')",
        "tariff": "'house' || tariff_draw % 3",
        "unit": f"'{usages[0]['unit']}'",
    }
    if single:
        fields |= {source.options["meter"][0]: "meter_key", usages[0]["field"]: _DEFECT.format(usage="usage")}
        query = "from bill order by meter_no"
    else:
        for field, column in zip(source.options["meter"], ("complex_code", "dong", "ho"), strict=True):
            fields[field] = f"any_value({column})"
        for usage in usages:
            value = f"any_value({_DEFECT.format(usage='usage')}) filter (where utility = '{usage['utility']}')"
            fields[usage["field"]] = value
        query = "from bill group by meter_key order by meter_key"
    known = {field: sql for field, sql in fields.items() if field in source.columns}
    query = f"select {_listed(known)} {query}"
    folder, name = home.inbox / source.source_id, source.pattern.replace("*", month)
    if source.format == "csv":
        return [_write_csv(con, source, list(known), query, folder / name)]
    return _write_workbooks(con, source, list(known), query, folder / name)


def _name(what: str) -> str:
    return "||".join(f"chr((44032 + draw(i, '{what} {n}') % 2000)::integer)" for n in range(3))


def _choice(column: str, labels: dict[str, str]) -> str:
    return f"case {column} " + " ".join(f"when '{code}' then '{label}'" for code, label in labels.items()) + " end"


def _listed(fields: dict[str, str]) -> str:
    return ", ".join(f"({sql})::varchar as {field}" for field, sql in fields.items())


def _headers(source: Source, fields: list[str]) -> list[str]:
    return [source.columns[field].headers[0] for field in fields]


def _write_csv(con: duckdb.DuckDBPyConnection, source: Source, fields: list[str], query: str, path: Path) -> Path:
    """In the source's encoding; DuckDB writes UTF-8 only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = path.with_suffix(".utf8")
    con.execute(f"copy ({query}) to '{plain}' (format csv, header false)")
    with (
        plain.open(encoding="utf-8", newline="") as rows,
        path.open("w", encoding=source.encoding, newline="", errors="replace") as file,
    ):
        file.write(",".join(_headers(source, fields)) + "\n")
        while chunk := rows.read(1 << 20):
            file.write(chunk)
    plain.unlink()
    return path


_PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Target="xl/workbook.xml" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Target="worksheets/sheet1.xml" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"/></Relationships>',
}


def _write_workbooks(
    con: duckdb.DuckDBPyConnection, source: Source, fields: list[str], query: str, path: Path
) -> list[Path]:
    """Cells as texts in the sheet; a library would take minutes for a million rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    result = con.execute(query)
    written = []
    while rows := result.fetchmany(WORKBOOK_ROWS):
        part = path.with_stem(f"{path.stem}_{len(written) + 1}") if written else path
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
            for name, content in _PARTS.items():
                book.writestr(name, content)
            with book.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
                for chunk in _sheet(_headers(source, fields), rows):
                    sheet.write(chunk.encode())
        written.append(part)
    return written


def _sheet(headers: list[str], rows: list[tuple]) -> Iterator[str]:
    yield '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    letters = [chr(ord("A") + column) for column in range(len(headers))]
    for number, row in enumerate(chain([headers], rows), 1):
        cells = "".join(
            f'<c r="{letter}{number}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
            for letter, value in zip(letters, row, strict=True)
            if value is not None
        )
        yield f'<row r="{number}">{cells}</row>'
    yield "</sheetData></worksheet>"
