"""Make a built file fit to be read alone, and put it in the place of the published one."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from include import on_disk
from include.lake import COMPARED
from include.settings import Home

KEPT_BUILDS = 3


class NotPublishableError(RuntimeError):
    """The built file breaks what readers are promised."""


@dataclass(frozen=True)
class BuildInfo:
    """The one row of ``meta.build_info``: how the marts were made."""

    fingerprint: str
    built_at: datetime  # UTC
    code_version: str
    policy_sha256: str  # with the layouts of the payout files
    rules_sha256: str  # of all but lake and layouts; rows are carried over only between builds of the same rules
    layouts_sha256: str


def strip(database: Path, info: BuildInfo) -> None:
    """Leave only tables in the file, add ``meta.build_info``, check it and close it with nothing left to write."""
    with duckdb.connect(str(database)) as connection:
        # Views first: they read the lake, which is not in the file.
        views = connection.execute("select schema_name, view_name from duckdb_views() where not internal").fetchall()
        for schema, view in views:
            connection.execute(f'drop view if exists "{schema}"."{view}" cascade')
        connection.execute("drop schema if exists lake cascade")
        for table in COMPARED:
            connection.execute(f"drop table if exists intermediate.{table}")
        connection.execute("create schema if not exists meta")
        connection.execute(
            "create or replace table meta.build_info (fingerprint varchar, built_at timestamp, code_version varchar, "
            "policy_sha256 varchar, rules_sha256 varchar, layouts_sha256 varchar)"
        )
        built_at = info.built_at.replace(tzinfo=None)
        row = [info.fingerprint, built_at, info.code_version, info.policy_sha256, info.rules_sha256]
        row.append(info.layouts_sha256)
        connection.execute("insert into meta.build_info values (?, ?, ?, ?, ?, ?)", row)
        _check(connection)
        connection.execute("checkpoint")
    wal = _wal(database)
    if wal.exists():
        raise NotPublishableError(f"{wal} is left after CHECKPOINT; something still holds {database} open")


def _check(connection: duckdb.DuckDBPyConnection) -> None:
    """Tables only, and no column in the marts that cannot be exact."""
    views = connection.execute(
        "select schema_name || '.' || view_name from duckdb_views() where not internal"
    ).fetchall()
    if views:
        raise NotPublishableError(f"only tables may be published, not the views {', '.join(name for (name,) in views)}")
    inexact = connection.execute(
        "select schema_name || '.' || table_name || '.' || column_name || ' ' || data_type from duckdb_columns() "
        "where schema_name = 'marts' and regexp_matches(data_type, 'DOUBLE|FLOAT|REAL') order by 1"
    ).fetchall()
    if inexact:
        columns = ", ".join(column for (column,) in inexact)
        raise NotPublishableError(f"floating point in the marts: {columns}; cast to DECIMAL or an integer")


def swap_in(home: Home, database: Path, built_at: datetime) -> None:
    """Replace the published file by ``database`` (same file system): readers have the old one or the new one.

    The newest builds stay under ``warehouse/history/``, the published one among them as a hard link.
    """
    on_disk.sync(database)
    history = home.warehouse / "history"
    on_disk.private_folder(history)
    kept = history / f"{built_at:%Y%m%dT%H%M%S%fZ}.duckdb"
    try:
        os.link(database, kept)
    except OSError:  # a file system without hard links
        shutil.copy2(database, kept)
    # Beside another file a stale write-ahead log makes the database unopenable.
    _wal(home.database).unlink(missing_ok=True)
    database.replace(home.database)
    on_disk.sync(home.warehouse)
    for old in sorted(history.glob("*.duckdb"))[:-KEPT_BUILDS]:
        old.unlink()


def _wal(database: Path) -> Path:
    return database.with_name(database.name + ".wal")
