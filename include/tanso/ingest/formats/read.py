"""From landed bytes to ``raw``: headers matched to fields, values folded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tanso.ingest.formats import csv_blocks, parsers, received, workbooks
from tanso.ingest.formats.parsers import FileRefused
from tanso.ingest.formats.unseen import fold_text
from tanso.ingest.formats.workbook_cells import LOST
from tanso.packs.options import ESPI_FIELDS
from tanso.packs.sources import Column, Source
from tanso.shown import escaped

_NO_HEADER_ROW = "; the file has no declared column, so its first row may be no header row; send it with one"
_LONGEST_SHOWN = 100  # characters of a header that nobody declared


@dataclass(frozen=True)
class Layout:
    """Where the declared fields are in this file."""

    headers: list[str]  # as received, of the columns that have one
    positions: dict[str, int]  # field -> column, 0-based
    ignored: list[str]  # headers that no field asks for


def header(source: Source, path: Path) -> list[str]:
    """The first row that is not blank, as received; [] if there is none. Raises FileRefused if it cannot be read."""
    if path.stat().st_size == 0:
        return []
    if source.format == "espi":
        return list(ESPI_FIELDS)
    if source.format == "xlsx":
        return [name.removeprefix(LOST) for name in next(iter(workbooks.heads(path)[0]), [])]
    return next(parsers.csv_rows(source, path), [])


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
            raise FileRefused("schema_mismatch", _missing(source, column, first))
    if not positions:
        raise FileRefused("schema_mismatch", f"none of the columns {_expected(source)} is there{_NO_HEADER_ROW}")
    ignored = [
        escaped(name)[:_LONGEST_SHOWN]
        for position, name in enumerate(folded)
        # our names for what a feed holds are no columns that it has
        if name and position not in positions.values() and source.format != "espi"
    ]
    return Layout([name.lstrip("\ufeff") for name in names], positions, ignored)


def _missing(source: Source, column: Column, first: Mapping[str, int]) -> str:
    """What is said of a missing column. Of the file's first row only declared headers are quoted: without a header row
    it is somebody's data."""
    declared = [name for other in source.columns.values() for name in other.headers if fold_text(name) in first]
    there = f"; of the declared columns the file has {', '.join(declared)}" if declared else _NO_HEADER_ROW
    return f"column {' | '.join(column.headers)} is missing{there}"


def _expected(source: Source) -> str:
    return ", ".join(" | ".join(column.headers) for column in source.columns.values())


def load(
    con: duckdb.DuckDBPyConnection, source: Source, path: Path, kept: frozenset[str] = frozenset()
) -> tuple[Layout, received.Received]:
    """Make ``raw`` from a landed file; the fields in ``kept`` are in it as received too.

    Raises FileRefused: not_decodable, not_readable, schema_mismatch, empty.
    """
    try:
        names = header(source, path)
        if not names:
            raise FileRefused("empty", "the file has no row at all")
        found = layout(source, names)
    except FileRefused as refused:
        if refused.reason != "not_decodable":
            _must_decode(source, path)
        raise
    ways = received.ways(source)
    if source.format == "csv" and not parsers.begins_with_header(source, path):
        ways = ways[-1:]  # the others take the first row for the header
    for way in ways:
        try:
            taken = received.take(con, source, path, len(names), found.positions, way, kept)
            break
        except (csv_blocks.Unclear, parsers.Ragged):
            _must_decode(source, path)
    if not taken.count:
        _must_decode(source, path)
        raise FileRefused("empty", "the file has a header row and no data row")
    return found, taken


def _must_decode(source: Source, path: Path) -> None:
    """Whatever else is wrong, a file that does not decode is told so. Raises FileRefused ``not_decodable``."""
    if source.format == "csv":
        with path.open(encoding=source.encoding, newline="") as file:
            try:
                while file.read(1 << 20):
                    pass
            except UnicodeDecodeError as error:
                raise parsers.not_decodable(source, error) from None
