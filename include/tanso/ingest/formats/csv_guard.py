"""The lines of a CSV for its parser, with a bound on a row: it might be the whole file, and fill memory."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TextIO

LONGEST_ROW = 1 << 20  # characters; real rows have hundreds
MOST_CELLS = 16_384  # as many as a spreadsheet has


class Lines:
    """An iterator over lines; ``row_ended`` must be called after each row, which may have several (in quotes).

    Raises csv.Error, as the parser does, for a row that is too long or has too many cells.
    """

    def __init__(self, file: TextIO) -> None:
        self._file, self._left = file, LONGEST_ROW

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(self._left + 1)
        self._left -= len(line)
        if self._left < 0:
            raise csv.Error(f"a row is longer than {LONGEST_ROW:,} characters; is a quote never closed?")
        if not line:
            raise StopIteration
        return line

    def row_ended(self, cells: int) -> None:
        self._left = LONGEST_ROW
        if cells > MOST_CELLS:
            raise csv.Error(f"a row has {cells:,} cells, more than {MOST_CELLS:,}")
