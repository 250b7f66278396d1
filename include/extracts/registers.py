"""The register in force: of every participant the row of the last accepted snapshot that has it.

A participant whose row is missing from, or refused in, a newer snapshot is kept with the last accepted row. Where the
source says ``missing_rows: withdrawn`` the member counts as withdrawn on the date in that snapshot's name; a row
refused only for a value that cannot be read changes nothing. Only a newer accepted row undoes it, so the date never
moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from include.extracts import names, rows
from include.extracts.kinds import StagedFile
from include.packs.sources import Source
from include.settings import Home

# Refusals that say nothing about the membership.
_UNREAD = "('missing_value', 'bad_value', 'duplicate_participant')"


def publish(con: duckdb.DuckDBPyConnection, home: Home, source: Source, staged: Sequence[StagedFile]) -> dict[str, Any]:
    """Write the source's ``participants`` and ``participant_utilities``.

    Returns ``kept`` (participant_id, reason, last_file, withdrawn_on: the date that counts, null if none) and ``notes``
    (participant_id, note) of the newest snapshot.
    """
    rows.accepted(con, source, staged)
    if not staged:
        rows.replace_table(con, home, source, "participants", None, "participant_id")
        rows.replace_table(con, home, source, "participant_utilities", None, "participant_id")
        return {}
    _outcomes(con, staged)
    con.execute(
        "create table last_rows as select participant_id, max(seq) as seq from accepted group by participant_id"
    )
    con.execute(
        """
        create table kept as
        select last_rows.participant_id, last_rows.seq, coalesce(reason, 'missing') as reason
        from last_rows
        left join outcomes on outcomes.participant_id = last_rows.participant_id and outcomes.seq = $newest
        where last_rows.seq < $newest
        """,
        {"newest": len(staged)},
    )
    con.execute("create table dated (seq integer, dated_on date)")
    con.executemany(
        "insert into dated values (?, ?)",
        [(seq, names.day_in(file.file_name)) for seq, file in enumerate(staged, start=1)],
    )
    con.execute(
        """
        create table withdrawals as
        select kept.participant_id, arg_min(dated_on, dated.seq) as counted_on
        from kept
        join dated on dated.seq > kept.seq
        left join outcomes on outcomes.participant_id = kept.participant_id and outcomes.seq = dated.seq
        where $withdrawn and dated_on is not null and coalesce(outcomes.is_withdrawal, true)
        group by kept.participant_id
        """,
        {"withdrawn": source.option("missing_rows") == "withdrawn"},
    )
    con.execute(
        """
        create table in_force as
        select accepted.* replace (coalesce(accepted.withdrawn_on, counted_on) as withdrawn_on)
        from accepted
        join last_rows using (participant_id, seq)
        left join withdrawals using (participant_id)
        """
    )
    rows.replace_table(con, home, source, "participants", "from in_force", "participant_id")
    meters = "select program_id, participant_id, unnest(utilities, recursive := true) from in_force"
    rows.replace_table(con, home, source, "participant_utilities", meters, "participant_id, utility")
    return _report(con, staged[-1])


def _outcomes(con: duckdb.DuckDBPyConnection, staged: Sequence[StagedFile]) -> None:
    """``outcomes`` (seq, participant_id, reason, is_withdrawal) of refused participants, one each."""
    con.execute("create table refused_rows (seq integer, participant_id varchar, reason varchar)")
    for seq, file in enumerate(staged, start=1):
        con.execute(
            "insert into refused_rows select $seq, participant_id, reason from read_parquet($path)",
            {"seq": seq, "path": str(file.also("outcomes"))},
        )
    con.execute(
        f"""
        create table outcomes as
        select seq, participant_id, bool_or(reason not in {_UNREAD}) as is_withdrawal,
            coalesce(min(reason) filter (reason not in {_UNREAD}), min(reason)) as reason
        from refused_rows
        group by seq, participant_id
        """
    )


def _report(con: duckdb.DuckDBPyConnection, newest: StagedFile) -> dict[str, Any]:
    kept = con.execute(
        """
        select kept.participant_id, reason, files.file_name, in_force.withdrawn_on::varchar
        from kept join files using (seq) join in_force using (participant_id)
        order by kept.participant_id
        """
    ).fetchall()
    notes = con.execute(
        "select participant_id, note from read_parquet($path) order by all", {"path": str(newest.also("notes"))}
    ).fetchall()
    return {
        "kept": [
            dict(zip(("participant_id", "reason", "last_file", "withdrawn_on"), row, strict=True)) for row in kept
        ],
        "notes": [dict(zip(("participant_id", "note"), row, strict=True)) for row in notes],
    }
