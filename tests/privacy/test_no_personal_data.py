"""No name, account, card, phone, address or e-mail of a register leaves vault, landing, quarantine and payout files.

What is looked for, and how: ``search.py``. Airflow's own database and logs are searched by ``tests/e2e``.
"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from tanso.settings import Home
from tests.privacy.search import assert_clean, assert_files_clean, cells, outside, register_values


@pytest.fixture(scope="module")
def values() -> tuple[set[str], set[str]]:
    return register_values()


def test_the_search_finds_what_is_there(tmp_path: Path, values):
    """Against a search that is blind: each kind of value is found where it is put."""
    long, words = values
    for number, value in enumerate([max(long), max(words), next(word for word in words if word.isdigit())]):
        for text in (f"a,{value},b", json.dumps({"x": value})):
            path = tmp_path / f"{number}.txt"
            path.write_text(text, "utf-8")
            with pytest.raises(AssertionError, match="holds a"):
                assert_files_clean([path], long, words)
        with pytest.raises(AssertionError):
            assert_clean({"other", value}, long, words)


def test_no_personal_data_in_the_marts(sample_home: Home, values):
    databases = sorted(sample_home.warehouse.rglob("*.duckdb"))
    assert sample_home.database in databases
    for database in databases:
        with duckdb.connect(str(database), read_only=True) as marts:
            tables = marts.execute("select table_schema, table_name from information_schema.tables").fetchall()
            assert len(tables) >= 19
            assert_clean(cells((f"{schema}.{name}", marts) for schema, name in tables), *values)


def test_no_personal_data_in_the_lake(sample_home: Home, values):
    paths = sorted(sample_home.lake.rglob("*.parquet"))
    assert len(paths) > 50
    with duckdb.connect() as connection:
        assert_clean(cells((f"read_parquet('{path}')", connection) for path in paths), *values)


def test_no_personal_data_in_a_batchs_own_tables(sample_home: Home, values):
    """What a batch keeps for machines; its CSV files hold what bank and municipality need."""
    paths = sorted(sample_home.exports.rglob("*.parquet"))
    assert len(paths) >= 12
    with duckdb.connect() as connection:
        assert_clean(cells((f"read_parquet('{path}')", connection) for path in paths), *values)
    paths = [path for name in ("manifest.json", "control.html") for path in sample_home.exports.rglob(name)]
    assert assert_files_clean(paths, *values) >= 12


def test_no_personal_data_in_any_other_file(sample_home: Home, values):
    """Reports, receipts, proposals, access log, dbt's logs and compiled models, the database as bytes."""
    paths = outside(sample_home)
    folders = {path.relative_to(sample_home.root).parts[0] for path in paths}
    assert {"lake", "warehouse", "reports", "receipts", "rejected", "access_log"} <= folders
    assert any("dbt.log" in path.name for path in paths) and any(path.name == "manifest.json" for path in paths)
    assert assert_files_clean(paths, *values) > 50
