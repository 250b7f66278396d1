"""Opening points: lots of points that participants bring along. They accumulate over files; of the same participant and
day of certification in several files the last file's count."""

from __future__ import annotations

from typing import Any

import duckdb

from tanso.ingest.kinds import rows
from tanso.ingest.model import Context, Kind, StagedFile
from tanso.packs.sources import Source
from tanso.settings import Home

_BAD = (
    ("certified_on", "parsed.certified_on is null"),
    ("points", "parsed.points is null or parsed.points < 0"),
)


def judge(con: duckdb.DuckDBPyConnection, source: Source, context: Context) -> None:
    """Fields: participant_id, certified_on, points (a whole number, 0 or more).

    Reads ``raw``.
    Makes ``parsed``, ``refused``, ``duplicates``, ``passed``, ``good``.
    """
    con.execute(
        f"""
        create table parsed as
        select row_no, participant_id, {rows.day_macro(source)}(certified_on) as certified_on,
            to_integer(points) as points
        from raw
        """
    )
    rows.refuse_values(con, source, _BAD)
    con.execute(
        """
        create table good as
        select row_no, participant_id, certified_on, points, $sha256 as source_file_id from passed
        """,
        {"sha256": context.sha256},
    )


def blame(source: Source) -> list[tuple[str, str, str]]:
    """See ``kinds``."""
    return [("bad_value", field, sql) for field, sql in _BAD]


def publish(con: duckdb.DuckDBPyConnection, home: Home, source: Source, staged: list[StagedFile]) -> dict[str, Any]:
    """All lots of the last file that has their participant and day of certification."""
    rows.accepted(con, source, staged)
    # The order of all columns is total but for lots that are the same in all of them.
    query = rows.of_last_file("participant_id, certified_on") if staged else None
    rows.replace_table(con, home, source, "opening_points", query, "all")
    return {}


KIND = Kind(
    "opening_points",
    judge,
    publish,
    blame=blame,
)
