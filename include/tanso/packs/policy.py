"""Policy: what a municipality or ministry decides, as rows in the packs' ``policy/*.csv``; loaded, typed and checked.

A pack is a folder with ``policy/`` or ``sources/`` in it; its name is the programme's id.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from tanso import settings
from tanso.packs import checks, names
from tanso.packs.rows import Problems, Row
from tanso.packs.tables import DEFAULTS, TABLES, Table
from tanso.packs.values import Context, PeriodKind, parse


class PolicyError(ValueError):
    """Policy that cannot hold. ``problems``: per defect, ``file:row column value: what is wrong; what is allowed``."""

    def __init__(self, problems: list[str]):
        self.problems = problems
        super().__init__(f"policy has {len(problems)} problem(s):\n" + "\n".join(f"  {line}" for line in problems))


@dataclass(frozen=True)
class Policy:
    """The policy of all packs.

    ``tables`` has every table of ``tables.TABLES`` (empty where no pack has it) as a list of rows in a total order,
    each a dict of column to typed value (int, Decimal, date, bool, str or None), derived columns included.
    """

    tables: dict[str, list[dict[str, Any]]]
    fingerprint: str

    @property
    def programs(self) -> list[str]:
        return sorted({row["program_id"] for rows in self.tables.values() for row in rows})

    def rows(self, table: str, program_id: str | None = None) -> list[dict[str, Any]]:
        """The rows of a table, of one programme if given."""
        return [row for row in self.tables[table] if program_id in (None, row["program_id"])]

    def write(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make schema ``policy`` with every policy table, typed as docs/reference/policy.md says."""
        connection.execute("create schema if not exists policy")
        for name, rows in self.tables.items():
            types = TABLES[name].types
            columns = ", ".join(f'"{column}" {kind}' for column, kind in types.items())
            connection.execute(f"create or replace table policy.{name} ({columns})")
            if rows:
                marks = ", ".join("?" for _ in types)
                values = [[row[column] for column in types] for row in rows]
                connection.executemany(f"insert into policy.{name} values ({marks})", values)


def load_policy(roots: list[Path] | None = None) -> Policy:
    """Policy of all packs under ``roots`` (by default ``settings.program_roots()``).

    Raises PolicyError with every problem found.
    """
    problems = Problems()
    tables: dict[str, list[Row]] = {name: [] for name in TABLES}
    for pack in find_packs(settings.program_roots() if roots is None else roots, problems):
        for name, rows in _read_pack(pack, problems).items():
            tables[name].extend(rows)
    for name, rows in tables.items():
        checks.check_table(TABLES[name], rows, tables, problems)
    if problems.lines:
        raise PolicyError(problems.in_order())
    plain = {name: sorted((row.values for row in rows), key=_order) for name, rows in tables.items()}
    return Policy(plain, _fingerprint(plain))


def find_packs(roots: list[Path], problems: Problems) -> list[Path]:
    """The pack folders under the roots, by programme id; a missing root or a programme in two folders is a problem."""
    packs: dict[str, Path] = {}
    for root in dict.fromkeys(Path(root).resolve() for root in roots):
        if not root.is_dir():
            problems.add(str(root), "", "", "is no folder; allowed: a folder that holds packs (see TANSO_PROGRAMS)")
            continue
        for folder in sorted(root.iterdir()):
            if not ((folder / "policy").is_dir() or (folder / "sources").is_dir()):
                continue
            try:
                names.code(folder.name)
            except ValueError as error:
                problems.add(str(folder), "", folder.name, str(error))
                continue
            if folder.name in packs:
                problems.add(str(folder), "", "", f"programme is in {packs[folder.name]} too; allowed: one folder each")
            else:
                packs[folder.name] = folder
    return [packs[name] for name in sorted(packs)]


def _read_pack(pack: Path, problems: Problems) -> dict[str, list[Row]]:
    """The typed rows of one pack, per table."""
    raw: dict[str, list[Row]] = defaultdict(list)
    for path in sorted((pack / "policy").glob("*")) if (pack / "policy").is_dir() else []:
        if path.name.startswith("."):
            continue
        if path.suffix != ".csv" or path.stem not in TABLES:
            allowed = ", ".join(f"{name}.csv" for name in TABLES)
            problems.add(_short(path), "", "", f"unknown policy table; allowed: {allowed}")
            continue
        raw[path.stem] = _read_file(path, TABLES[path.stem], problems)

    context = Context(pack.name, utilities={row.values["utility"] for row in raw["utilities"]})
    # Period rules first: other rows' periods and classes are read by them.
    for name in ("period_rules", *(name for name in TABLES if name != "period_rules")):
        for row in raw[name]:
            _type_row(row, TABLES[name], context, problems)
        if name == "period_rules":
            good = [row.values for row in raw[name] if row.good]
            context.kinds = [
                PeriodKind(v["period_kind"], v["label"], v["starts_month"], tuple(v["participant_classes"].split()))
                for v in good
            ]
            context.classes = {one for kind in context.kinds for one in kind.classes}
    return {name: [row for row in raw[name] if row.good] for name in TABLES}


def _read_file(path: Path, table: Table, problems: Problems) -> list[Row]:
    """The rows of one file as text. ``Row.where`` counts lines as an editor does (the header is line 1)."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read()
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        lines, start = [], 1
        for cells in reader:
            lines.append((start, [cell.strip() for cell in cells]))
            start = reader.line_num + 1  # a row with a line break in it has several lines
    except UnicodeDecodeError:
        problems.add(_short(path), "", "", "is not UTF-8; save it as CSV UTF-8")
        return []
    except csv.Error as error:
        problems.add(_short(path), "", "", f"is no CSV: {error}")
        return []
    lines = [(number, cells) for number, cells in lines if any(cells)]
    header = lines[0][1] if lines else []
    good = bool(lines)
    if not lines:
        problems.add(_short(path), "", "", f"is empty; allowed: a header {','.join(table.column_names)}")
    for name in table.column_names:
        if name not in header and (table.name, name) not in DEFAULTS:
            problems.add(f"{_short(path)}:1", name, "", "column is missing")
            good = False
    for name in header:
        if name not in table.column_names or header.count(name) > 1:
            allowed = ", ".join(table.column_names)
            problems.add(f"{_short(path)}:1", name, "", f"unknown or repeated column; allowed: {allowed}")
            good = False
    if not good:
        return []
    rows = []
    for number, cells in lines[1:]:
        where = f"{_short(path)}:{number}"
        if len(cells) != len(header):
            problems.add(where, "", "", f"has {len(cells)} cells; allowed: {len(header)}, as in the header")
            continue
        values = dict(zip(header, cells, strict=True))
        for name in table.column_names:
            if name not in values:
                values[name] = DEFAULTS[table.name, name](values)
        rows.append(Row(where, {name: values[name] for name in table.column_names}))
    return rows


def _type_row(row: Row, table: Table, context: Context, problems: Problems) -> None:
    """Replace the row's texts by typed values and add the derived columns; ``row.good`` turns false at a problem."""
    texts = row.values
    typed: dict[str, Any] = {}
    for column in table.columns:
        text = texts[column.name]
        typed[column.name] = None
        try:
            if text:
                typed[column.name] = parse(column, text, context)
            elif not column.blank_allowed:
                raise ValueError("is blank; a value is needed")
        except ValueError as error:
            row.good = False
            problems.add(row.where, column.name, text, str(error))
    if row.good and "valid_from" in typed:
        is_period = table.kind_of("valid_from") == "period"
        typed["valid_from_on"] = _first_day(typed["valid_from"], is_period, context)
        if "valid_to" in typed:
            typed["valid_to_on"] = typed["valid_to"] and _first_day(typed["valid_to"], is_period, context)
        if is_period:
            typed["valid_from_kind"] = _checked_period(typed["valid_from"], context)[1].name
    row.values = typed


def _first_day(text: str, is_period: bool, context: Context) -> date:
    """First day of a checked period id or month."""
    return _checked_period(text, context)[0] if is_period else date.fromisoformat(f"{text}-01")


def _checked_period(text: str, context: Context) -> tuple[date, PeriodKind]:
    found = context.period(text)
    assert found, f"{text} was parsed as a period and is none"
    return found


def _order(values: dict[str, Any]) -> str:
    return json.dumps([str(value) for value in values.values()], ensure_ascii=False)


def _fingerprint(tables: dict[str, list[dict[str, Any]]]) -> str:
    """SHA-256 over tables, columns and typed values: neither the order of rows nor how a file is written matters."""
    content = {
        name: [{column: None if value is None else str(value) for column, value in row.items()} for row in rows]
        for name, rows in tables.items()
    }
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _short(path: Path) -> str:
    """``<program_id>/policy/<table>.csv``"""
    return "/".join(path.parts[-3:])
