"""The two files of a build: marts in ``tanso.duckdb``, all else in ``carried.duckdb``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from tanso.settings import Home
from tanso.warehouse import published

NAMES = ("tanso", "carried")
SEARCHED = "tanso.marts,carried.intermediate,carried.policy,carried.staging"


def begin(folder: Path) -> duckdb.DuckDBPyConnection:
    """Make them, empty; a connection to the private one, to be closed before dbt comes."""
    duckdb.connect(str(folder / "tanso.duckdb")).close()
    return duckdb.connect(str(folder / "carried.duckdb"))


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """A connection to both, read-only; tables are found by schema and name."""
    connection = duckdb.connect()
    for name in NAMES:
        connection.execute(f"attach '{folder / f'{name}.duckdb'}' as {name} (read_only)")
    connection.execute(f"set search_path = '{SEARCHED}'")
    return connection


@contextmanager
def changed(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """Change what is published as if an evaluation had said so; tables are named with their database."""
    folder = home.warehouse
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"threads": 1}) as connection:
        for name in NAMES:
            aside = folder / f"{name}.new"
            if (folder / f"{name}.duckdb").exists():
                shutil.copyfile(folder / f"{name}.duckdb", aside)
            connection.execute(f"attach '{aside}' as {name}")
        yield connection
        for name in NAMES:
            connection.execute(f"detach {name}")
    for name in NAMES:
        (folder / f"{name}.new").replace(folder / f"{name}.duckdb")
    published.write(home, "20210601T000000000000Z", published.described(folder, [f"{name}.duckdb" for name in NAMES]))
