"""CSV files that leave the house: CRLF, header row, the recipient's encoding, nothing a spreadsheet would run."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Any, BinaryIO

# What printers set for a character they do not have; in every Korean and Japanese encoding.
GETA = "〓"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_AT_ONCE = 1_000  # rows


@dataclass(frozen=True)
class Substitution:
    """Characters of one cell that the file's encoding or font lacks, written as 〓. ``row``: the 1-based data row."""

    path: str
    row: int
    column: str
    characters: int
    participant_id: str


def _geta(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return GETA * (error.end - error.start), error.end


codecs.register_error("tanso_geta", _geta)


def cell(value: Any) -> str:
    """A value as a cell shows it; a text that a spreadsheet would take for a formula gets a leading ``'``."""
    if value is None:
        return ""
    if isinstance(value, (int, Decimal)):
        return str(value)
    text = value.isoformat() if isinstance(value, date) else str(value)
    return "'" + text if text.startswith(_FORMULA) else text


def write(
    file: BinaryIO, name: str, encoding: str, header: Sequence[str], rows: Iterable[Sequence[Any]], with_header: bool
) -> tuple[int, list[Substitution]]:
    """Write a file; the number of data rows and what could not be encoded.

    ``rows``: participant_id, and the values of ``header``. ``name`` is the path to report.
    """
    written, lost = 0, []
    text = io.TextIOWrapper(file, encoding=encoding, errors="tanso_geta", newline="")
    try:
        if with_header:
            text.write(_lines([header]))
        remaining = iter(rows)
        while some := list(islice(remaining, _AT_ONCE)):
            # Numbers, dates and blanks the writer shows as ``cell`` does.
            shown = [[cell(value) if value.__class__ is str else value for value in row[1:]] for row in some]
            lines = _lines(shown)
            text.write(lines)
            if not _encodable(lines, encoding):
                for number, (row, cells) in enumerate(zip(some, shown, strict=True), written + 1):
                    if _encodable("".join(map(cell, cells)), encoding):
                        continue
                    for column, value in zip(header, cells, strict=True):
                        if count := missing(cell(value), encoding):
                            lost.append(Substitution(name, number, column, count, row[0]))
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


def missing(text: str, encoding: str) -> int:
    """How many characters of a text the encoding lacks."""
    if _encodable(text, encoding):
        return 0
    return sum(1 for character in text if not _encodable(character, encoding))


def _encodable(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
