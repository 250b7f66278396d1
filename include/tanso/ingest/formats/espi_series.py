"""Green Button: the resources of a feed and their links: whose an interval is, in which unit, at which local time."""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb
from lxml import etree

from tanso import sql
from tanso.ingest.formats import espi_time
from tanso.ingest.formats.parsers import FileRefused

ATOM, ESPI = "{http://www.w3.org/2005/Atom}", "{http://naesb.org/espi}"
# The standard's codes of what is served and of units of measure; any other unit is passed on as "uom <code>".
_SERVICES = {"0": "electricity", "1": "gas", "2": "water", "4": "heat"}
_UNITS = {
    "72": "Wh", "31": "J", "42": "m3", "119": "ft3", "128": "US gl", "130": "IMP gl", "132": "BTU", "134": "L",
    "169": "therm",
}  # fmt: skip
_MULTIPLIERS = {-12, -9, -6, -3, -2, -1, 0, 1, 2, 3, 6, 9, 12}


@dataclass(frozen=True)
class Entry:
    """One resource of the feed."""

    kind: str  # UsagePoint, MeterReading, ...
    atom_id: str
    links: dict[str, list[str]]  # rel -> paths
    values: dict[str, str]  # its elements

    @property
    def path(self) -> str:
        return (self.links.get("self") or [""])[0]


def read_entry(element: etree._Element) -> Entry | None:
    """The resource of an Atom entry; None if it holds none of the standard."""
    content = element.find(f"{ATOM}content")
    found = next((child for child in (() if content is None else content) if str(child.tag).startswith(ESPI)), None)
    if found is None:
        return None
    links: dict[str, list[str]] = {}
    for link in element.iterfind(f"{ATOM}link"):
        # Some feeds give whole addresses, some paths: what is after the host tells resources apart.
        path = re.sub("^[a-z]+://[^/]*", "", link.get("href", "").strip()).strip("/")
        links.setdefault(link.get("rel", ""), []).append(path)
    values = {etree.QName(child).localname: (child.text or "").strip() for child in found if isinstance(child.tag, str)}
    values["service"] = (found.findtext(f"{ESPI}ServiceCategory/{ESPI}kind") or "").strip()
    atom_id = (element.findtext(f"{ATOM}id") or "").strip().removeprefix("urn:uuid:")
    return Entry(etree.QName(found).localname, atom_id, links, values)


def write_series(con: duckdb.DuckDBPyConnection, entries: dict[int, Entry], zone: str | None) -> None:
    """Tables ``blocks`` (entry_no, series_no, default_quality), ``series`` and ``offsets``: whose the readings are, in
    which unit and at which local time: of ``zone`` where the feed does not say. Raises FileRefused ``schema_mismatch``
    where the links lead nowhere."""
    of_kind: dict[str, list[Entry]] = {}
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
    series: dict[tuple[object, ...], int] = {}
    blocks = []
    local_times: dict[str | None, Entry | None] = {}
    for entry_no in sorted(used):
        block = entries.get(entry_no)
        meter = block and _parent(block, parents["MeterReading"])
        point = meter and _parent(meter, parents["UsagePoint"])
        reading_type = meter and _linked(meter, types)
        time = point and (_linked(point, times) or (next(iter(times.values())) if len(times) == 1 else None))
        if not (block and meter and point and reading_type):
            missing = "MeterReading" if not meter else "UsagePoint" if not point else "ReadingType"
            name = block.path if block else "an entry"
            raise FileRefused("schema_mismatch", f"the links of {name} lead to no {missing}; send the feed with it")
        if not (time or zone):
            raise FileRefused(
                "schema_mismatch",
                f"{point.path} has no LocalTimeParameters, so its time zone is not known; send the feed with them, or "
                "declare the source's time_zone, such as Asia/Seoul",
            )
        time_path = time.path if time else zone
        values = reading_type.values
        code, ten = values.get("uom", ""), values.get("powerOfTenMultiplier") or "0"
        unit = _UNITS.get(code, f"uom {code}".strip())
        multiplier = int(ten) if re.fullmatch("-?[0-9]{1,2}", ten) and int(ten) in _MULTIPLIERS else None
        service = _SERVICES.get(point.values["service"], f"service {point.values['service']}".strip())
        unit = unit if multiplier is not None else f"{unit} x 10^{ten}"
        told_apart_by = ("flowDirection", "accumulationBehaviour", "kind", "intervalLength")
        key = (
            time_path, point.path.rpartition("/")[2], point.atom_id, service, unit, multiplier or 0,
            *(values.get(name) or None for name in told_apart_by),
        )  # fmt: skip
        local_times[time_path] = time
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
    first, last = sql.first(con, span)
    for path, time in local_times.items():
        if time:
            offsets = espi_time.offsets(time.values, first, last)
        else:
            assert path  # the source's zone
            offsets = espi_time.offsets_of_zone(path, first, last)
        con.executemany("insert into offsets values (?, ?, ?, ?)", [(path, *row) for row in offsets])


def _parent(child: Entry, parents: dict[str, Entry]) -> Entry | None:
    """The resource whose collection ``child`` is in: by the parent's links, or by the child's own path."""
    for path in (*child.links.get("up", ()), *child.links.get("self", ())):
        for candidate in (path, path.rpartition("/")[0]):
            if candidate in parents:
                return parents[candidate]
    return None


def _linked(entry: Entry, others: dict[str, Entry]) -> Entry | None:
    return next((others[path] for path in entry.links.get("related", ()) if path in others), None)
