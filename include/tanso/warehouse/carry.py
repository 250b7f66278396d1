"""Begin a build with the published files, so that only what has changed since is made anew.

Carried rows are right only under the same rules: a file that other code, policy or DuckDB has made is never begun with.
Which rows are stale is worked out in dbt (``int_reading_months``, ``int_changed_units``, ``int_period_inputs``) from
the tables ``lake.COMPARED`` that are filled here.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from pathlib import Path

import duckdb

from tanso import sql
from tanso.lake import COMPARED, create_sources
from tanso.settings import Home
from tanso.warehouse.fingerprint import code_hash

STORAGE_VERSION = "v1.2.0"  # of the published file: clients from this version on can read it
_FICLONE = 0x40049409  # linux/fs.h: share the blocks until one of the two files is written to

# table of lake.COMPARED -> the published table that it is
_PUBLISHED = {
    "published_reading_months": "int_reading_months",
    "published_reading_files": "int_reading_files",
    "published_units": "int_metered_units",
    "published_period_inputs": "int_period_inputs",
}


def rules_hash(policy_fingerprint: str, project: Path) -> str:
    """SHA-256 of everything but the lake that decides what the marts say."""
    rules = f"{policy_fingerprint} {code_hash(project)} {duckdb.__version__}"
    return hashlib.sha256(rules.encode()).hexdigest()


def begin(home: Home, aside: Home, files: dict[str, str], rules: str, anew: bool) -> None:
    """Make the two files of ``aside``, the private one with schema ``lake``: copies of what is published if the same
    ``rules`` made it, else empty.

    ``files``: the lake's, with their SHA-256. ``anew``: empty in any case; it must be if what is published was changed.
    """
    carried = not anew and _published_rules(home) == rules
    if carried:
        _clone(home.database, aside.database)
        _clone(home.carried, aside.carried)
    else:
        make_empty(aside.database)
    with duckdb.connect(str(aside.carried)) as connection:
        write_sources(connection, home.lake, files)
        if carried and _has_all(connection):
            for table, published in _PUBLISHED.items():
                connection.execute(f"alter table intermediate.{published} rename to {table}")
                connection.execute(f"drop table lake.{table}")
                columns = ", ".join(COMPARED[table])
                connection.execute(f"create view lake.{table} as select {columns} from intermediate.{table}")


def make_empty(database: Path) -> None:
    """An empty file for the marts, which clients of older versions can read."""
    with duckdb.connect() as connection:
        connection.execute(f"attach {sql.text(database)} as marts (storage_version {sql.text(STORAGE_VERSION)})")


def write_sources(connection: duckdb.DuckDBPyConnection, lake: Path, files: dict[str, str]) -> None:
    """Make schema ``lake`` with what nothing was published of: views over its ``files`` (with their SHA-256)."""
    create_sources(connection, lake)
    if months := _reading_months(files):  # a programme of slips has none
        connection.executemany("insert into lake.reading_months values (?, ?)", months)


def _published_rules(home: Home) -> str | None:
    """None: there is no published file, none that can be read, or one of a version that carried nothing."""
    try:
        with duckdb.connect() as connection:
            connection.execute(f"attach {sql.text(home.carried)} as carried (read_only)")
            row = connection.execute("select rules_sha256 from carried.meta.build_info").fetchone()
    except duckdb.Error:
        return None
    return row[0] if row else None


def _has_all(connection: duckdb.DuckDBPyConnection) -> bool:
    """Other projects than ours (there are some in the tests) have no such tables, and carry nothing."""
    found = connection.execute(
        "select count(*) from duckdb_tables() where schema_name = 'intermediate' and list_contains(?, table_name)",
        [list(_PUBLISHED.values())],
    ).fetchone()
    return found == (len(_PUBLISHED),)


def _reading_months(files: dict[str, str]) -> list[list[str]]:
    """Usage month (first day) and digest of its files' bytes."""
    months: dict[str, list[str]] = {}
    for path, sha256 in files.items():
        table, *folders, _ = path.split("/")
        if table == "readings":
            months.setdefault(folders[-1].removeprefix("usage_month="), []).append(f"{path} {sha256}")
    return [[f"{month}-01", hashlib.sha256("\n".join(lines).encode()).hexdigest()] for month, lines in months.items()]


def _clone(source: Path, target: Path) -> None:
    """Copy, without copying where the file system can share blocks."""
    with source.open("rb") as old, target.open("wb") as new:
        try:
            fcntl.ioctl(new, _FICLONE, old.fileno())
            return
        except OSError:
            pass  # not a file system that can
    shutil.copyfile(source, target)
