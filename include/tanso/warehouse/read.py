"""Read-only access to the published marts."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from tanso import sql
from tanso.settings import Home
from tanso.warehouse import published
from tanso.warehouse.published import ChangedError, NotPublishedError

__all__ = ["ChangedError", "NotPublishedError", "attach", "connect", "published_fingerprint"]


def connect(home: Home, by_bytes: bool = True) -> duckdb.DuckDBPyConnection:
    """A connection to what is published, read-only; it keeps its snapshot when a newer build is published.

    Schemas: ``marts``; of the private file ``intermediate``, ``policy`` and ``meta``. ``by_bytes``: see
    ``published.changed``. Raises NotPublishedError when there is nothing, ChangedError when it is not what was
    published or another program has it open for writing.
    """
    connection = duckdb.connect()
    try:
        attach(connection, home, "tanso", by_bytes)
        schemas = connection.execute(
            "select database_name || '.' || schema_name from duckdb_schemas() "
            "where database_name in ('tanso', 'carried') and schema_name <> 'main' order by database_name = 'carried'"
        ).fetchall()
        connection.execute(f"set search_path = {sql.text(','.join(name for (name,) in schemas))}")
    except BaseException:
        connection.close()
        raise
    return connection


def attach(connection: duckdb.DuckDBPyConnection, home: Home, marts: str, by_bytes: bool = True) -> None:
    """Attach the published marts under that name, and the private file as ``carried``; raises what ``connect`` does."""
    if not home.warehouse.exists():
        raise NotPublishedError(home)
    # Attached, not opened: DuckDB gives who opens a path again in one process the instance that is open already, so the
    # file that was replaced, and not the one that is there now.
    with published.lock(home):
        published.check(home, by_bytes)
        _attach(connection, home.database, marts)
        _attach(connection, home.carried, "carried")


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    try:
        connection.execute(f"attach {sql.text(path)} as {sql.name(name)} (read_only)")
    except duckdb.IOException as error:
        if "lock" not in str(error):
            raise
        holder = re.search(r"PID [0-9]+", str(error))
        raise ChangedError(
            f"{path} is open for writing in another program{f' ({holder[0]})' if holder else ''}; nobody may write to "
            "published marts. Next step: close it there, then make evaluate, and run this again"
        ) from None


def published_fingerprint(home: Home) -> str | None:
    """The fingerprint of the published build; None if there is none, or it is not as it was published."""
    try:
        with duckdb.connect() as connection:
            _attach(connection, home.carried, "carried")
            row = connection.execute("select fingerprint from carried.meta.build_info").fetchone()
    except (ChangedError, duckdb.Error):
        return None
    return row[0] if row else None
