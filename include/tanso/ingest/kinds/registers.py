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

from tanso.ingest import names
from tanso.ingest.kinds import rows, values
from tanso.ingest.model import StagedFile
from tanso.packs.sources import Source
from tanso.settings import Home

# Refusals that say nothing about the membership.
_UNREAD = "('missing_value', 'bad_value', 'duplicate_participant')"


def publish(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    source: Source,
    staged: Sequence[StagedFile],
    others: Sequence[tuple[Source, Sequence[StagedFile]]] = (),
) -> dict[str, Any]:
    """Write the source's ``participants`` and ``participant_utilities``; without who counts in one of the ``others``,
    the programme's other registers.

    Returns ``kept`` (participant_id, reason, last_file, withdrawn_on: the date that counts, null if none) and ``notes``
    (participant_id, note) of the newest snapshot, and ``duplicate_participant`` (participant_id, reason, last_file) who
    counts elsewhere.
    Makes what ``_make_in_force`` and ``_leave_to_others`` make.
    """
    if not staged:
        rows.accepted(con, source, staged)
        rows.replace_table(con, home, source, "participants", None, "participant_id")
        rows.replace_table(con, home, source, "participant_utilities", None, "participant_id")
        return {}
    _make_in_force(con, source, staged)
    elsewhere = _leave_to_others(con, source, others)
    rows.replace_table(con, home, source, "participants", "from in_force", "participant_id")
    meters = "select program_id, participant_id, unnest(utilities, recursive := true) from in_force"
    rows.replace_table(con, home, source, "participant_utilities", meters, "participant_id, utility")
    return _report(con, staged[-1]) | elsewhere


def _leave_to_others(
    con: duckdb.DuckDBPyConnection, source: Source, others: Sequence[tuple[Source, Sequence[StagedFile]]]
) -> dict[str, Any]:
    """Take from ``in_force`` whose row in another register counts: a member's before that of one who withdrew, moved
    out or is no longer in it, else that of the first source by name.

    Makes ``elsewhere``, ``left_to``.
    Changes ``in_force``.
    """
    con.execute("create table elsewhere (participant_id varchar, source_id varchar, is_member boolean)")
    for other, staged in others:
        if staged:
            with duckdb.connect() as beside:
                values.install(beside)
                _make_in_force(beside, other, staged)
                query = "select participant_id, $own as source_id, is_member from in_force"
                theirs = beside.sql(query, params={"own": other.source_id}).to_arrow_table()
            con.from_arrow(theirs).insert_into("elsewhere")
    con.execute(
        """
        create table left_to as
        select in_force.participant_id, file_name,
            arg_min(elsewhere.source_id, (not elsewhere.is_member, elsewhere.source_id)) as source_id
        from in_force join elsewhere using (participant_id)
        where (not elsewhere.is_member, elsewhere.source_id) < (not in_force.is_member, $own)
        group by in_force.participant_id, file_name
        """,
        {"own": source.source_id},
    )
    found = con.execute("select participant_id, source_id, file_name from left_to order by all").fetchall()
    con.execute("delete from in_force where participant_id in (select participant_id from left_to)")
    if not found:
        return {}
    said = "is in {} too, whose row counts; have the number taken out of one of the registers"
    return {
        "duplicate_participant": [
            {"participant_id": participant_id, "reason": said.format(source_id), "last_file": file_name}
            for participant_id, source_id, file_name in found
        ]
    }


def _make_in_force(con: duckdb.DuckDBPyConnection, source: Source, staged: Sequence[StagedFile]) -> None:
    """``in_force``, and ``kept``: who is not in the newest of the snapshots.

    Makes ``files``, ``accepted``, ``refused_rows``, ``outcomes``, ``last_rows``, ``kept``, ``dated``,
    ``withdrawals``, ``in_force``.
    """
    rows.accepted(con, source, staged)
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
        select accepted.* replace (coalesce(accepted.withdrawn_on, counted_on) as withdrawn_on),
            coalesce(accepted.withdrawn_on, counted_on, moved_out_on) is null
                and coalesce(reason in $unread, true) as is_member
        from accepted
        join last_rows using (participant_id, seq)
        left join withdrawals using (participant_id)
        left join kept using (participant_id)
        """.replace("$unread", _UNREAD)
    )


def _outcomes(con: duckdb.DuckDBPyConnection, staged: Sequence[StagedFile]) -> None:
    """``outcomes`` (seq, participant_id, reason, is_withdrawal) of refused participants, one each.

    Makes ``refused_rows``, ``outcomes``.
    """
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
    """Reads ``kept``, ``files``, ``in_force``."""
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
