"""A file's rows: folded in ``raw``, and as received for whoever is shown them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from tanso import sql
from tanso.ingest.formats import csv_blocks, espi, parsers, texts, workbooks
from tanso.ingest.formats.workbook_cells import LOST
from tanso.ingest.model import as_received
from tanso.packs.sources import Source

# How a CSV is read: side by side in blocks; where that is unclear in one go; where rows are ragged with patience.
_CSV_WAYS = ("blocks", "serial", "patient")
_FEW_ROWS = 1000  # of fewer it takes longer to work out a column's different texts than to read it as it is
_HELD_BYTES = 1 << 30  # the rows of larger files are in the database alone, which may put them on disk


@dataclass
class Received:
    """What ``take`` took."""

    encoding: str  # of BINARY
    count: int = 0
    columns: dict[str, texts.Column] = field(default_factory=dict)  # field -> as in ``raw``; none of a large file
    raw: pa.Table | None = None  # what ``raw`` shows; None of a large file
    batches: Callable[[], Iterable[pa.RecordBatch]] = tuple  # the header's columns as received, BINARY or STRING

    def show(self, con: duckdb.DuckDBPyConnection, row_nos: list[int]) -> None:
        """Make the view ``shown``: rows of ``raw``, at least these.

        Reads ``raw``.
        Makes ``shown``.
        """
        if self.raw is None:
            con.execute("create or replace view shown as from raw")
        else:
            con.register("shown", self.raw.take(pa.array(np.array(row_nos, np.int64) - 1)))

    def rows(self, row_nos: list[int]) -> Iterator[tuple[int, list[str]]]:
        """These rows (ascending) as received: row_no and cells."""
        wanted, before = np.array(row_nos, np.int64) - 1, 0
        for batch in self.batches():
            here = wanted[(wanted >= before) & (wanted < before + len(batch))]
            columns = [self._cells(column.take(pa.array(here - before))) for column in batch.columns]
            yield from zip((here + 1).tolist(), map(list, zip(*columns, strict=True)), strict=True)
            before += len(batch)

    def _cells(self, column: pa.Array) -> list[str]:
        decoded = texts.decode(column, self.encoding) if pa.types.is_binary(column.type) else column
        return [cell.removeprefix(LOST) for cell in decoded.to_pylist()]


def ways(source: Source) -> tuple[str, ...]:
    """The ways to read a file of the source, the next for where one gives up."""
    if source.format != "csv":
        return (source.format,)
    return _CSV_WAYS if _is_bytewise(source) else _CSV_WAYS[1:]


def _is_bytewise(source: Source) -> bool:
    return parsers.codec(source.encoding) in csv_blocks.BYTEWISE


def take(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    path: Path,
    width: int,
    positions: Mapping[str, int],
    way: str,
    kept: frozenset[str] = frozenset(),
) -> Received:
    """Make ``raw`` of the file's data rows; ``positions``: field -> column of ``width``; the fields in ``kept`` are
    in ``raw`` as received too.

    Raises FileRefused; Unclear or Ragged where another way must be tried.
    Makes ``raw``.
    """
    found = Received(source.encoding)
    columns = {name: texts.Column() for name in source.columns if name in positions}
    also_kept = [name for name in columns if name in kept]
    columns |= {as_received(name): texts.Column() for name in also_kept}
    read = _Reading(source, path, width, positions, way, also_kept)
    if path.stat().st_size > _HELD_BYTES:
        listed = ", ".join(f"{sql.name(name)} varchar" for name in dict.fromkeys([*source.columns, *columns]))
        con.execute(f"create or replace table raw (row_no bigint, {listed})")
        for batch, parts in read.parts():
            if len(batch):
                spelt_out = (texts.spelt_out(part) for part in parts)
                con.register(
                    "incoming", _table(source, found.count, len(batch), dict(zip(columns, spelt_out, strict=True)))
                )
                con.execute("insert into raw from incoming")
                con.unregister("incoming")
            found.count += len(batch)
        found.batches = read.batches
        return found
    batches = []
    for batch, parts in read.parts():
        batches.append(batch)
        for column, part in zip(columns.values(), parts, strict=True):
            column.add(part)
        found.count += len(batch)
    if found.count < _FEW_ROWS:
        for column in columns.values():
            column.spell_out()
    found.columns, found.batches = columns, lambda: batches
    found.raw = _table(source, 0, found.count, {name: column.values() for name, column in columns.items()})
    con.register("raw", found.raw)
    return found


def _table(source: Source, before: int, count: int, values: Mapping[str, pa.Array | pa.ChunkedArray]) -> pa.Table:
    columns = {"row_no": pa.array(np.arange(before + 1, before + count + 1))}
    for name in dict.fromkeys([*source.columns, *values]):
        columns[name] = values.get(name, pa.nulls(count, pa.string()))
    return pa.table(columns)


class _Reading:
    """A way to read a file. All may raise Unclear, Ragged or FileRefused."""

    def __init__(
        self, source: Source, path: Path, width: int, positions: Mapping[str, int], way: str, kept: list[str]
    ) -> None:
        self._source, self._path, self._width, self._positions, self._way = source, path, width, positions, way
        self._declared = [positions[name] for name in source.columns if name in positions]
        self._kept = [positions[name] for name in kept]

    def parts(self) -> Iterator[tuple[pa.RecordBatch, list[pa.Array]]]:
        """The rows as received, and the declared columns that are there, folded; then those kept as received."""
        last = None
        try:
            for batch, parts in self._worked():
                if len(batch):
                    last = batch.column(self._width - 1)[len(batch) - 1].as_py()
                yield batch, parts
        except (pa.ArrowInvalid, UnicodeDecodeError):
            raise parsers.Ragged from None
        ends = (b"\n", b"\r") if isinstance(last, bytes) else ("\n", "\r")
        if last and self._way in ("blocks", "serial") and any(end in last for end in ends):
            raise parsers.Ragged  # a quote that is never closed swallows the rest of the file without a word

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows as received."""
        for batch, _ in self.parts():
            yield batch

    def _fold(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, list[pa.Array]]:
        encoding = self._source.encoding if pa.binary() in batch.schema.types else None
        if encoding:
            for position in set(range(self._width)) - set(self._declared):
                texts.decode(batch.column(position), encoding)  # what nobody asks for must be no rubbish either
        parts = [texts.part(batch.column(position), encoding) for position in self._declared]
        parts += [texts.as_received(texts.text(batch.column(position), encoding)) for position in self._kept]
        if self._way in ("blocks", "serial") and len(blank := self._blank_rows(batch, parts, encoding)):
            rows = np.ones(len(batch), bool)
            rows[blank] = False
            mask = pa.array(rows)
            batch, parts = batch.filter(mask), [part.filter(mask) for part in parts]
        return batch, parts

    def _blank_rows(self, batch: pa.RecordBatch, parts: list[pa.Array], encoding: str | None) -> np.ndarray:
        """The rows without anything to see in any column."""
        rows = np.arange(len(batch))
        for part in parts:
            if (blank := texts.is_blank(part)) is None:
                return rows[:0]
            rows = rows[blank.take(pa.array(rows)).to_numpy(zero_copy_only=False)]
        for position in set(range(self._width)) - set(self._declared):
            cells = texts.fold(texts.text(batch.column(position).take(pa.array(rows)), encoding))
            rows = rows[cells.is_null().to_numpy(zero_copy_only=False)]
        return rows

    def _worked(self) -> Iterator[tuple[pa.RecordBatch, list[pa.Array]]]:
        if self._way == "blocks":
            return csv_blocks.parsed(self._path, self._width, self._fold)
        return map(self._fold, self._one_after_the_other())

    def _one_after_the_other(self) -> Iterator[pa.RecordBatch]:
        source, path = self._source, self._path
        if self._way == "serial":
            return csv_blocks.serial(path, self._width, None if _is_bytewise(source) else source.encoding)
        if self._way == "patient":
            return parsers.batches(parsers.csv_rows(source, path), self._width)
        if self._way == "espi":
            return espi.batches(source, path)
        months = {position for field, position in self._positions.items() if field.endswith("_month")}
        return parsers.batches(workbooks.rows(path, months), self._width)
