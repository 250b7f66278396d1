"""The files of a batch: per region what its layout declares, the vault's personal data joined at the last moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb

from tanso import sql
from tanso.cells import Substitution
from tanso.files import private_folder
from tanso.packs.names import code, shown
from tanso.payouts.files import csv_files, pain001, pdf_files, xlsx_files, zengin
from tanso.payouts.files.declared_files import TABLES, File
from tanso.payouts.files.file_models import Column
from tanso.payouts.files.layouts import Layout, check
from tanso.privacy import vault
from tanso.settings import Home

SQL = Path(__file__).with_name("region_files.sql")
PEOPLE = "-- The people are read from the vault here.\n"
# What files.sql takes from the vault: no more of a person than a file may ask for.
_PERSONAL = (
    "name", "nickname", "postal_code", "address", "address_detail", "bank_code", "branch_code", "account_type",
    "account_no", "account_holder", "card_no",
)  # fmt: skip
# rows of a file -> (view of files.sql, its order within a region)
VIEWS = {
    "lines": ("file_line", "line_no"),
    "held": ("file_held", "participant_id"),
    "rankings": ("file_ranking", "ranking_id, participant_class, rank"),
    "notices": ("file_notice", "application_id"),
    "winners": ("file_winner", "draw_order"),
}

# format -> the fields of lines that its rows are made of, where it has no columns
FIELDS = {"pain.001.001.09": pain001.FIELDS, "zengin": zengin.FIELDS}


@dataclass(frozen=True)
class Written:
    """A file of a batch: ``path`` in its folder, data rows, and what it pays (None: nothing). ``pays``: the region and
    incentive type whose lines it is the table of, if it is."""

    path: str
    rows: int
    amount: int | None
    pays: tuple[str, str] | None = None


@dataclass(frozen=True)
class Head:
    """What the files of a batch say about it. ``issued_at``: in the programme's time zone, whose days are meant."""

    program_id: str
    period_id: str
    batch_id: str
    issued_at: datetime
    currency: str
    approved_by: str


def write(
    connection: duckdb.DuckDBPyConnection, home: Home, layout: Layout, batch: Head, folder: Path
) -> tuple[list[Written], list[Substitution]]:
    """Write the files per region into ``folder``; what was written, and the characters that an encoding lacks or
    a format has no room for.

    ``connection`` holds the decision, restricted to the batch's programme and period. Raises ValueError when the vault
    lacks somebody who is to be paid, when a notice would leave out an award, or when the layout does not suit.
    """
    _prepare(connection, home, layout, batch)
    paid = _paid(connection)
    names = dict(connection.execute("select region_code, region_name from region").fetchall())
    check(layout, paid, names)
    as_of, transfer_on = sql.first(
        connection,
        "select as_of, getvariable('transfer_on') from day where program_id = ?",
        [batch.program_id],
    )
    written: list[Written] = []
    lost: list[Substitution] = []
    for file in layout.files:
        for (region, ranking), rows in _by_region(connection, file):
            plain = f"{_safe(region)}/{file.name.replace('{ranking_id}', _safe(ranking))}"
            name = plain + layout.seal.suffix(region)
            private_folder(folder / region)
            table = (region, file.incentive_type) if file.incentive_type else None
            lines, total = paid[table] if table else (0, 0)
            header = list(file.columns)
            missing: list[Substitution] = []
            with layout.seal.create(folder / name, region) as opened:
                if file.format == "csv":
                    count, missing = csv_files.write(opened, name, file.encoding, header, rows, file.header)
                elif file.format == "xlsx":
                    count = xlsx_files.write(opened, name, header, rows, file.header, batch.issued_at)
                elif file.template and file.font:
                    letter = {
                        "program_id": batch.program_id,
                        "period_id": batch.period_id,
                        "batch_id": batch.batch_id,
                        "as_of": as_of.isoformat(),
                        "region_name": names.get(region, region),
                        "awards": list(file.awards),
                    }
                    count, missing = pdf_files.write(
                        opened, name, file.template, file.font, letter, header, rows, batch.issued_at
                    )
                elif file.format == "zengin":
                    payer = layout.debtors[region]
                    count = zengin.write(opened, name, payer, transfer_on, rows, file.line_ends)
                else:
                    payer = layout.debtors.get(region, {})
                    named = pain001.identification(batch.program_id, batch.batch_id, region)
                    message = pain001.Header(
                        named,
                        batch.issued_at,
                        lines,
                        total,
                        batch.currency,
                        transfer_on,
                        names.get(region, region),
                        payer.get("bank_code"),
                        payer.get("account_no"),
                    )
                    transfers = (
                        pain001.Transfer(f"{named}-{no}", amount, bank_code, account_no, holder, note, who)
                        for who, no, amount, bank_code, account_no, holder, note in rows
                    )
                    count, missing = pain001.write(opened, name, message, transfers)
            lost += missing
            written.append(Written(name, count, total if table else None, table if file.format in TABLES else None))
    return written, lost


def _prepare(connection: duckdb.DuckDBPyConnection, home: Home, layout: Layout, batch: Head) -> None:
    note = layout.transfer_note.replace("{period_id}", batch.period_id)
    connection.execute("set variable transfer_note = ?", [note])
    connection.execute("set variable transfer_on = ?", [transfer_day(batch.issued_at, layout.transfer_days)])
    before, after = SQL.read_text("utf-8").split(PEOPLE)
    connection.execute(before)
    wanted = connection.table("wanted_person").to_arrow_table()
    why = f"files of batch {batch.batch_id}"
    people = vault.read(home, batch.program_id, wanted, why, batch.approved_by, _PERSONAL)
    connection.register("person", people)
    connection.execute(after)
    connection.unregister("person")
    nobody = connection.execute("select participant_id from file_line where not is_known order by 1 limit 1").fetchone()
    if nobody:
        raise ValueError(
            f"{batch.program_id} {batch.batch_id}: the vault lacks the account, card or name of {nobody[0]}, who "
            "is to be paid; restore the vault from its backup, or ingest and evaluate again"
        )
    for file in layout.files:
        shown = [title.removeprefix("award.") for title in file.awards.values()]
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


def transfer_day(issued_at: datetime, working_days: int) -> date:
    """The day to transfer: so many days from Monday to Friday after the day of issue, where ``issued_at`` was that day;
    public holidays are not known."""
    day = issued_at.date()
    while working_days:
        day += timedelta(days=1)
        working_days -= day.weekday() < 5
    return day


def _paid(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], tuple[int, int]]:
    """(region, incentive type) -> lines and amount."""
    rows = connection.execute(
        "select region_code, incentive_type, count(*), sum(amount)::bigint from line group by all"
    ).fetchall()
    return {(region, incentive_type): (lines, amount) for region, incentive_type, lines, amount in rows}


def _by_region(
    connection: duckdb.DuckDBPyConnection, file: File
) -> Iterator[tuple[tuple[str, str], Iterator[tuple[Any, ...]]]]:
    """(region, ranking) and its rows (participant_id, and the values of the columns), streamed: nothing else may run
    on the connection meanwhile."""
    view, order = VIEWS[file.rows]
    values: list[Any] = []
    columns = [_value(column, values) for column in file.columns.values()] or list(FIELDS[file.format])
    where = []
    for condition, value in (
        ("incentive_type = ?", file.incentive_type),
        ("list_contains(?, region_code)", sorted(file.only)),
        ("not list_contains(?, region_code)", sorted(file.but)),
    ):
        if value:
            where.append(condition)
            values.append(value)
    ranking = "ranking_id" if file.rows == "rankings" else "''"
    result = connection.execute(
        f"select region_code, {ranking}, participant_id, {', '.join(columns)} from {view} "
        f"where {' and '.join(where) or 'true'} order by region_code, {order}",
        values,
    )
    chunks = iter(lambda: result.fetchmany(10_000), [])
    for key, rows in groupby((row for chunk in chunks for row in chunk), key=itemgetter(0, 1)):
        yield key, (row[2:] for row in rows)


def _value(column: Column, values: list[Any]) -> str:
    """A column as SQL; its parameters are added to ``values``."""
    if column.field is None:
        values.append(column.text)
        return "?::varchar"
    if column.field == "award.*":
        value = "coalesce(list_sum(map_values(awards)), 0)::bigint"
    elif column.field.startswith("award."):
        value = "coalesce(map_extract_value(awards, ?), 0)"
        values.append(column.field.removeprefix("award."))
    else:
        value = column.field
    if column.date is not None:
        values.append(column.date)
        return f"strftime({value}, ?)"
    if column.pad is not None:
        # printf and lpad would cut what is longer
        values.append(column.pad)
        return (
            f"(select repeat('0', greatest(? - length(shown), 0)) || shown from (select ({value})::varchar as shown))"
        )
    return value


def _safe(name: str) -> str:
    """A code (or none) as part of a path; raises ValueError for what is none."""
    try:
        return code(name) if name else name
    except ValueError as error:
        raise ValueError(f"part of a file's name: {shown(name)} {error}") from None
