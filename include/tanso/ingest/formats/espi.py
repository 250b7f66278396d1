"""Green Button files (NAESB ESPI: an Atom feed in XML) as rows of text.

A row is the usage of one usage point and reading type in one month or, where the source is prorated, one day of local
time; an interval that reaches over the end of it is a row of its own. Intervals are summed as whole numbers in the unit
of the reading type; ``coverage`` says whether they fill the row's days: ``full``, ``partial`` or ``overlap``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow as pa
from lxml import etree

from tanso.ingest.formats import espi_midnight, espi_sums
from tanso.ingest.formats.espi_series import ATOM, ESPI, Entry, read_entry, write_series
from tanso.ingest.formats.parsers import FileRefused
from tanso.packs.sources import Source

# What a row has; sources name these as headers. ``ends_on`` is the first day after the row's days.
_VALUE, _TIME_PERIOD, _START, _DURATION, _READING_QUALITY, _QUALITY = (
    f"{ESPI}{name}" for name in ("value", "timePeriod", "start", "duration", "ReadingQuality", "quality")
)
_ENTRY, _INTERVAL_READING = f"{ATOM}entry", f"{ESPI}IntervalReading"
_BATCH_ROWS = 50_000
_MOST_KEPT = 2_000_000  # elements of an entry beside its readings: they stay in memory until it ends
_OF_A_READING = 16  # at most; they are forgotten with it
_LAST_START = 4_102_444_800  # 2100-01-01; what is later is no time of a reading
_LONGEST = 10**9  # seconds
_ZEROS = re.compile("[.]0+$")
_OTHER_NUMBER = re.compile("[+-]?([0-9]+[.][0-9]*|[.]?[0-9]+)([eE][+-]?[0-9]+)?")
# Entities are not resolved, and nothing is fetched or validated: a provider's file is not to be trusted.
_SAFE = {
    "resolve_entities": False, "no_network": True, "load_dtd": False, "dtd_validation": False, "huge_tree": False,
    "remove_comments": True, "remove_pis": True,
}  # fmt: skip


def element_names(path: Path) -> list[str]:
    """The names of all elements, without namespaces, as far as the file can be read."""
    names: dict[str, None] = {}
    with path.open("rb") as file:
        try:
            for _, element in etree.iterparse(file, events=("end",), **_SAFE):
                names[etree.QName(element).localname] = None
                _drop(element)
        except etree.XMLSyntaxError:
            pass
    return list(names)


def batches(source: Source, path: Path) -> Iterator[pa.RecordBatch]:
    """The rows in a total order; columns are ``ESPI_FIELDS``.

    Raises FileRefused: not_readable (no XML, cut off, with a document type), schema_mismatch, empty.
    """
    estimated = {str(code) for code in source.option("estimated_values", [])}
    with duckdb.connect() as con, path.open("rb") as file:
        con.execute("set variable estimated = $1::text[]", [sorted(estimated)])
        con.execute("create table readings (entry_no int, start bigint, duration bigint, value text, quality text)")
        try:
            _refuse_document_type(file)
            entries = _read(con, file, estimated)
        except etree.XMLSyntaxError as error:
            what = error.msg.partition(", line ")[0]  # it goes on with a column, of which an XML has none
            message = f"is no complete XML: {what} (line {error.lineno}); send the file again"
            raise FileRefused("not_readable", message) from None
        if con.execute("select count(*) from readings").fetchone() == (0,):
            raise FileRefused("empty", "the feed has no interval reading")
        write_series(con, entries, source.time_zone)
        espi_midnight.settle(con)
        rows = con.sql(espi_sums.query("day" if source.option("month_basis", "calendar") == "prorated" else "month"))
        for batch in rows.to_arrow_reader(_BATCH_ROWS):
            yield batch.remove_column(0)  # row_no: that is their order


def _refuse_document_type(file: BinaryIO) -> None:
    for _, root in etree.iterparse(file, events=("start",), **_SAFE):
        if root.getroottree().docinfo.doctype:
            raise FileRefused("not_readable", "has a document type, which could define entities; send it without")
        if root.tag not in (f"{ATOM}feed", f"{ATOM}entry"):
            raise FileRefused("schema_mismatch", f"is no Atom feed: its first element is {root.tag}")
        break
    file.seek(0)


def _read(con: duckdb.DuckDBPyConnection, file: BinaryIO, estimated: set[str]) -> dict[int, Entry]:
    """Fill ``readings``, a batch at a time; the other resources by the number of their entry."""
    entries: dict[int, Entry] = {}
    entry_no, rows, kept = 1, [], 0
    for _, element in etree.iterparse(file, events=("end",), **_SAFE):
        kept += 1
        if element.tag == _INTERVAL_READING:
            rows.append((entry_no, *_reading(element, estimated)))
            if len(rows) == _BATCH_ROWS:
                _insert(con, rows)
                rows = []
            _drop(element)
            kept = max(kept - _OF_A_READING, 0)
        elif element.tag == _ENTRY:
            if entry := read_entry(element):
                entries[entry_no] = entry
            entry_no += 1
            _drop(element)
            kept = 0
        elif kept > _MOST_KEPT:
            message = f"has more than {_MOST_KEPT:,} elements without an entry or interval reading"
            raise FileRefused("not_readable", f"{message}; is it a Green Button file?")
    if rows:
        _insert(con, rows)
    return entries


def _drop(element: etree._Element) -> None:
    """Forget what is read: the tree must not grow with the file."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _reading(element: etree._Element, estimated: set[str]) -> tuple[int | None, int | None, str | None, str | None]:
    """start, duration (null if they are no times), value, and the quality that counts: an estimated one if there is."""
    start = duration = value = None
    codes: list[str] = []
    for child in element:  # element by element: a path would be looked up for every reading
        if child.tag == _VALUE:
            value = (child.text or "").strip()
        elif child.tag == _TIME_PERIOD:
            for part in child:
                if part.tag == _START:
                    start = _whole("start", part.text, 0, _LAST_START)
                elif part.tag == _DURATION:
                    duration = _whole("duration", part.text, 1, _LONGEST)
        elif child.tag == _READING_QUALITY:
            codes += [(part.text or "").strip() for part in child if part.tag == _QUALITY]
    quality = min((code for code in codes if code in estimated), default=min(codes)) if codes else None
    if start is None or duration is None:
        start = duration = None
    return start, duration, value or None, quality


def _whole(name: str, text: str | None, least: int, most: int) -> int | None:
    """The number, None if it is none. Raises FileRefused for what a whole feed writes its times like."""
    text = (text or "").strip()
    number = _ZEROS.sub("", text)
    if number.isascii() and number.isdigit() and len(number) < 19:
        if name == "start" and most < int(number) <= 1000 * most:
            raise _no_time(name, text, "in milliseconds, it seems")
        return int(number) if least <= int(number) <= most else None
    if _OTHER_NUMBER.fullmatch(text):
        raise _no_time(name, text, "with a fraction or an exponent")
    return None


def _no_time(name: str, text: str, what: str) -> FileRefused:
    message = f"{name} {text!r} of an interval is no time in whole seconds, but {what}; send the feed in seconds"
    return FileRefused("schema_mismatch", message)


def _insert(
    con: duckdb.DuckDBPyConnection, rows: list[tuple[int, int | None, int | None, str | None, str | None]]
) -> None:
    types = (pa.int32(), pa.int64(), pa.int64(), pa.string(), pa.string())
    columns = [pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), types, strict=True)]
    con.from_arrow(pa.table(columns, names=["entry_no", "start", "duration", "value", "quality"])).insert_into(
        "readings"
    )
