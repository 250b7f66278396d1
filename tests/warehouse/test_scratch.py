"""``tanso dbt``: dbt on files of its own."""

from __future__ import annotations

import fcntl
import stat

import duckdb
import pytest

from tanso import cli
from tanso.settings import Home
from tanso.warehouse import run_dbt, scratch
from tests.warehouse.conftest import MART, PACKS, Place, Project

UNIT_TEST = """
unit_tests:
  - name: usage_is_passed_on
    model: fct_usage
    given:
      - input: ref('stg_readings')
        rows: [{meter_key: a, usage: 1.5}]
    expect:
      rows: [{meter_key: a, usage: 1.5}]
"""


def dbt(place: Place, project: Project, *arguments: str) -> None:
    scratch.dbt(place.home, list(arguments), [PACKS], project.path)


@pytest.fixture
def usages(place: Place):
    return Place(Home(place.home.scratch / "build")).usages


def test_a_model_with_its_parents_is_built_from_the_lake(place, project, usages):
    dbt(place, project, "build", "--select", "+fct_usage")
    assert usages() == ["178.000"]
    place.reading("200")
    dbt(place, project, "build", "--select", "+fct_usage")
    assert usages() == ["200.000"]


def test_nothing_but_scratch_is_written_and_it_is_private(place, project):
    before = {path: path.read_bytes() for path in place.home.root.rglob("*") if path.is_file()}
    dbt(place, project, "build")
    after = {path: path.read_bytes() for path in place.home.root.rglob("*") if path.is_file()}
    assert before == {path: content for path, content in after.items() if place.home.scratch not in path.parents}
    assert stat.S_IMODE(place.home.scratch.stat().st_mode) == 0o700


def test_one_model_or_unit_test_finds_its_parents_without_rows(place, project, usages):
    (project.path / "models" / "unit_tests.yml").write_text(UNIT_TEST, "utf-8")
    project.model("fct_more", MART + "select * from {{ ref('fct_usage') }}")
    dbt(place, project, "build", "--select", "fct_more")
    assert usages() == []
    dbt(place, project, "test", "--select", "test_type:unit")


def test_unit_tests_need_no_lake_and_rows_do(tmp_path, project):
    (project.path / "models" / "unit_tests.yml").write_text(UNIT_TEST, "utf-8")
    place = Place(Home(tmp_path / "fresh"))
    with pytest.raises(
        scratch.ScratchError, match="There is no lake yet: .*fresh/lake has no files. Next step: make in"
    ):
        dbt(place, project, "build", "--select", "+fct_usage")
    dbt(place, project, "test", "--select", "test_type:unit")


def test_the_rows_that_a_failed_test_found_can_be_shown(place, project, capsys):
    place.reading(None)
    with pytest.raises(scratch.ScratchError, match="tanso dbt show --select <test>"):
        dbt(place, project, "build")
    assert "not_null_fct_usage_usage" in capsys.readouterr().out
    dbt(place, project, "show", "--select", "not_null_fct_usage_usage", "--output", "json")
    assert '"usage": null' in capsys.readouterr().out


def test_another_column_of_a_carried_table_takes_hold(place, project, usages):
    (project.path / "macros" / "carried.sql").write_bytes((scratch.DBT_PROJECT / "macros" / "carried.sql").read_bytes())
    carried = MART.replace("'table'", "'carried'")
    project.model("fct_usage", carried + "select meter_key, usage from {{ ref('stg_readings') }}")
    dbt(place, project, "build")
    dbt(place, project, "build")
    assert usages() == ["178.000"]
    project.model("fct_usage", carried + "select meter_key, usage, 1 as more from {{ ref('stg_readings') }}")
    dbt(place, project, "build")
    assert usages() == ["178.000"]


def test_a_lake_that_came_later_is_seen(tmp_path, project, usages):
    place = Place(Home(tmp_path / "home"))
    dbt(place, project, "compile")
    place.reading("7")
    dbt(place, project, "build")
    assert usages() == ["7.000"]


def test_a_model_that_does_not_compile_is_named_and_leaves_no_half_of_a_file(place, project, usages):
    project.model("fct_usage", MART + "select nothing from {{ ref('stg_readings') }}")
    with pytest.raises(scratch.ScratchError, match="does not compile"):
        dbt(place, project, "build")
    project.model("fct_usage", MART + "select meter_key, usage from {{ ref('stg_readings') }}")
    dbt(place, project, "build")
    assert usages() == ["178.000"]


def test_a_second_one_at_the_same_time_is_refused(place, project):
    dbt(place, project, "compile")
    with (place.home.scratch / ".lock").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(scratch.ScratchError, match="Another tanso dbt works in"):
            dbt(place, project, "compile")


def test_the_command_line_hands_every_word_on(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TANSO_HOME", str(tmp_path / "home"))
    handed = []
    monkeypatch.setattr(scratch, "dbt", lambda home, arguments: handed.append(arguments))
    for words in (["--version"], ["build", "--select", "+fct_payouts", "--limit", "2"], ["-h"]):
        assert cli.main(["dbt", *words]) == 0
        assert handed.pop() == words
    assert cli.main(["dbt"]) == 0
    assert handed == [["--help"]]


def test_dbt_gets_the_machine_unless_settings_say_otherwise(place, project, monkeypatch, capsys):
    ask = "select current_setting('threads') as threads, current_setting('memory_limit') as memory"
    for name in ("THREADS", "MEMORY", "TEMP"):
        monkeypatch.delenv(f"TANSO_DUCKDB_{name}", raising=False)
    given = run_dbt.variables(place.home.root)
    with duckdb.connect() as connection:
        threads, memory = connection.execute(ask).fetchone()
    share = float(given["TANSO_DUCKDB_MEMORY"].split()[0]) / float(memory.split()[0])
    assert (given["TANSO_DUCKDB_THREADS"], round(share, 2)) == (str(threads), 0.75)  # of DuckDB's 80 %
    assert given["TANSO_DUCKDB_TEMP"] == str(place.home.root / "spill")

    monkeypatch.setenv("TANSO_DUCKDB_THREADS", "3")
    monkeypatch.setenv("TANSO_DUCKDB_MEMORY", "512MiB")
    dbt(place, project, "show", "--inline", ask, "--output", "json")
    shown = capsys.readouterr().out
    assert '"threads": 3' in shown and '"memory": "512.0 MiB"' in shown
