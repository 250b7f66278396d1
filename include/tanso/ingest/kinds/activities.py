"""Activities: one row per sticker that a participant handed in. They accumulate over files; of the same
participant, day and action in several files the last file's count.

Whether an activity earns anything (known participant, known code, period, ...) is decided by the rules, not here.
"""

from __future__ import annotations

from typing import Any

import duckdb

from tanso.ingest.kinds import rows
from tanso.ingest.model import Context, Kind, StagedFile
from tanso.packs.sources import Source
from tanso.settings import Home

_BAD = (
    ("acted_on", "parsed.acted_on is null"),
    ("quantity", "parsed.quantity is null or parsed.quantity < 1"),
)


def judge(con: duckdb.DuckDBPyConnection, source: Source, context: Context) -> None:
    """Fields: participant_id, acted_on, action_code, quantity (a whole number, 1 or more).

    Reads ``raw``.
    Makes ``parsed``, ``refused``, ``duplicates``, ``passed``, ``good``.
    """
    con.execute(
        f"""
        create table parsed as
        select row_no, participant_id, {rows.day_macro(source)}(acted_on) as acted_on, action_code,
            try_cast(to_integer(quantity) as integer) as quantity
        from raw
        """
    )
    rows.refuse_values(con, source, _BAD)
    con.execute(
        """
        create table good as
        select row_no, participant_id, acted_on, action_code, quantity, $sha256 as source_file_id from passed
        """,
        {"sha256": context.sha256},
    )


def blame(source: Source) -> list[tuple[str, str, str]]:
    """See ``kinds``."""
    return [("bad_value", field, sql) for field, sql in _BAD]


def publish(con: duckdb.DuckDBPyConnection, home: Home, source: Source, staged: list[StagedFile]) -> dict[str, Any]:
    """All rows of the last file that has their participant, day and action: two stickers of one file are two."""
    rows.accepted(con, source, staged)
    query = rows.of_last_file("participant_id, acted_on, action_code") if staged else None
    rows.replace_table(con, home, source, "activities", query, "file_name, received_no, row_no")
    return {}


KIND = Kind(
    "activities",
    judge,
    publish,
    blame=blame,
)
