"""Green Button feeds written as the standard has them: an Atom feed of linked resources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

HOUR, DAY = 3600, 86_400
# US Eastern: second Sunday in March 02:00 to first Sunday in November 02:00.
NEW_YORK = {"tzOffset": "-18000", "dstOffset": "3600", "dstStartRule": "360E2000", "dstEndRule": "B40E2000"}
SEOUL = {"tzOffset": "32400", "dstOffset": "0", "dstStartRule": "FFFFFFFF", "dstEndRule": "FFFFFFFF"}

Reading = tuple[int | str, int | str, int | str | None] | tuple[int | str, int | str, int | str | None, Sequence[int]]


def utc(text: str) -> int:
    """Epoch seconds of ``YYYY-MM-DD HH:MM`` in UTC."""
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp())


def every(seconds: int, start: int, count: int, value: int, *quality: Sequence[int]) -> list[Reading]:
    """``count`` intervals of the same length and value, one after another."""
    return [(start + number * seconds, seconds, value, *quality) for number in range(count)]


def entry(path: str, content: str, *related: str, uuid: str = "") -> str:
    links = "".join(f'<link rel="related" href="{href}"/>' for href in related)
    return f"""
  <entry>
    <id>urn:uuid:{uuid or path}</id>
    <link rel="self" href="{path}"/>
    <link rel="up" href="{path.rpartition("/")[0]}"/>
    {links}
    <title>not to be read</title>
    <content>{content}</content>
    <published>2021-05-01T00:00:00Z</published>
  </entry>"""


def espi(name: str, **values: object) -> str:
    inside = "".join(f"<{key}>{value}</{key}>" for key, value in values.items())
    return f'<{name} xmlns="http://naesb.org/espi">{inside}</{name}>'


def local_time(values: dict[str, str], number: str = "1") -> str:
    return entry(f"LocalTimeParameters/{number}", espi("LocalTimeParameters", **values))


def block(path: str, readings: Iterable[Reading]) -> str:
    rows = []
    for start, duration, value, *quality in readings:
        codes = "".join(
            f"<ReadingQuality><quality>{code}</quality></ReadingQuality>" for code in (quality[0] if quality else ())
        )
        said = "" if value is None else f"<value>{value}</value>"
        rows.append(
            f"<IntervalReading><cost>974</cost>{codes}<timePeriod><duration>{duration}</duration>"
            f"<start>{start}</start></timePeriod>{said}</IntervalReading>"
        )
    return entry(
        path,
        '<IntervalBlock xmlns="http://naesb.org/espi"><interval><duration>86400</duration><start>0</start></interval>'
        f"{''.join(rows)}</IntervalBlock>",
    )


def meter(
    point: str,
    *blocks: Iterable[Reading],
    service: int = 0,
    number: str = "01",
    with_point: bool = True,
    **type_of: object,
) -> str:
    """A usage point with one meter reading, its reading type and its blocks."""
    path = f"RetailCustomer/9b6c/UsagePoint/{point}"
    reading, kind = f"{path}/MeterReading/{number}", f"ReadingType/{point}-{number}"
    values = {
        "accumulationBehaviour": 4,
        "flowDirection": 1,
        "kind": 12,
        "powerOfTenMultiplier": 0,
        "uom": 72,
    } | type_of
    category = f"<kind>{service}</kind>"
    parts = [
        entry(path, espi("UsagePoint", ServiceCategory=category), f"{path}/MeterReading", "LocalTimeParameters/1")
        if with_point
        else "",
        entry(reading, espi("MeterReading"), f"{reading}/IntervalBlock", kind),
        entry(kind, espi("ReadingType", **values)),
        *(block(f"{reading}/IntervalBlock/{position}", rows) for position, rows in enumerate(blocks)),
        entry(f"{path}/UsageSummary/1", espi("UsageSummary", billLastPeriod=1234)),
    ]
    return "".join(parts)


def feed(*entries: str, head: str = "") -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
{head}<feed xmlns="http://www.w3.org/2005/Atom">
  <id>urn:uuid:46bc3b50-3b2d-11e3-8c19-0002a5d5c51b</id>
  <title>Green Button Usage Feed</title>
  <updated>2021-05-01T00:00:00Z</updated>
  <link rel="self" href="RetailCustomer/9b6c/UsagePoint"/>{"".join(entries)}
</feed>
""".encode()
