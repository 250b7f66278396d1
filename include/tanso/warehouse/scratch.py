"""``tanso dbt``: any dbt command on files of its own, for whoever works on the rules.

It reads the lake and the policy as they are and writes to ``scratch/`` alone, which may be deleted at any time. Models
that were never built are there, without rows, so that one model or one unit test can run.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from tanso import lake
from tanso.files import private_file, private_folder
from tanso.packs.policy import load_policy
from tanso.settings import Home
from tanso.warehouse import carry, run_dbt
from tanso.warehouse.fingerprint import DBT_PROJECT

# Commands that answer from the lake's rows; the others are about the code.
_READ_ROWS = {"build", "run", "show", "test"}
_UNIT_TESTS = {"test_type:unit", "unit_test"}


class ScratchError(RuntimeError):
    """The command could not run, or something in it failed."""


def dbt(home: Home, arguments: list[str], roots: list[Path] | None = None, project: Path = DBT_PROJECT) -> None:
    """Run ``dbt <arguments>`` on ``scratch/``. Raises ScratchError, PolicyError or DbtError."""
    files = lake.hashes(home.lake)
    if not files and _READ_ROWS.intersection(arguments) and not _UNIT_TESTS.intersection(arguments):
        raise ScratchError(
            f"There is no lake yet: {home.lake} has no files. Next step: make ingest, then run this again."
        )
    policy = load_policy(roots)
    home.close_to_others()
    with _alone(private_folder(home.scratch)):
        place, work = Home(home.scratch / "build"), home.scratch / "dbt"
        is_new = not place.carried.exists()
        private_folder(place.warehouse)
        if is_new:
            carry.make_empty(place.database)
        with duckdb.connect(str(place.carried)) as connection:
            # A table without files is a table, with files a view: neither can replace the other.
            connection.execute("drop schema if exists lake cascade")
            carry.write_sources(connection, home.lake, files)
            policy.write(connection)
        if is_new and not run_dbt.command(project, place.warehouse, work, ["--quiet", "run", "--empty"]):
            place.carried.unlink()  # else a next command would take it for complete
            raise ScratchError("A model does not compile; dbt names it above. Fix it and run this again.")
        if not run_dbt.command(project, place.warehouse, work, arguments):
            raise ScratchError(
                "dbt failed as it reports above. Next step: tanso dbt show --select <test> shows the rows that a test "
                f"found; {work / 'logs' / 'dbt.log'} has every statement."
            )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """DuckDB lets one process write."""
    with private_file(folder / ".lock") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ScratchError(
                f"Another tanso dbt works in {folder}. Next step: wait for it, then run this again."
            ) from None
        yield
