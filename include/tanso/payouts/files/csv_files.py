"""CSV files that leave the house: CRLF, header row, the recipient's encoding, nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, BinaryIO

from tanso import shown
from tanso.cells import Substitution, cell, fit

_AT_ONCE = 1_000  # rows


def write(
    file: BinaryIO, name: str, encoding: str, header: Sequence[str], rows: Iterable[Sequence[Any]], with_header: bool
) -> tuple[int, list[Substitution]]:
    """Write a file; the number of data rows and what could not be encoded.

    ``rows``: participant_id, and the values of ``header``. ``name`` is the path to report.
    """
    written, lost = 0, []
    holds = partial(is_encodable, encoding)
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    try:
        if with_header:
            text.write(_lines([list(map(cell, header))]))
        remaining = iter(rows)
        while some := list(islice(remaining, _AT_ONCE)):
            # Numbers, dates and blanks the writer shows as ``cell`` does.
            cells = [[cell(value) if value.__class__ is str else value for value in row[1:]] for row in some]
            lines = _lines(cells)
            if not holds(lines):
                for number, (row, shown_as) in enumerate(zip(some, cells, strict=True), written + 1):
                    if holds("".join(map(cell, shown_as))):
                        continue
                    for at, column in enumerate(header):
                        fitted, changes = fit(cell(shown_as[at]), holds)
                        if changes:
                            # A hyphen may have been written now.
                            shown_as[at] = shown.spreadsheet(fitted)
                            lost += [Substitution(name, number, column, count, row[0], sign) for count, sign in changes]
                lines = _lines(cells)
            text.write(lines)
            written += len(some)
    finally:
        text.detach()  # which writes what is left, and leaves the file open
    return written, lost


def _lines(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def read(file: BinaryIO, encoding: str, with_header: bool) -> Iterator[list[str]]:
    """The data rows of a file as a recipient would read them; raises UnicodeDecodeError if it cannot."""
    rows = csv.reader(io.TextIOWrapper(file, encoding=encoding, newline=""))
    if with_header:
        next(rows)
    yield from rows


def is_encodable(encoding: str, text: str) -> bool:
    """Whether the encoding has every character of a text."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
