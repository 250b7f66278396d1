"""Running again changes nothing; what is derived may be deleted and comes back the same."""

from __future__ import annotations

import shutil

import duckdb
import pytest

from tests.blackbox.chain import run
from tests.blackbox.test_shapes import MARTS

# Logs (lineage too), and notes of which files have been looked at and are known to be settled.
APART = {"reports", "lineage", "_pulled", ".dbt"}


def bytes_of(folder):
    """The files of a folder: path -> bytes."""
    paths = ((path, path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return {name: path.read_bytes() for path, name in paths if not APART & set(name.parts) and name.name[0] != "."}


def test_a_second_run_changes_nothing(examples, programs):
    before = bytes_of(examples.home)
    run(examples.home, programs, "run", "--as-of", "2024-07-01")
    after = bytes_of(examples.home)
    assert before.keys() == after.keys()
    assert [path for path in before if before[path] != after[path]] == []


@pytest.fixture(scope="module")
def rebuilt(examples, programs, tmp_path_factory):
    """A copy of the home that lost everything derived, and its inbox."""
    home = tmp_path_factory.mktemp("rebuilt") / "home"
    for folder in ("landing", "receipts", "vault"):
        shutil.copytree(examples.home / folder, home / folder)
    run(home, programs, "run", "--as-of", "2024-07-01")
    return home


@pytest.mark.parametrize("mart", MARTS)
def test_marts_come_back_from_the_records(examples, rebuilt, mart):
    with duckdb.connect() as connection:
        for name, home in [("old", examples.home), ("new", rebuilt)]:
            connection.execute(f"attach '{home / 'warehouse' / 'tanso.duckdb'}' as {name} (read_only)")
        for one, other in [("old", "new"), ("new", "old")]:
            sql = f"select * from {one}.marts.{mart} except all select * from {other}.marts.{mart}"
            assert connection.execute(sql).fetchall() == []


def test_quarantine_and_rejections_come_back(examples, rebuilt):
    for folder in ("quarantine", "rejected"):
        old, new = bytes_of(examples.home / folder), bytes_of(rebuilt / folder)
        assert old and old == new
