"""What the kinds have in common where a row stands for itself (registers, applications, activities, ...).

A kind parses ``raw`` into ``parsed`` (row_no, ...) and then refuses step by step; ``passed`` is what is left of it.
Every row of its ``good`` has source_file_id, by which ``accepted`` finds the file again when the lake is written.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb

from tanso import lake, lake_files, sql
from tanso.ingest.model import StagedFile, as_received
from tanso.lake import TABLES
from tanso.packs.sources import Source
from tanso.settings import Home


def compact(text: Any) -> str:
    """A declared label as values are compared: NFKC-folded, without spaces."""
    return "".join(unicodedata.normalize("NFKC", str(text)).split())


def value_of(text: str, values: Mapping[Any, Any]) -> str:
    """SQL for the declared value (text, or true/false) of the label that the SQL ``text`` holds; NULL for any other."""
    if not values:
        return "null::varchar"
    cases = " ".join(f"when {sql.text(compact(label))} then {_literal(value)}" for label, value in values.items())
    return f"case compact({text}) {cases} end"


def _literal(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else sql.text(value)


def day_macro(source: Source) -> str:
    """The macro that reads the source's dates."""
    return {"japanese": "to_day_ja", "month_first": "to_day_us"}.get(source.dates, "to_day")


def complete_fields(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Make the view ``fields``: ``raw`` and, as NULL, those of ``names`` that the source does not declare.

    Reads ``raw``.
    Makes ``fields``.
    """
    there = [row[0] for row in con.execute("describe raw").fetchall()]
    absent = "".join(f", null::varchar as {sql.name(name)}" for name in names if name not in there)
    con.execute(f"create view fields as select raw.*{absent} from raw")


def kept(field: str) -> str:
    """SQL on ``fields``: a name or address as received."""
    return f"coalesce(fields.{sql.name(as_received(field))}, fields.{sql.name(field)})"


def refuse_values(con: duckdb.DuckDBPyConnection, source: Source, bad: Sequence[tuple[str, str]]) -> None:
    """Start ``refused``: ``missing_value`` where a required field is blank, ``bad_value`` where one of ``bad`` holds
    (field, SQL on ``parsed`` and ``raw``) or a field's value is lost.

    Makes ``duplicates`` too: of the rows left, those identical in every declared field; the first stays.
    Reads ``raw``, ``parsed``.
    Makes ``refused``, ``duplicates``, ``passed``.
    """
    required = [f"raw.{sql.name(field)} is null" for field, column in source.columns.items() if column.not_null]
    wrong = [test for _, test in bad] + [f"is_lost(raw.{sql.name(field)})" for field in source.columns]
    con.execute(
        f"""
        create table refused as
        select row_no, reason
        from (
            select parsed.row_no,
                case
                    when {" or ".join(required) or "false"} then 'missing_value'
                    when coalesce({" or ".join(f"({test})" for test in wrong)}, false) then 'bad_value'
                end as reason
            from parsed join raw on raw.row_no = parsed.row_no
        )
        where reason is not null
        """
    )
    fields = ", ".join(map(sql.name, source.columns))
    # Rows with an equal hash are few: only they are compared field by field.
    con.execute(
        f"""
        create table duplicates as
        with hashed as (
            select row_no, hash({fields}) as digest from raw anti join refused using (row_no)
        ),
        suspects as (
            select row_no from hashed where digest in (select digest from hashed group by digest having count(*) > 1)
        ),
        counted as (
            select row_no, row_number() over (partition by {fields} order by row_no) as copy
            from raw semi join suspects using (row_no)
        )
        select row_no from counted where copy > 1
        """
    )
    con.execute(
        """
        create view passed as
        select * from parsed anti join refused using (row_no) anti join duplicates using (row_no)
        """
    )


def number_causes(field: str, largest: int) -> list[tuple[str, str, str]]:
    """What may be wrong with a usage, for ``blame``."""
    cell = f"raw.{sql.name(field)}"
    number = f"to_number({cell})"
    beyond = f"coalesce(try_cast({number} as decimal(18, 3)) > {largest}, {number} is not null)"
    return [
        ("bad_number", field, f"{cell} is not null and {number} is null"),
        ("negative_usage", field, f"starts_with({number}, '-') and regexp_matches({number}, '[1-9]')"),
        ("usage_out_of_range", field, beyond),
    ]


def refuse_repeated(con: duckdb.DuckDBPyConnection, key: str, reason: str) -> None:
    """Of the rows that passed with the same ``key`` the first stays.

    Reads ``passed``.
    Adds to ``refused``.
    """
    con.execute(
        f"""
        insert into refused
        select row_no, $reason
        from passed join (select {key}, min(row_no) as first_row from passed group by {key}) using ({key})
        where row_no > first_row
        """,
        {"reason": reason},
    )


def accepted(con: duckdb.DuckDBPyConnection, source: Source, staged: Sequence[StagedFile]) -> None:
    """Make ``files`` (seq, source_file_id, file_name, received_no, received_at) and, if there are any, ``accepted``:
    all staged rows with program_id and their file's seq (1, 2, ... in the order of supersession), file_name,
    received_no and received_at (UTC).

    Makes ``files``, ``accepted``.
    """
    con.execute(
        "create table files (seq integer, source_file_id varchar primary key, file_name varchar, received_no integer, "
        "received_at timestamp)"
    )
    if not staged:
        return
    con.executemany(
        "insert into files values (?, ?, ?, ?, ?)",
        [
            (seq, file.sha256, file.file_name, file.received_no, file.received_at.rstrip("Z"))
            for seq, file in enumerate(staged, start=1)
        ],
    )
    con.execute(
        f"""
        create view accepted as
        select {sql.text(source.program_id)} as program_id,
            seq, file_name, received_no, received_at, staged.*
        -- by name: what a purge kept of erased files lacks the columns that came after its day
        from read_parquet({sql.texts(file.checked() for file in staged)}, union_by_name = true) as staged
        join files on files.source_file_id = staged.source_file_id
        """
    )


def of_last_file(key: str) -> str:
    """Query: the rows of ``accepted`` that no later file has the ``key`` of, with all rows that a file has of it.

    Reads ``accepted``.
    """
    return f"select * from accepted qualify seq = max(seq) over (partition by {key})"


def replace_table(
    con: duckdb.DuckDBPyConnection, home: Home, source: Source, table: str, query: str | None, order_by: str
) -> None:
    """Write the source's share of a lake table from ``query``, which names the table's columns; None: no share."""
    path = home.lake / table / f"{source.source_id}.parquet"
    if query is None:
        lake.remove(path)
        return
    listed = ", ".join(f'"{column}"::{kind} as "{column}"' for column, kind in TABLES[table].items())
    lake_files.publish(con, f"select {listed} from ({query}) order by {order_by}", path)
