"""Extracts as providers write them: CSV in its encoding, workbooks; and copies of packs with other policy."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from tanso.settings import PROJECT_ROOT

PACKS = PROJECT_ROOT / "include" / "programs"
Row = Sequence[Any]


def csv_bytes(header: Row, rows: Iterable[Row], encoding: str) -> bytes:
    """CRLF, quoted where needed, None = blank."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return text.getvalue().encode(encoding)


def write_csv(path: Path, header: Row, rows: Iterable[Row], encoding: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(csv_bytes(header, rows, encoding))


def write_xlsx(path: Path, header: Row, rows: Iterable[Row]) -> None:
    """The first sheet; texts as text cells, numbers as number cells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    book = Workbook()
    sheet = book.active
    for row in [header, *rows]:
        sheet.append(list(row))
    book.create_sheet("비고").append(["not read"])
    book.save(path)


def months_from(first: str, values: Sequence[Any]) -> list[tuple[str, Any]]:
    """``YYYY-MM`` and value of consecutive months; None: no reading."""
    year, month = map(int, first.split("-"))
    count = [(year + (month - 1 + n) // 12, (month - 1 + n) % 12 + 1) for n in range(len(values))]
    return [(f"{y}-{m:02}", value) for (y, m), value in zip(count, values, strict=True) if value is not None]


Change = Callable[[list[dict[str, str]]], None]


def copy_pack(
    folder: Path,
    program_id: str,
    new_id: str | None = None,
    prefix: str = "",
    changes: dict[str, Change] | None = None,
    sources: Sequence[str] | None = None,
) -> None:
    """A copy of a shipped pack below ``folder``, as a municipality would make it.

    ``new_id``: another programme, whose sources get ``prefix`` (ids and inbox folders). ``changes``: policy table ->
    what changes its rows in place. ``sources``: only these.
    """
    new = folder / (new_id or program_id)
    shutil.copytree(PACKS / program_id, new, ignore=shutil.ignore_patterns("sample"))
    for path in sorted(new.rglob("*")):
        if path.suffix not in (".csv", ".yml"):
            continue
        text = path.read_text("utf-8").replace(program_id, new.name)
        if path.suffix == ".csv" and path.stem in (changes or {}):
            rows = list(csv.DictReader(io.StringIO(text)))
            columns = list(rows[0])
            changes[path.stem](rows)
            text = csv_bytes(columns, [[row[column] for column in columns] for row in rows], "utf-8").decode()
        if path.parent.name == "sources":
            path.unlink()
            if sources is not None and path.stem not in sources:
                continue
            text = text.replace(path.stem, prefix + path.stem)
            path = path.with_name(prefix + path.name)
        path.write_text(text, "utf-8")


def set_all(**values: str) -> Change:
    """Set columns in every row of a table."""

    def change(rows: list[dict[str, str]]) -> None:
        for row in rows:
            row.update(values)

    return change
