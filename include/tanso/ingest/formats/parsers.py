"""Rows of text out of CSV files, as received, with patience: rows may have too many or too few cells.

CSV files without such rows are read faster: csv_blocks.py.
"""

from __future__ import annotations

import codecs
import csv
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from tanso.ingest.formats import csv_guard
from tanso.ingest.formats.unseen import is_visible
from tanso.packs.sources import Source

_BATCH_ROWS = 50_000


class FileRefused(Exception):
    """The file is refused files: ``reason`` is a word of the contract, ``detail`` says what to do about it."""

    def __init__(self, reason: str, detail: str, figures: dict[str, Any] | None = None):
        self.reason, self.detail, self.figures = reason, detail, figures or {}
        super().__init__(f"{reason}: {detail}")


class Ragged(Exception):
    """The fast reading gave up; the patient one may not."""


def csv_rows(source: Source, path: Path) -> Iterator[list[str]]:
    """The rows that show something."""
    return filter(is_visible, _csv_rows(source, path))


def begins_with_header(source: Source, path: Path) -> bool:
    """Whether no row of blank cells stands before the header."""
    return is_visible(next(filter(None, _csv_rows(source, path)), []))


def _csv_rows(source: Source, path: Path) -> Iterator[list[str]]:
    # Without the byte order mark, if there is one.
    encoding = "utf-8-sig" if is_utf8(source.encoding) else source.encoding
    with path.open(encoding=encoding, newline="") as file:
        try:
            lines = csv_guard.Lines(file)
            for row in csv.reader(lines, strict=True):
                lines.row_ended(len(row))
                yield row
        except UnicodeDecodeError as error:
            raise not_decodable(source, error) from None
        except csv.Error as error:
            raise FileRefused("not_readable", f"is no CSV: {error}; send the file again") from None


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
