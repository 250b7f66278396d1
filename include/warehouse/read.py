"""Read-only access to the published marts."""

from __future__ import annotations

import duckdb

from include import quoted
from include.settings import Home


class NotPublishedError(FileNotFoundError):
    """No evaluation has been published in this home yet."""


def connect(home: Home) -> duckdb.DuckDBPyConnection:
    """A connection to ``warehouse/tanso.duckdb``, read-only; it keeps its snapshot when a newer file is published.

    Raises NotPublishedError when there is none.
    """
    if not home.database.exists():
        raise NotPublishedError(f"{home.database} does not exist: nothing is evaluated yet; run `make run` first")
    # Attached, not opened: DuckDB gives who opens a path again in one process the instance that is open already, so the
    # file that was replaced, and not the one that is there now.
    connection = duckdb.connect()
    try:
        connection.execute(f"attach {quoted.text(home.database)} as tanso (read_only)")
        connection.execute("use tanso")
    except BaseException:
        connection.close()
        raise
    return connection


def published_fingerprint(home: Home) -> str | None:
    """The fingerprint of the published build; None if there is none, or none that can be read."""
    try:
        with connect(home) as connection:
            row = connection.execute("select fingerprint from meta.build_info").fetchone()
    except (NotPublishedError, duckdb.Error):
        return None
    return row[0] if row else None
