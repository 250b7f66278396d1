"""The marts describe themselves, and the page that shows it."""

from __future__ import annotations

import pytest
import yaml

from tanso.reports import dbt_docs
from tanso.settings import Home
from tanso.warehouse.fingerprint import DBT_PROJECT
from tests import built

MARTS = DBT_PROJECT / "models" / "marts"


def described() -> dict[str, dict]:
    """mart -> what its YAML says"""
    files = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(MARTS.rglob("*.yml"))]
    return {model["name"]: model for file in files for model in file.get("models", [])}


def test_every_mart_is_described_by_its_grain():
    marts = described()
    assert set(marts) == {path.stem for path in MARTS.rglob("*.sql")}
    assert len(marts) == 19  # the tables of the contract
    assert [name for name, mart in marts.items() if not mart["description"].startswith("One row per ")] == []


def test_every_column_of_a_mart_has_a_type_and_a_description():
    columns = [(name, column) for name, mart in described().items() for column in mart["columns"]]
    assert len(columns) > 150
    bare = [
        f"{name}.{column['name']}"
        for name, column in columns
        if not column.get("data_type") or len(column.get("description", "").strip()) < 5
    ]
    assert bare == []


def test_the_page_stands_alone_and_leaves_the_marts_as_they_are(tmp_path):
    home = Home(tmp_path)
    with built.changed(home) as connection:
        connection.execute("create schema tanso.marts; create table tanso.marts.dim_programs (program_id varchar)")
    before = home.database.read_bytes()
    page = dbt_docs.write(home)
    assert page == home.reports / "dbt_docs.html"
    text = page.read_text("utf-8")
    for model in described().values():
        assert model["description"] in text
    assert "<script src=" not in text
    assert home.database.read_bytes() == before
    names = sorted(path.name for path in home.warehouse.iterdir() if path.suffix != ".lock" and path.name != ".lock")
    assert names == ["carried.duckdb", "published.json", "tanso.duckdb"]


def test_without_marts_it_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="make evaluate"):
        dbt_docs.write(Home(tmp_path))
