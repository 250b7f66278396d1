"""All kinds of records, by the name that a source's ``kind`` gives."""

from __future__ import annotations

from tanso.ingest.kinds import activities, applications, opening_points, participants, readings, returns, slips
from tanso.ingest.model import Kind
from tanso.packs.sources import Source

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        activities.KIND,
        applications.KIND,
        opening_points.KIND,
        participants.KIND,
        readings.KIND,
        returns.KIND,
        slips.KIND,
    )
}


def kind_of(source: Source) -> Kind:
    """The kind of a source's records; its name was checked when the source was read."""
    return KINDS[source.kind]
