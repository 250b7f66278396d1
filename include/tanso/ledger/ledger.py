"""The ledger: the set of issued batches under ``exports/<program_id>/<period_id>/<batch_id>/``.

No database holds what was paid: the folders do. ``refresh`` copies their lines to ``lake/ledger/`` so that the rules
can read them like any other table.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from tanso import leftovers, sql
from tanso.files import keep_to_owner, locked, private_folder
from tanso.lake import TABLES, columns_sql
from tanso.ledger import issue_log
from tanso.ledger.issue_log import LedgerError
from tanso.settings import Home

# Which lists a batch brought (its ``listed.parquet``), so that a notice is sent and a lottery published once.
LISTED = {
    "program_id": "VARCHAR",
    "period_id": "VARCHAR",
    "batch_id": "VARCHAR",
    "list": "VARCHAR",  # notices | lottery | ranking_<ranking_id>
    "region_code": "VARCHAR",
    "item": "VARCHAR",  # application_id of a notice; else null
    "stage": "VARCHAR",  # award types certified after the application, space-separated; else blank
}

# Where what has no account or card was sent (``delivered.parquet``), so that what came back is not sent there again.
DELIVERED = {
    "program_id": "VARCHAR",
    "period_id": "VARCHAR",
    "batch_id": "VARCHAR",
    "line_no": "INTEGER",
    "address_key": "VARCHAR",  # keyed hash; null where the register has no address
}


@contextmanager
def lock(home: Home) -> Iterator[None]:
    """Wait until nobody else proposes or issues in this home; the lock goes with the process, however it ends."""
    private_folder(home.exports)
    with locked(home.exports / ".lock"):
        leftovers.remove(home.exports, home.proposals, home.approvals, home.issue_log, home.lake / "ledger")
        yield


def batches(home: Home) -> list[Path]:
    """The folders of all issued batches, sorted. What begins with a dot is no batch (yet)."""
    found = (path for path in home.exports.glob("*/*/*") if path.is_dir())
    return sorted(path for path in found if not any(part.startswith(".") for part in path.parts[-3:]))


def next_batch_id(home: Home, program_id: str, period_id: str) -> str:
    """``<period_id>-<nnn>``, one more than the highest number issued."""
    numbers = [path.name.rpartition("-")[2] for path in batches(home) if path.parts[-3:-1] == (program_id, period_id)]
    return f"{period_id}-{max((int(number) for number in numbers), default=0) + 1:03d}"


def load(connection: duckdb.DuckDBPyConnection, home: Home) -> int:
    """Make the tables ``ledger`` (columns as in the lake) and ``listed`` from the batches on disk; their number.

    Raises LedgerError naming the batch whose manifest is missing or does not agree with its lines, or that was issued
    and is not there any more.
    """
    connection.execute(f"create or replace table ledger ({columns_sql('ledger')})")
    folders = batches(home)
    manifests = [_manifest(folder) for folder in folders]
    issue_log.check(home, folders)
    if not folders:
        _read(connection, "listed", LISTED, folders)
        return 0
    connection.execute(
        "create or replace temp table manifests "
        "(program_id varchar, period_id varchar, batch_id varchar, issued_at timestamp, lines bigint, amount bigint)"
    )
    rows = [
        (m["program_id"], m["period_id"], m["batch_id"], _utc(m["issued_at"]), m["lines"], m["amount"])
        for m in manifests
    ]
    connection.executemany("insert into manifests values (?, ?, ?, ?, ?, ?)", rows)
    _read(connection, "delivered", DELIVERED, folders)
    of = {"issued_at": "m", "address_key": "d"}
    columns = ", ".join(f"{of.get(name, 'l')}.{name}" for name in TABLES["ledger"])
    connection.execute(
        f"insert into ledger select {columns} from read_parquet(?) as l "
        "join manifests as m using (program_id, period_id, batch_id) "
        "left join delivered as d using (program_id, period_id, batch_id, line_no)",
        [[str(folder / "lines.parquet") for folder in folders]],
    )
    _check(connection)
    _read(connection, "listed", LISTED, folders)
    return len(folders)


def _read(connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str], folders: list[Path]) -> None:
    """Make ``table`` from ``<table>.parquet`` of the batches that have one."""
    described = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    connection.execute(f"create or replace table {table} ({described})")
    paths = [str(folder / f"{table}.parquet") for folder in folders if (folder / f"{table}.parquet").exists()]
    if paths:
        connection.execute(f"insert into {table} select {', '.join(columns)} from read_parquet(?)", [paths])


def refresh(home: Home) -> int:
    """Write ``lake/ledger/ledger.parquet`` from the batches; its number of lines. Without batches there is no file."""
    target = home.lake / "ledger" / "ledger.parquet"
    with duckdb.connect() as connection:
        if not load(connection, home):
            target.unlink(missing_ok=True)
            return 0
        private_folder(target.parent)
        aside = target.with_name(f".ledger-{os.getpid()}.tmp")
        connection.sql("from ledger order by program_id, period_id, batch_id, line_no").write_parquet(str(aside))
        keep_to_owner(aside).replace(target)
        return int(sql.scalar(connection, "select count(*) from ledger"))


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise LedgerError(f"{folder}: no readable manifest.json ({error}); restore the batch from its backup") from None
    where = (manifest.get("program_id"), manifest.get("period_id"), manifest.get("batch_id"))
    if where != folder.parts[-3:]:
        raise LedgerError(f"{folder}: manifest.json is that of {'/'.join(map(str, where))}; restore it from its backup")
    if not (folder / "lines.parquet").exists():
        raise LedgerError(f"{folder}: lines.parquet is missing; restore the batch from its backup")
    return manifest


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)


def _check(connection: duckdb.DuckDBPyConnection) -> None:
    wrong = connection.execute(
        """
        select m.program_id, m.period_id, m.batch_id, m.lines, m.amount, count(l.line_no) as found,
            coalesce(sum(l.amount), 0) as paid
        from manifests as m left join ledger as l using (program_id, period_id, batch_id)
        group by all
        having found <> m.lines or paid <> m.amount
        order by all limit 1
        """
    ).fetchone()
    if wrong:
        *folder, lines, amount, found, paid = wrong
        raise LedgerError(
            f"exports/{'/'.join(folder)}: manifest.json says {lines} lines of {amount}, lines.parquet has {found} of "
            f"{paid}; restore the batch from its backup"
        )
