"""Green Button files (NAESB ESPI: an Atom feed in XML) as rows of text.

A row is the usage of one usage point and reading type in one month or, where the source is prorated, one day of local
time; an interval that reaches over the end of it is a row of its own. Intervals are summed as whole numbers in the unit
of the reading type; ``coverage`` says whether they fill the row's days: ``full``, ``partial`` or ``overlap``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import pyarrow as pa
from lxml import etree

from include.extracts import espi_sums, espi_time
from include.extracts.parsers import FileRefused
from include.packs.sources import Source

# What a row has; sources name these as headers. ``ends_on`` is the first day after the row's days.
FIELDS = (
    "usage_point", "usage_point_id", "service", "usage_month", "starts_on", "ends_on", "usage", "unit", "quality",
    "coverage", "flow", "accumulation", "kind", "interval_length",
)  # fmt: skip
# The standard's codes of what is served and of units of measure; any other unit is passed on as "uom <code>".
_SERVICES = {"0": "electricity", "1": "gas", "2": "water", "4": "heat"}
_UNITS = {
    "72": "Wh", "31": "J", "42": "m3", "119": "ft3", "128": "US gl", "130": "IMP gl", "132": "BTU", "134": "L",
    "169": "therm",
}  # fmt: skip
_MULTIPLIERS = {-12, -9, -6, -3, -2, -1, 0, 1, 2, 3, 6, 9, 12}
_ATOM, _ESPI = "{http://www.w3.org/2005/Atom}", "{http://naesb.org/espi}"
_VALUE, _TIME_PERIOD, _START, _DURATION, _READING_QUALITY, _QUALITY = (
    f"{_ESPI}{name}" for name in ("value", "timePeriod", "start", "duration", "ReadingQuality", "quality")
)
_BATCH_ROWS = 50_000
_LAST_START = 4_102_444_800  # 2100-01-01; what is later is no time of a reading
_LONGEST = 10**9  # seconds
# Entities are not resolved, and nothing is fetched or validated: a provider's file is not to be trusted.
_SAFE = {
    "resolve_entities": False, "no_network": True, "load_dtd": False, "dtd_validation": False, "huge_tree": False,
    "remove_comments": True, "remove_pis": True,
}  # fmt: skip


@dataclass(frozen=True)
class _Entry:
    """One resource of the feed."""

    kind: str  # UsagePoint, MeterReading, ...
    atom_id: str
    links: dict[str, list[str]]  # rel -> paths
    values: dict[str, str]  # its elements

    @property
    def path(self) -> str:
        return (self.links.get("self") or [""])[0]


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


def tables(source: Source, path: Path) -> Iterator[pa.Table]:
    """The rows in a total order: ``row_no``, then ``FIELDS``, named by position.

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
            message = f"is no complete XML: {error.msg}; send the file again"
            raise FileRefused("not_readable", message) from None
        if con.execute("select count(*) from readings").fetchone() == (0,):
            raise FileRefused("empty", "the feed has no interval reading")
        _write_series(con, entries)
        rows = con.sql(espi_sums.query("day" if source.option("month_basis", "calendar") == "prorated" else "month"))
        for batch in rows.to_arrow_reader(_BATCH_ROWS):
            yield pa.Table.from_batches([batch])


def _refuse_document_type(file: BinaryIO) -> None:
    for _, root in etree.iterparse(file, events=("start",), **_SAFE):
        if root.getroottree().docinfo.doctype:
            raise FileRefused("not_readable", "has a document type, which could define entities; send it without")
        if root.tag not in (f"{_ATOM}feed", f"{_ATOM}entry"):
            raise FileRefused("schema_mismatch", f"is no Atom feed: its first element is {root.tag}")
        break
    file.seek(0)


def _read(con: duckdb.DuckDBPyConnection, file: BinaryIO, estimated: set[str]) -> dict[int, _Entry]:
    """Fill ``readings``, a batch at a time; the other resources by the number of their entry."""
    entries: dict[int, _Entry] = {}
    entry_no, rows = 1, []
    for _, element in etree.iterparse(file, events=("end",), tag=(f"{_ATOM}entry", f"{_ESPI}IntervalReading"), **_SAFE):
        if element.tag == f"{_ESPI}IntervalReading":
            rows.append((entry_no, *_reading(element, estimated)))
            if len(rows) == _BATCH_ROWS:
                _insert(con, rows)
                rows = []
        else:
            if entry := _entry(element):
                entries[entry_no] = entry
            entry_no += 1
        _drop(element)
    if rows:
        _insert(con, rows)
    return entries


def _drop(element: etree._Element) -> None:
    """Forget what is read: the tree must not grow with the file."""
    element.clear()
    parent = element.getparent()
    while element.getprevious() is not None:
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
                    start = _whole(part.text, 0, _LAST_START)
                elif part.tag == _DURATION:
                    duration = _whole(part.text, 1, _LONGEST)
        elif child.tag == _READING_QUALITY:
            codes += [(part.text or "").strip() for part in child if part.tag == _QUALITY]
    quality = min((code for code in codes if code in estimated), default=min(codes)) if codes else None
    if start is None or duration is None:
        start = duration = None
    return start, duration, value or None, quality


def _whole(text: str | None, least: int, most: int) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 and least <= int(text) <= most else None


def _insert(con: duckdb.DuckDBPyConnection, rows: list[tuple]) -> None:
    types = (pa.int32(), pa.int64(), pa.int64(), pa.string(), pa.string())
    columns = [pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), types, strict=True)]
    con.from_arrow(pa.table(columns, names=["entry_no", "start", "duration", "value", "quality"])).insert_into(
        "readings"
    )


def _entry(element: etree._Element) -> _Entry | None:
    content = element.find(f"{_ATOM}content")
    found = next((child for child in (() if content is None else content) if str(child.tag).startswith(_ESPI)), None)
    if found is None:
        return None
    links: dict[str, list[str]] = {}
    for link in element.iterfind(f"{_ATOM}link"):
        # Some feeds give whole addresses, some paths: what is after the host tells resources apart.
        path = re.sub("^[a-z]+://[^/]*", "", link.get("href", "").strip()).strip("/")
        links.setdefault(link.get("rel", ""), []).append(path)
    values = {etree.QName(child).localname: (child.text or "").strip() for child in found if isinstance(child.tag, str)}
    values["service"] = (found.findtext(f"{_ESPI}ServiceCategory/{_ESPI}kind") or "").strip()
    atom_id = (element.findtext(f"{_ATOM}id") or "").strip().removeprefix("urn:uuid:")
    return _Entry(etree.QName(found).localname, atom_id, links, values)


def _write_series(con: duckdb.DuckDBPyConnection, entries: dict[int, _Entry]) -> None:
    """Tables ``blocks`` (entry_no, series_no, default_quality), ``series`` and ``offsets``: whose the readings are, in
    which unit and at which local time. Raises FileRefused ``schema_mismatch`` where the links lead nowhere."""
    of_kind: dict[str, list[_Entry]] = {}
    for entry in entries.values():
        of_kind.setdefault(entry.kind, []).append(entry)
    parents = {
        kind: {
            path: entry
            for entry in of_kind.get(kind, [])
            for path in (*entry.links.get("related", ()), entry.path)
            if path
        }
        for kind in ("UsagePoint", "MeterReading")
    }
    types = {entry.path: entry for entry in of_kind.get("ReadingType", [])}
    times = {entry.path: entry for entry in of_kind.get("LocalTimeParameters", [])}
    used = {entry_no for (entry_no,) in con.execute("select distinct entry_no from readings").fetchall()}
    series: dict[tuple, int] = {}
    blocks, local_times = [], {}
    for entry_no in sorted(used):
        block = entries.get(entry_no)
        meter = block and _parent(block, parents["MeterReading"])
        point = meter and _parent(meter, parents["UsagePoint"])
        reading_type = meter and _linked(meter, types)
        time = point and (_linked(point, times) or (next(iter(times.values())) if len(times) == 1 else None))
        if not (block and meter and point and reading_type and time):
            missing = "MeterReading" if not meter else "UsagePoint" if not point else None
            missing = missing or ("ReadingType" if not reading_type else "LocalTimeParameters")
            name = block.path if block else "an entry"
            raise FileRefused("schema_mismatch", f"the links of {name} lead to no {missing}; send the feed with it")
        values = reading_type.values
        code, ten = values.get("uom", ""), values.get("powerOfTenMultiplier") or "0"
        unit = _UNITS.get(code, f"uom {code}".strip())
        multiplier = int(ten) if re.fullmatch("-?[0-9]{1,2}", ten) and int(ten) in _MULTIPLIERS else None
        service = _SERVICES.get(point.values["service"], f"service {point.values['service']}".strip())
        unit = unit if multiplier is not None else f"{unit} x 10^{ten}"
        told_apart_by = ("flowDirection", "accumulationBehaviour", "kind", "intervalLength")
        key = (
            time.path, point.path.rpartition("/")[2], point.atom_id, service, unit, multiplier or 0,
            *(values.get(name) or None for name in told_apart_by),
        )  # fmt: skip
        local_times[time.path] = time
        blocks.append((entry_no, series.setdefault(key, len(series)), values.get("defaultQuality") or None))
    con.execute("create table blocks (entry_no int, series_no int, default_quality text)")
    con.executemany("insert into blocks values (?, ?, ?)", blocks)
    con.execute(
        "create table series (series_no int, time_path text, usage_point text, usage_point_id text, service text, "
        "unit text, multiplier int, flow text, accumulation text, kind text, interval_length text)"
    )
    marks = ", ".join("?" * 11)
    con.executemany(f"insert into series values ({marks})", [(number, *key) for key, number in series.items()])
    con.execute("create table offsets (time_path text, utc_from bigint, local_from bigint, seconds bigint)")
    span = "select coalesce(min(start), 0), coalesce(max(start + duration), 0) from readings"
    first, last = con.execute(span).fetchone()
    for path, time in local_times.items():
        offsets = espi_time.offsets(time.values, first, last)
        con.executemany("insert into offsets values (?, ?, ?, ?)", [(path, *row) for row in offsets])


def _parent(child: _Entry, parents: dict[str, _Entry]) -> _Entry | None:
    """The resource whose collection ``child`` is in: by the parent's links, or by the child's own path."""
    for path in (*child.links.get("up", ()), *child.links.get("self", ())):
        for candidate in (path, path.rpartition("/")[0]):
            if candidate in parents:
                return parents[candidate]
    return None


def _linked(entry: _Entry, others: dict[str, _Entry]) -> Any:
    return next((others[path] for path in entry.links.get("related", ()) if path in others), None)
