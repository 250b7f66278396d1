"""The process that reads workbooks (see workbooks.py): ``python -m tanso.ingest.formats.workbook_reader``.

A request is a line of JSON with ``path`` and ``what``, ``heads`` or ``rows`` (with ``months``: positions of columns of
months). Answers are lines of JSON behind a sign: ``+`` and what was asked for, the last one ``.`` (that was all) or
``!`` and why the workbook is refused. It must import little: it is started in every process that meets a workbook.
"""

from __future__ import annotations

import datetime
import json
import resource
import sys
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from tanso.ingest.formats import workbook_cells, workbook_guard
from tanso.ingest.formats.unseen import is_visible
from tanso.ingest.formats.workbook_cells import LOST
from tanso.ingest.formats.workbook_guard import Unreadable

_MEMORY = 4 << 30  # a sheet of _MAX_CELLS, twice
_CPU_S = 120  # a request; a million rows of seven columns take about 10
_LONGEST_CELL = 32_767  # of a workbook, by its format
_MOST_TEXT = 256 << 20  # characters of all cells: many cells may share a text, which is in the file once
_HEAD_ROWS, _HEAD_SIZE = 1_000, 4 << 20  # of each sheet; cells and characters
_AT_ONCE = 1 << 20  # cells and characters


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # what it was reading is nobody's business
    book = Book()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        used = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(used.ru_utime + used.ru_stime) + _CPU_S
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        try:
            book.open(Path(request["path"]))
            if request["what"] == "heads":
                _say("+", book.heads())
            else:
                for rows in book.rows(set(request["months"])):
                    _say("+", rows)
            _say(".")
        except Exception as error:
            _say("!", _why(error))


def _say(sign: str, what: object = None) -> None:
    sys.stdout.buffer.write(f"{sign}{json.dumps(what, ensure_ascii=False)}\n".encode())
    sys.stdout.buffer.flush()


def _why(error: Exception) -> str:
    """In words of our own: a library's may quote cells."""
    if isinstance(error, Unreadable):
        return str(error)
    if isinstance(error, PasswordError):
        return "it is protected by a password; save it without one"
    if isinstance(error, MemoryError):
        return "it takes too much memory"
    return f"its parts are not those of a workbook ({type(error).__name__})"


class Book:
    """The workbook that was asked for last, as far as it is read: its heads are mostly asked for before its rows."""

    def __init__(self) -> None:
        self._key: tuple[int, ...] | None = None
        self._held: BinaryIO | None = None  # lest another file gets its number
        self._heads: list[list[list[str]]] | None = None
        self._first: CalamineSheet | None = None  # the first sheet, until its rows are asked for
        self._special: dict[int, dict[int, str]] = {}  # of the first sheet

    def open(self, path: Path) -> None:
        about = path.stat()
        key = (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns)
        self._path = path
        if key == self._key:
            return
        self._key = self._heads = self._first = None
        self._special = {}
        if self._held:
            self._held.close()
        self._held = path.open("rb")
        workbook_guard.check(path)
        self._special = workbook_cells.special(path)
        self._key = key

    def heads(self) -> list[list[list[str]]]:
        """The first rows of every sheet."""
        if self._heads is None:
            with CalamineWorkbook.from_path(self._path) as workbook:
                self._first = workbook.get_sheet_by_index(0)
                self._heads = [_head(_rows(self._first, self._special))]
                for position in range(1, len(workbook.sheet_names)):
                    try:
                        self._heads.append(_head(_rows(workbook.get_sheet_by_index(position))))
                    except CalamineError:  # a chart; or damaged, but nobody wants its rows
                        continue
        return self._heads

    def rows(self, months: set[int]) -> Iterator[list[list[str]]]:
        """The rows of the first sheet, some at a time."""
        sheet, self._first = self._first, None
        if sheet is None:
            with CalamineWorkbook.from_path(self._path) as workbook:
                sheet = workbook.get_sheet_by_index(0)
        some, size, length = [], 0, 0
        for row in _rows(sheet, self._special, months):
            some.append(row)
            text = sum(map(len, row))
            length += text
            size += text + len(row)
            if length > _MOST_TEXT:
                raise Unreadable(f"its cells hold more than {_MOST_TEXT:,} characters")
            if size >= _AT_ONCE:
                yield some
                some, size = [], 0
        yield some


def _head(rows: Iterator[list[str]]) -> list[list[str]]:
    head, size = [], 0
    for row in islice(rows, _HEAD_ROWS):
        head.append(row)
        size += len(row) + sum(map(len, row))
        if size > _HEAD_SIZE:
            break
    return head


def _rows(
    sheet: CalamineSheet, special: Mapping[int, Mapping[int, str]] | None = None, months: Collection[int] = ()
) -> Iterator[list[str]]:
    """Rows that are not blank, from the first column on; ``special``: see workbook_cells."""
    special, before = special or {}, [""] * (sheet.start[1] if sheet.start else 0)
    for row_index, row in enumerate(sheet.iter_rows()):
        cells = before + [_cell_text(cell, position in months) for position, cell in enumerate(row, start=len(before))]
        for position, text in special.get(row_index, {}).items():
            if position < len(cells) and (cells[position] == "" or cells[position].startswith(LOST)):
                cells[position] = LOST + text
        if is_visible(cells):
            yield cells


def _cell_text(cell: object, is_month: bool) -> str:
    """The text that a cell stands for: 12 and not 12.0, a date as YYYY-MM-DD, in a column of months as YYYY-MM.

    Of a number of more digits than a spreadsheet keeps the last are lost: it is marked ``LOST``.
    """
    if isinstance(cell, str):
        if len(cell) > _LONGEST_CELL:
            raise Unreadable(f"a cell has {len(cell):,} characters, more than {_LONGEST_CELL:,}")
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


if __name__ == "__main__":
    main()
