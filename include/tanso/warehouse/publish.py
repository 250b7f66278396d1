"""Make built files fit to be read alone, and put them in the place of the published ones."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from tanso import sql
from tanso.files import keep_to_owner, private_folder, shared_folder, sync
from tanso.lake import COMPARED
from tanso.settings import Home
from tanso.warehouse import published

KEPT_BUILDS = 2  # beside the published one


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


def strip(built: Home, info: BuildInfo) -> None:
    """Leave only tables in the files, add ``meta.build_info`` to the private one, check the marts, and close both with
    nothing left to write."""
    with duckdb.connect(str(built.carried)) as connection:
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
        connection.execute("checkpoint")
    with duckdb.connect(str(built.database)) as connection:
        _check(connection)
        connection.execute("checkpoint")
    for path in (built.carried, built.database):
        if published.wal(path).exists():
            raise NotPublishableError(f"{published.wal(path)} is left after CHECKPOINT; something still has it open")


def write_parquet(built: Home) -> None:
    """Write every mart as ``marts/<mart>.parquet`` beside the built files."""
    folder = built.warehouse / "marts"
    folder.mkdir()
    with duckdb.connect() as connection:
        connection.execute("set preserve_insertion_order = false")
        connection.execute(f"attach {sql.text(built.database)} as built (read_only)")
        tables = connection.execute("select table_name from duckdb_tables() where database_name = 'built'").fetchall()
        for (mart,) in tables:
            path = sql.text(folder / f"{mart}.parquet")
            connection.execute(f"copy built.marts.{sql.name(mart)} to {path} (format parquet, compression zstd)")


def _check(connection: duckdb.DuckDBPyConnection) -> None:
    """Tables of the marts only, and no column in them that cannot be exact."""
    others = connection.execute(
        "select distinct schema_name from duckdb_tables() where schema_name <> 'marts' order by 1"
    ).fetchall()
    if others:
        raise NotPublishableError(f"only marts may be published, not {', '.join(name for (name,) in others)}")
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


def swap_in(home: Home, built: Home, built_at: datetime, keep_old: bool) -> None:
    """Put the built files (same file system) in the place of the published ones, and note what they are.

    Of each file readers have the old one or the new one. ``keep_old``: the marts that were published, as they were
    published, stay under ``warehouse/history/`` with the newest of those before.
    """
    marts = sorted(path.relative_to(built.warehouse).as_posix() for path in built.warehouse.glob("marts/*.parquet"))
    names = [home.carried.name, home.database.name, *marts]
    for name in names:
        (built.warehouse / name).chmod(0o600 if name == home.carried.name else 0o444)
        sync(built.warehouse / name)
    files = published.described(built.warehouse, names)
    shared_folder(home.warehouse / "marts")
    with published.lock(home, exclusive=True):
        known = published.read(home) if keep_old else None
        kept = _keep(home, known) if known else None
        for name in names:
            published.wal(home.warehouse / name).unlink(missing_ok=True)
            (built.warehouse / name).replace(home.warehouse / name)
        for path in home.warehouse.glob("marts/*"):
            if path.relative_to(home.warehouse).as_posix() not in marts:
                path.unlink()
        if kept:
            keep_to_owner(kept)  # its inode is history's alone now
        published.write(home, f"{built_at:%Y%m%dT%H%M%S%fZ}", files)
        sync(home.warehouse / "marts")
    for old in sorted((home.warehouse / "history").glob("*.duckdb"))[:-KEPT_BUILDS]:
        old.unlink()


def _keep(home: Home, known: dict[str, Any]) -> Path:
    """The published marts (``known``) under ``history/``: the name says when it was built and what its SHA-256 begins
    with."""
    history = private_folder(home.warehouse / "history")
    kept = history / f"{known['built_at']}-{known['files'][home.database.name]['sha256'][:12]}.duckdb"
    if not kept.exists():
        try:
            os.link(home.database, kept)  # a copy is not needed: the published file itself is replaced
        except OSError:  # a file system without hard links
            shutil.copy2(home.database, kept)
    return kept
