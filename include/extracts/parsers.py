"""Rows of text out of CSV and XLSX files, as received, with patience: rows may have too many or too few cells.

CSV files without such rows are read faster: csv_blocks.py.
"""

from __future__ import annotations

import codecs
import csv
import datetime
import itertools
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from xml.parsers.expat import ExpatError

import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook

from include.extracts import csv_guard, workbook_cells, workbook_guard
from include.extracts.texts import LOST
from include.packs.sources import Source

_BATCH_ROWS = 50_000
_LONGEST_CELL = 32_767  # of a workbook, by its format


class FileRefused(Exception):
    """The file is refused whole: ``reason`` is a word of the contract, ``detail`` says what to do about it."""

    def __init__(self, reason: str, detail: str, figures: dict | None = None):
        self.reason, self.detail, self.figures = reason, detail, figures or {}
        super().__init__(f"{reason}: {detail}")


class Ragged(Exception):
    """The fast reading gave up; the patient one may not."""


def csv_rows(source: Source, path: Path, encoding: str | None = None, errors: str = "strict") -> Iterator[list[str]]:
    encoding = encoding or source.encoding
    encoding = "utf-8-sig" if is_utf8(encoding) else encoding  # without the byte order mark, if there is one
    with path.open(encoding=encoding, errors=errors, newline="") as file:
        try:
            lines = csv_guard.Lines(file)
            for row in csv.reader(lines, strict=errors == "strict"):
                lines.row_ended(len(row))
                if row and not (len(row) == 1 and not row[0].strip()):
                    yield row
        except UnicodeDecodeError as error:
            raise not_decodable(source, error) from None
        except csv.Error as error:
            raise FileRefused("not_readable", f"is no CSV: {error}; send the file again") from None


def sheet_rows(source: Source, path: Path, positions: dict[str, int] | None = None) -> Iterator[list[str]]:
    months = {position for field, position in (positions or {}).items() if field.endswith("_month")}
    try:
        workbook_guard.check(path)
        special = workbook_cells.special(path)
        with path.open("rb") as file:
            workbook = CalamineWorkbook.from_filelike(file)
            for row_index, row in enumerate(workbook.get_sheet_by_index(0).to_python(skip_empty_area=False)):
                cells = [_cell_text(cell, position in months) for position, cell in enumerate(row)]
                for position, text in special.get(row_index, {}).items():
                    if row[position] == "" or cells[position].startswith(LOST):
                        cells[position] = LOST + text
                if any(cell.strip() for cell in cells):
                    yield cells
    except (CalamineError, IndexError, OSError, ValueError, ExpatError) as error:
        raise FileRefused("not_readable", f"is no readable workbook: {error}; send the file again") from None


def _cell_text(cell: object, is_month: bool) -> str:
    """The text that a cell stands for: 12 and not 12.0, a date as YYYY-MM-DD, in a column of months as YYYY-MM.

    Of a number of more digits than a spreadsheet keeps the last are lost: it is marked ``LOST``.
    """
    if isinstance(cell, str):
        if len(cell) > _LONGEST_CELL:
            raise ValueError(f"a cell has {len(cell):,} characters, more than {_LONGEST_CELL:,}")
        return cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, int | float):  # a workbook shows 15 digits; what follows a point then is binary noise
        number = Decimal(format(cell + 0.0, ".15g"))
        if abs(number) >= workbook_cells.LONGEST:
            return LOST + format(Decimal(cell), "f")
        text = format(number, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(cell, datetime.date):
        return cell.strftime("%Y-%m" if is_month and cell.day == 1 else "%Y-%m-%d")
    return str(cell)


def batches(rows: Iterable[list[str]], width: int) -> Iterator[pa.RecordBatch]:
    """Rows, the header first, as columns of STRING; missing cells blank, cells beyond the header dropped."""
    rows = itertools.islice(rows, 1, None)
    names = [f"c{position}" for position in range(width)]
    while chunk := list(itertools.islice(rows, _BATCH_ROWS)):
        cells = zip(*((row + [""] * width)[:width] for row in chunk), strict=True)
        yield pa.RecordBatch.from_arrays([pa.array(column, pa.string()) for column in cells], names=names)


def codec(encoding: str) -> str:
    """The encoding's one name; UTF-8 with or without a byte order mark is ``utf-8``."""
    return codecs.lookup(encoding).name.removesuffix("-sig")


def is_utf8(encoding: str) -> bool:
    return codec(encoding) == "utf-8"


def not_decodable(source: Source, error: UnicodeDecodeError) -> FileRefused:
    bad = error.object[error.start : error.start + 2].hex(" ")
    return FileRefused(
        "not_decodable", f"bytes {bad} are not {source.encoding}; send the file again in {source.encoding}"
    )
