"""Returns: payout lines that the bank sent back. Of the same line in several rows or files the last one counts."""

from __future__ import annotations

from typing import Any

import duckdb

from tanso.ingest.kinds import rows
from tanso.ingest.model import Context, Kind, StagedFile
from tanso.packs.sources import Source
from tanso.settings import Home

_BAD = (("line_no", "parsed.line_no is null or parsed.line_no < 1"),)


def judge(con: duckdb.DuckDBPyConnection, source: Source, context: Context) -> None:
    """Fields: batch_id, line_no (a whole number, 1 or more), reason.

    Reads ``raw``.
    Makes ``parsed``, ``refused``, ``duplicates``, ``passed``, ``good``.
    """
    con.execute(
        """
        create table parsed as
        select row_no, batch_id, try_cast(to_integer(line_no) as integer) as line_no, coalesce(reason, $blank) as reason
        from raw
        """,
        {"blank": source.option("blank_reason")},
    )
    rows.refuse_values(con, source, _BAD)
    con.execute(
        """
        create table good as
        select row_no, batch_id, line_no, reason, $sha256 as source_file_id from passed
        """,
        {"sha256": context.sha256},
    )


def blame(source: Source) -> list[tuple[str, str, str]]:
    """See ``kinds``."""
    return [("bad_value", field, sql) for field, sql in _BAD]


def publish(con: duckdb.DuckDBPyConnection, home: Home, source: Source, staged: list[StagedFile]) -> dict[str, Any]:
    """One row per returned line. It came when the last of the files that have it did, whatever their names.

    Makes ``files``, ``accepted``.
    """
    rows.accepted(con, source, staged)
    query = """
        select * replace (max(received_at) over (partition by batch_id, line_no) as received_at) from accepted
        qualify row_number() over (partition by batch_id, line_no order by seq desc, row_no desc) = 1
    """
    rows.replace_table(con, home, source, "returns", query if staged else None, "batch_id, line_no")
    return {}


KIND = Kind(
    "returns",
    judge,
    publish,
    blame=blame,
)
