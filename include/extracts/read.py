"""From landed bytes to rows of text. Two readings of a CSV: a fast one, and a patient one for rows with too many or too few cells."""

from __future__ import annotations

import codecs
import csv
import datetime
import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv
from python_calamine import CalamineError, CalamineWorkbook

from include.packs.sources import Source

_BATCH_BYTES = 16 << 20  # also the longest row that the fast reading takes
_BATCH_ROWS = 50_000


class FileRefused(Exception):
    """The file is refused whole: ``reason`` is a word of the contract, ``detail`` says what to do about it."""

    def __init__(self, reason: str, detail: str, figures: dict | None = None):
        self.reason, self.detail, self.figures = reason, detail, figures or {}
        super().__init__(f"{reason}: {detail}")


class _Ragged(Exception):
    """The fast reading gave up; the patient one may not."""


@dataclass(frozen=True)
class Layout:
    """Where the declared fields are in this file."""

    headers: list[str]  # as received, of the columns that have one
    positions: dict[str, int]  # field -> column, 0-based
    ignored: list[str]  # headers that no field asks for
    patient: bool = False  # which reading of a CSV gave the rows


def fold_text(text: str) -> str:
    """A single value as ``fold`` leaves it: NFKC, trimmed."""
    return unicodedata.normalize("NFKC", text).strip()


def fold(column: pa.Array) -> pa.Array:
    """NFKC, trimmed, blank = NULL."""
    column = pc.utf8_trim_whitespace(pc.utf8_normalize(column, form="NFKC"))
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def header(source: Source, path: Path, encoding: str | None = None, errors: str = "strict") -> list[str]:
    """The first row that is not blank, as received; [] if there is none. Raises FileRefused if it cannot be read."""
    if path.stat().st_size == 0:
        return []
    rows = _sheet_rows(source, path) if source.format == "xlsx" else _csv_rows(source, path, encoding, errors)
    return next(rows, [])


def forbidden(source: Source, path: Path) -> list[str]:
    """The forbidden headers the file has. A CSV's header is read as UTF-8 too, lest a wrong encoding hides them."""
    unwanted = {_bare(name) for name in source.forbidden_columns}
    if not unwanted:
        return []
    found: dict[str, None] = {}
    for encoding in dict.fromkeys([source.encoding, "utf-8"]):
        try:
            names = header(source, path, encoding, errors="replace")
        except FileRefused:
            continue
        # Split again: the file may use another delimiter than the one declared.
        found |= {part: None for name in names for part in re.split(r"[;|\t]", name) if _bare(part) in unwanted}
    return list(found)


def _bare(name: str) -> str:
    return "".join(fold_text(name).lstrip("\ufeff").split()).casefold()


def layout(source: Source, names: list[str]) -> Layout:
    """Match headers to fields. Raises FileRefused ``schema_mismatch``."""
    folded = [fold_text(name.lstrip("\ufeff")) for name in names]
    first = {name: position for position, name in reversed(list(enumerate(folded)))}
    positions: dict[str, int] = {}
    for field, column in source.columns.items():
        known = [fold_text(name) for name in column.headers]
        found = next((first[name] for name in known if name in first), None)
        if found is not None:
            positions[field] = found
        elif column.required:
            there = ", ".join(name for name in folded if name)
            raise FileRefused("schema_mismatch", f"column {' | '.join(column.headers)} is missing; the file has {there}")
    ignored = [name for position, name in enumerate(folded) if name and position not in positions.values()]
    return Layout([name.lstrip("\ufeff") for name in names], positions, ignored)


def load(con: duckdb.DuckDBPyConnection, source: Source, path: Path) -> Layout:
    """Make table ``raw`` from a landed file. Raises FileRefused: not_decodable, not_readable, schema_mismatch, empty."""
    try:
        names = header(source, path)
        if not names:
            raise FileRefused("empty", "the file has no row at all")
        found = layout(source, names)
    except FileRefused as refused:
        if refused.reason != "not_decodable":
            _must_decode(source, path)
        raise
    fields = ", ".join(f'"{field}" varchar' for field in source.columns)
    for patient in (False, True):
        con.execute(f"create or replace table raw (row_no bigint, {fields})")
        found = replace(found, patient=patient)
        try:
            for batch in received(source, path, found):
                _insert(con, source, found, batch)
            break
        except _Ragged:
            _must_decode(source, path)
    if con.execute("select count(*) from raw").fetchone() == (0,):
        _must_decode(source, path)
        raise FileRefused("empty", "the file has a header row and no data row")
    return found


def _insert(con: duckdb.DuckDBPyConnection, source: Source, found: Layout, batch: pa.Table) -> None:
    columns = {"row_no": batch["row_no"]}
    for field in source.columns:
        if field in found.positions:
            columns[field] = fold(batch.column(found.positions[field] + 1))
        else:
            columns[field] = pa.nulls(len(batch), pa.string())
    con.register("incoming", pa.table(columns))
    con.execute("insert into raw select * from incoming")
    con.unregister("incoming")


def received(source: Source, path: Path, found: Layout) -> Iterator[pa.Table]:
    """The data rows as received: ``row_no``, then the header's columns in their order, named by position."""
    if source.format == "xlsx":
        yield from _batches(_sheet_rows(source, path, found.positions), len(found.headers))
    elif found.patient:
        yield from _batches(_csv_rows(source, path), len(found.headers))
    else:
        yield from _fast_csv(source, path, len(found.headers))


def _names(width: int) -> list[str]:
    return ["row_no", *(f"c{position}" for position in range(width))]


def _fast_csv(source: Source, path: Path, width: int) -> Iterator[pa.Table]:
    types = {f"f{position}": pa.string() for position in range(width)}
    encoding = "utf8" if _is_utf8(source.encoding) else source.encoding  # only this spelling spares the transcoding
    names, row_no, last = _names(width), 0, None
    try:
        reader = arrow_csv.open_csv(
            path,
            arrow_csv.ReadOptions(autogenerate_column_names=True, encoding=encoding, block_size=_BATCH_BYTES),
            arrow_csv.ParseOptions(newlines_in_values=True),
            arrow_csv.ConvertOptions(column_types=types, strings_can_be_null=False),
        )
        if len(reader.schema) != width:
            raise _Ragged
        for batch in reader:
            if row_no == 0:  # the header
                batch = batch.slice(1)
                row_no = 1
            if not len(batch):
                continue
            last = batch.column(width - 1)[len(batch) - 1].as_py()
            numbers = pa.array(np.arange(row_no, row_no + len(batch)))
            row_no += len(batch)
            yield pa.Table.from_arrays([numbers, *batch.columns], names=names)
    except UnicodeDecodeError as error:
        raise _not_decodable(source, error) from None
    except pa.ArrowInvalid:
        raise _Ragged from None
    if last is not None and ("\n" in last or "\r" in last):  # a quote that is never closed swallows the rest of the file without a word
        raise _Ragged


def _csv_rows(source: Source, path: Path, encoding: str | None = None, errors: str = "strict") -> Iterator[list[str]]:
    encoding = encoding or source.encoding
    encoding = "utf-8-sig" if _is_utf8(encoding) else encoding  # without the byte order mark, if there is one
    with path.open(encoding=encoding, errors=errors, newline="") as file:
        try:
            for row in csv.reader(file, strict=errors == "strict"):
                if row and not (len(row) == 1 and not row[0].strip()):
                    yield row
        except UnicodeDecodeError as error:
            raise _not_decodable(source, error) from None
        except csv.Error as error:
            raise FileRefused("not_readable", f"is no CSV: {error}; send the file again") from None


def _sheet_rows(source: Source, path: Path, positions: dict[str, int] | None = None) -> Iterator[list[str]]:
    months = {position for field, position in (positions or {}).items() if field.endswith("_month")}
    try:
        with path.open("rb") as file:
            workbook = CalamineWorkbook.from_filelike(file)
            for row in workbook.get_sheet_by_index(0).to_python(skip_empty_area=False):
                cells = [_cell_text(cell, position in months) for position, cell in enumerate(row)]
                if any(cell.strip() for cell in cells):
                    yield cells
    except (CalamineError, IndexError, OSError, ValueError) as error:
        raise FileRefused("not_readable", f"is no readable workbook: {error}; send the file again") from None


def _cell_text(cell: object, is_month: bool) -> str:
    """The text that a cell stands for: 12 and not 12.0, a date as YYYY-MM-DD, in a column of months as YYYY-MM."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):  # a workbook shows 15 digits; the rest is binary noise
        text = format(Decimal(format(cell, ".15g")), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(cell, datetime.date):
        return cell.strftime("%Y-%m" if is_month and cell.day == 1 else "%Y-%m-%d")
    return str(cell)


def _batches(rows: Iterable[list[str]], width: int) -> Iterator[pa.Table]:
    """Rows, the header first, as tables; missing cells blank, cells beyond the header dropped."""
    rows = itertools.islice(rows, 1, None)
    row_no = 1
    while chunk := list(itertools.islice(rows, _BATCH_ROWS)):
        cells = zip(*((row + [""] * width)[:width] for row in chunk), strict=True)
        numbers = pa.array(np.arange(row_no, row_no + len(chunk)))
        yield pa.Table.from_arrays([numbers, *(pa.array(column, pa.string()) for column in cells)], names=_names(width))
        row_no += len(chunk)


def _is_utf8(encoding: str) -> bool:
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def _must_decode(source: Source, path: Path) -> None:
    """Whatever else is wrong, a file that does not decode is told so. Raises FileRefused ``not_decodable``."""
    if source.format == "csv":
        with path.open(encoding=source.encoding, newline="") as file:
            try:
                while file.read(1 << 20):
                    pass
            except UnicodeDecodeError as error:
                raise _not_decodable(source, error) from None


def _not_decodable(source: Source, error: UnicodeDecodeError) -> FileRefused:
    bad = error.object[error.start : error.start + 2].hex(" ")
    return FileRefused("not_decodable", f"bytes {bad} are not {source.encoding}; send the file again in {source.encoding}")
