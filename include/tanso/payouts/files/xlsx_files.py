"""Workbooks for banks that take no CSV: one sheet, texts as text (leading zeros stay), amounts as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, BinaryIO

import xlsxwriter
from python_calamine import CalamineWorkbook

from tanso.cells import text_of

# What a sheet holds, its header row included.
MAX_ROWS = 1_048_576


def write(
    file: BinaryIO, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]], with_header: bool, at: datetime
) -> int:
    """Write a file; the number of data rows. ``rows``: participant_id, and the values of ``header``; ``name``: the path
    to report; ``at``: the time in its properties. Raises ValueError when they are more rows than a sheet holds."""
    # In memory: else its parts, personal data, would lie in the machine's temporary folder meanwhile.
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        book.set_properties({"created": at.replace(tzinfo=None)})
        sheet = book.add_worksheet()
        first = int(with_header)
        if with_header:
            for column, title in enumerate(header):
                sheet.write_string(0, column, text_of(title))
        number = first
        for _, *row in rows:
            if number == MAX_ROWS:
                raise ValueError(f"{name}: more than {MAX_ROWS:,} rows are no workbook; declare format csv")
            for column, value in enumerate(row):
                if isinstance(value, (int, Decimal)):
                    sheet.write_number(number, column, value)
                elif value is not None and sheet.write_string(number, column, text_of(value)):
                    raise ValueError(f"{name}: row {number + 1 - first}: {header[column]}: is too long for a workbook")
            number += 1
    return number - first


def read(file: BinaryIO, with_header: bool) -> list[list[Any]]:
    """The data rows of a file: texts and whole numbers as a recipient would read them."""
    rows = CalamineWorkbook.from_filelike(file).get_sheet_by_index(0).to_python(skip_empty_area=False)
    shown = [[int(v) if isinstance(v, float) and v.is_integer() else v for v in row] for row in rows]
    return shown[1:] if with_header else shown
