"""The files of a batch: per region what its layout declares, the vault's personal data joined at the last moment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb

from include.extracts import vault
from include.payouts import csv_files, pain001, pdf_files
from include.payouts.csv_files import Substitution
from include.payouts.layouts import File, Layout
from include.payouts.ledger import private_folder
from include.settings import Home

SQL = Path(__file__).with_name("files.sql")
PEOPLE = "-- The people are read from the vault here.\n"
# rows of a file -> (view of files.sql, its order within a region)
VIEWS = {
    "lines": ("file_line", "line_no"),
    "held": ("file_held", "participant_id"),
    "rankings": ("file_ranking", "ranking_id, participant_class, rank"),
    "notices": ("file_notice", "application_id"),
    "winners": ("file_winner", "draw_order"),
}


@dataclass(frozen=True)
class Written:
    """A file of a batch: ``path`` in its folder, data rows, and what it pays (None: nothing)."""

    path: str
    rows: int
    amount: int | None


@dataclass(frozen=True)
class Head:
    """What the files of a batch say about it."""

    program_id: str
    period_id: str
    batch_id: str
    issued_at: datetime
    currency: str
    approved_by: str


def write(
    connection: duckdb.DuckDBPyConnection, home: Home, layout: Layout, batch: Head, folder: Path
) -> tuple[list[Written], list[Substitution]]:
    """Write the files per region into ``folder``; what was written, and the characters that an encoding lacks.

    ``connection`` holds the decision, restricted to the batch's programme and period. Raises ValueError when the vault
    lacks somebody who is to be paid, or when a notice would leave out an award.
    """
    _prepare(connection, home, layout, batch)
    paid = _paid(connection)
    without_file = {kind for _, kind in paid} - {file.incentive_type for file in layout.files if file.format == "csv"}
    if without_file:
        raise ValueError(
            f"payouts.yml of {batch.program_id}: no CSV file pays incentive_type {', '.join(sorted(without_file))}; "
            "add one"
        )
    names = dict(connection.execute("select region_code, region_name from region").fetchall())
    (as_of,) = connection.execute("select getvariable('as_of')").fetchone()
    written: list[Written] = []
    lost: list[Substitution] = []
    for file in layout.files:
        for (region, ranking), rows in _by_region(connection, file):
            name = f"{_safe(region)}/{file.name.replace('{ranking_id}', _safe(ranking))}"
            private_folder(folder / region)
            lines, amount = paid[region, file.incentive_type] if file.pays else (None, None)
            if file.format == "csv":
                count, missing = csv_files.write(folder / name, name, layout.encoding, list(file.columns), rows)
                lost += missing
            elif file.format == "pdf":
                letter = {
                    "program_id": batch.program_id,
                    "period_id": batch.period_id,
                    "batch_id": batch.batch_id,
                    "as_of": as_of.isoformat(),
                    "region_name": names.get(region, region),
                    "awards": [title for title, field in file.columns.items() if field.startswith("award.")],
                }
                count, missing = pdf_files.write(
                    folder / name, name, file.template, file.font, letter, list(file.columns), rows, batch.issued_at
                )
                lost += missing
            else:
                payer = layout.debtors.get(region, {})
                header = pain001.Header(
                    f"{batch.batch_id}-{region}",
                    batch.issued_at,
                    lines,
                    amount,
                    batch.currency,
                    names.get(region, region),
                    payer.get("bank_code"),
                    payer.get("account_no"),
                )
                transfers = (pain001.Transfer(f"{batch.batch_id}-{line_no}", *rest) for line_no, *rest in rows)
                count = pain001.write(folder / name, header, transfers)
            written.append(Written(name, count, amount))
    return written, lost


def _prepare(connection: duckdb.DuckDBPyConnection, home: Home, layout: Layout, batch: Head) -> None:
    note = layout.transfer_note.format(period_id=batch.period_id)
    connection.execute("set variable transfer_note = ?", [note])
    before, after = SQL.read_text("utf-8").split(PEOPLE)
    connection.execute(before)
    wanted = connection.table("wanted_person").to_arrow_table()
    connection.register(
        "person", vault.read(home, batch.program_id, wanted, f"files of batch {batch.batch_id}", batch.approved_by)
    )
    connection.execute(after)
    nobody = connection.execute("select participant_id from file_line where not is_known order by 1 limit 1").fetchone()
    if nobody:
        raise ValueError(
            f"{batch.program_id} {batch.batch_id}: the vault lacks the account, card or name of {nobody[0]}, who "
            "is to be paid; restore the vault from its backup, or ingest and evaluate again"
        )
    for file in layout.files:
        shown = [field.removeprefix("award.") for field in file.columns.values() if field.startswith("award.")]
        if file.rows != "notices" or "*" in shown:
            continue
        left_out = connection.execute(
            "select award_type from (select distinct unnest(map_keys(awards)) as award_type from award) "
            "where not list_contains(?, award_type) order by 1 limit 1",
            [shown],
        ).fetchone()
        if left_out:
            raise ValueError(
                f"payouts.yml of {batch.program_id}: {file.name} has no column for award.{left_out[0]}, granted in "
                f"{batch.period_id}; add one"
            )


def _paid(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], tuple[int, int]]:
    """(region, incentive type) -> lines and amount."""
    rows = connection.execute(
        "select region_code, incentive_type, count(*), sum(amount)::bigint from line group by all"
    ).fetchall()
    return {(region, incentive_type): (lines, amount) for region, incentive_type, lines, amount in rows}


def _by_region(
    connection: duckdb.DuckDBPyConnection, file: File
) -> Iterator[tuple[tuple[str, str], Iterator[tuple[Any, ...]]]]:
    """(region, ranking) and its rows, streamed: nothing else may run on the connection meanwhile."""
    view, order = VIEWS[file.rows]
    values: list[Any] = []
    columns = []
    for field in file.columns.values() or pain001.FIELDS:
        if field == "award.*":
            columns.append("coalesce(list_sum(map_values(awards)), 0)::bigint")
        elif field.startswith("award."):
            columns.append("coalesce(map_extract_value(awards, ?), 0)")
            values.append(field.removeprefix("award."))
        else:
            columns.append(field)
    where = ""
    if file.incentive_type:
        where = "where incentive_type = ?"
        values.append(file.incentive_type)
    ranking = "ranking_id" if file.rows == "rankings" else "''"
    result = connection.execute(
        f"select region_code, {ranking}, {', '.join(columns)} from {view} {where} order by region_code, {order}", values
    )
    chunks = iter(lambda: result.fetchmany(10_000), [])
    for key, rows in groupby((row for chunk in chunks for row in chunk), key=itemgetter(0, 1)):
        yield key, (row[2:] for row in rows)


def _safe(name: str) -> str:
    """A code as part of a path; raises ValueError for what is none."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", name):
        raise ValueError(f"{name!r} cannot be part of a file name; codes and ids are of letters, digits, - and _")
    return name
