"""A small dbt project in the place of the rules, and a home with one reading."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from tanso import lake
from tanso.files import file_sha256
from tanso.lake import TABLES
from tanso.settings import PROJECT_ROOT, Home
from tanso.warehouse import EvaluateResult, evaluate

PACKS = PROJECT_ROOT / "include" / "programs"
PUBLISHED = ["carried.duckdb", "history", "marts", "published.json", "published.lock", "tanso.duckdb"]
MART = "{{ config(database='tanso', schema='marts', materialized='table') }} "
SOURCES = """
sources:
  - name: lake
    schema: lake
    tables: [{name: readings}]
  - name: policy
    schema: policy
    tables: [{name: programs}]
"""
MODELS = """
models:
  - name: fct_usage
    columns: [{name: usage, data_tests: [not_null]}]
"""


@dataclass
class Project:
    """``models/stg_readings`` (view) → ``models/fct_usage`` (table, tested for nulls)."""

    path: Path

    def model(self, name: str, sql: str) -> None:
        (self.path / "models" / f"{name}.sql").write_text(sql, encoding="utf-8")

    def evaluate(self, home: Home, force: bool = False, packs: Path = PACKS) -> EvaluateResult:
        return evaluate(home, [packs], force, project=self.path)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    path = tmp_path / "project"
    (path / "models").mkdir(parents=True)
    (path / "macros").mkdir()
    (path / "dbt_project.yml").write_text(
        "name: small\nversion: '1.0'\nprofile: tanso\nflags: {send_anonymous_usage_stats: false}\n", encoding="utf-8"
    )
    shipped = PROJECT_ROOT / "dbt_project"
    for name in ("profiles.yml", "macros/generate_schema_name.sql"):
        (path / name).write_bytes((shipped / name).read_bytes())
    (path / "models" / "sources.yml").write_text(SOURCES, encoding="utf-8")
    (path / "models" / "models.yml").write_text(MODELS, encoding="utf-8")
    small = Project(path)
    small.model("stg_readings", "{{ config(schema='staging') }} select * from {{ source('lake', 'readings') }}")
    small.model(
        "fct_usage",
        MART + "select meter_key, usage from {{ ref('stg_readings') }}",
    )
    return small


@dataclass
class Place:
    home: Home

    def reading(self, usage: str | None, meter: str = "0100000001") -> None:
        """Put one reading in force, in its own partition."""
        folder = self.home.lake / "readings" / "source_id=meters" / "usage_month=2021-01"
        folder.mkdir(parents=True, exist_ok=True)
        columns = ", ".join(f"null::{kind} as {name}" for name, kind in TABLES["readings"].items())
        with duckdb.connect() as connection:
            connection.execute(
                "create table one as "
                f"select * replace (?::decimal(18,3) as usage, ? as meter_key) from (select {columns})",
                [usage, meter],
            )
            connection.execute(f"copy one to '{folder / 'data.parquet'}' (format parquet)")
        lake.note(folder / "data.parquet", file_sha256(folder / "data.parquet"))

    def usages(self) -> list[str]:
        with duckdb.connect(str(self.home.database), read_only=True) as connection:
            return [str(usage) for (usage,) in connection.execute("select usage from marts.fct_usage").fetchall()]

    def names(self) -> list[str]:
        """What lies in warehouse/, hidden files but dbt's own included."""
        return sorted(path.name for path in self.home.warehouse.iterdir() if path.name not in (".dbt", ".lock"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(Home(tmp_path / "home"))
    place.reading("178")
    return place
