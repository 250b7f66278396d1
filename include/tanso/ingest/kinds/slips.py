"""Slips: this year's and last year's usage of a participant, utility and month, as printed on the meter slip.

Fields: participant_id, utility, usage_month, usage, previous_usage.
"""

from __future__ import annotations

from typing import Any

import duckdb

from tanso.ingest.formats.unseen import fold_text
from tanso.ingest.kinds import rows
from tanso.ingest.model import Context, Kind, StagedFile
from tanso.packs.sources import Source
from tanso.settings import Home

ORDER_BY = "participant_id, utility, usage_month"  # a key: what repeats is a duplicate or in conflict


def judge(con: duckdb.DuckDBPyConnection, source: Source, context: Context) -> None:
    """Makes ``good`` (row_no, participant_id, utility, usage_month, usage, previous_usage, source_file_id).

    Reads ``raw``.
    Makes ``utilities``, ``judged``, ``repeated``, ``placed``, ``refused``, ``duplicates``, ``good``.
    """
    con.execute("create table utilities (label varchar, utility varchar, max_usage integer)")
    for label, entry in source.option("utilities").items():
        con.execute("insert into utilities values (?, ?, ?)", [fold_text(str(label)), entry["utility"], entry["max"]])
    required = " or ".join(f"raw.{field} is null" for field, column in source.columns.items() if column.not_null)
    con.execute(
        f"""
        create table judged as
        with typed as (
            select row_no, raw.participant_id, utilities.utility, utilities.max_usage,
                   to_month(raw.usage_month) as usage_month, raw.previous_usage as previous_text,
                   to_number(raw.usage) as now, to_number(raw.previous_usage) as then_,
                   ({required or "false"}) as is_missing
            from raw left join utilities on utilities.label = raw.utility
        ),
        valued as (
            select *, try_cast(now as decimal(18, 3)) as usage, try_cast(then_ as decimal(18, 3)) as previous_usage
            from typed
        )
        select row_no, participant_id, utility, usage_month, usage, previous_usage,
            case
                when is_missing then 'missing_value'
                when is_lost(participant_id) then 'bad_value'
                when usage_month is null or usage_month > {context.newest_month} then 'bad_month'
                when now is null or (previous_text is not null and then_ is null) then 'bad_number'
                when regexp_matches(now, '^-.*[1-9]') or regexp_matches(then_, '^-.*[1-9]') then 'negative_usage'
                when utility is null then 'unknown_unit'
                when coalesce(usage > max_usage, true)
                    or (then_ is not null and coalesce(previous_usage > max_usage, true))
                    then 'usage_out_of_range'
            end as reason
        from valued
        """
    )
    con.execute(
        """
        create table repeated as
        select participant_id, utility, usage_month, min(row_no) as first_row_no,
               count(distinct (usage, previous_usage)) > 1 as is_conflict
        from judged where reason is null group by all
        """
    )
    con.execute(
        """
        create table placed as
        select judged.*, is_conflict, row_no > first_row_no as is_repeated
        from judged left join repeated using (participant_id, utility, usage_month)
        """
    )
    con.execute(
        """
        create table refused as
        select row_no, coalesce(reason, 'conflicting_duplicate') as reason
        from placed where reason is not null or is_conflict
        """
    )
    con.execute(
        "create table duplicates as select row_no from placed where reason is null and not is_conflict and is_repeated"
    )
    con.execute(
        """
        create table good as
        select row_no, participant_id, utility, usage_month, usage, previous_usage, $sha256 as source_file_id
        from placed where reason is null and not is_conflict and not is_repeated
        """,
        {"sha256": context.sha256},
    )


def figures(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """``conflicts``: the participants whose differing slips of one month must be added up by hand.

    Reads ``placed``.
    """
    found = con.execute(
        "select distinct participant_id from placed where reason is null and is_conflict order by 1"
    ).fetchall()
    return {"conflicts": [participant_id for (participant_id,) in found]}


def blame(source: Source) -> list[tuple[str, str, str]]:
    """See ``kinds``."""
    causes = [
        ("bad_month", "usage_month", "true"),
        ("unknown_unit", "utility", "true"),
        ("conflicting_duplicate", "usage", "true"),
        ("conflicting_duplicate", "previous_usage", "true"),
    ]
    largest = max(entry["max"] for entry in source.option("utilities").values())
    for field in ("usage", "previous_usage"):
        causes += rows.number_causes(field, largest)
    return causes


def publish(con: duckdb.DuckDBPyConnection, home: Home, source: Source, staged: list[StagedFile]) -> dict[str, Any]:
    """One row per participant, utility and month: the last file's. Reports ``conflicts`` per file.

    Makes ``files``, ``accepted``.
    """
    rows.accepted(con, source, staged)
    query = """
        select * from accepted
        qualify row_number() over (partition by participant_id, utility, usage_month order by seq desc) = 1
    """
    rows.replace_table(con, home, source, "slips", query if staged else None, ORDER_BY)
    conflicts = {file.file_name: file.result["figures"]["conflicts"] for file in staged}
    return {"conflicts": found} if (found := {name: ids for name, ids in conflicts.items() if ids}) else {}


KIND = Kind(
    "slips",
    judge,
    publish,
    blame=blame,
    figures=figures,
    order_by=ORDER_BY,
)
