"""Build aside, check, swap in: what readers see before, during and after, and when it fails."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import threading
from pathlib import Path

import duckdb
import pytest

from tanso.packs.policy import PolicyError, load_policy
from tanso.settings import PROJECT_ROOT, Home
from tanso.warehouse import EvaluationError, NotPublishedError, connect, evaluate, policies
from tanso.warehouse.fingerprint import code_version
from tests.warehouse.conftest import MART, PACKS, PUBLISHED, Place


def test_publishes_tables_only(project, place):
    result = project.evaluate(place.home)
    assert result.status == "built"
    assert result.database == place.home.database
    assert {(node.name, node.kind, node.status) for node in result.nodes} == {
        ("stg_readings", "model", "success"),
        ("fct_usage", "model", "success"),
        ("not_null_fct_usage_usage", "test", "pass"),
    }
    with connect(place.home) as connection:
        kinds = connection.execute("select distinct table_type from information_schema.tables").fetchall()
        schemas = connection.execute(
            "select distinct table_catalog || '.' || table_schema from information_schema.tables order by 1"
        ).fetchall()
        info = connection.execute("select * from meta.build_info").fetchall()
        built_at = connection.execute("select typeof(built_at) from meta.build_info").fetchone()
    assert kinds == [("BASE TABLE",)]
    assert [schema for (schema,) in schemas] == ["carried.meta", "carried.policy", "tanso.marts"]
    assert len(info) == 1 and info[0][0] == result.fingerprint
    assert built_at == ("TIMESTAMP",)
    assert place.names() == [name for name in PUBLISHED if name != "history"]


def test_the_published_file_is_readable_alone(project, place, tmp_path):
    project.evaluate(place.home)
    alone = tmp_path / "alone.duckdb"
    alone.write_bytes(place.home.database.read_bytes())
    (place.home.lake / "readings" / "source_id=meters" / "usage_month=2021-01" / "data.parquet").unlink()
    with duckdb.connect(str(alone), read_only=True) as connection:
        assert connection.execute("select usage::varchar from marts.fct_usage").fetchall() == [("178.000",)]


def test_nothing_new_nothing_done(project, place):
    first = project.evaluate(place.home)
    inode = place.home.database.stat().st_ino
    second = project.evaluate(place.home)
    assert (second.status, second.nodes, second.fingerprint) == ("unchanged", (), first.fingerprint)
    assert place.home.database.stat().st_ino == inode
    assert project.evaluate(place.home, force=True).status == "built"
    assert place.home.database.stat().st_ino != inode


def test_the_same_lake_written_again_is_unchanged(project, place):
    project.evaluate(place.home)
    place.reading("178")
    assert project.evaluate(place.home).status == "unchanged"


def test_a_correction_of_equal_length_is_seen(project, place):
    """178 and 238 make Parquet files of the same size."""
    project.evaluate(place.home)
    place.reading("238")
    assert project.evaluate(place.home).status == "built"
    assert place.usages() == ["238.000"]


def test_changed_rules_are_seen(project, place):
    project.evaluate(place.home)
    project.model(
        "fct_usage",
        "{{ config(database='tanso', schema='marts', materialized='table') }} "
        "select meter_key, (2 * usage)::decimal(18,3) as usage from {{ ref('stg_readings') }}",
    )
    assert project.evaluate(place.home).status == "built"
    assert place.usages() == ["356.000"]


def test_changed_policy_is_seen(project, place, tmp_path):
    packs = tmp_path / "packs"
    shutil.copytree(PACKS, packs, ignore=shutil.ignore_patterns("sample"))
    project.evaluate(place.home)
    assert project.evaluate(place.home, packs=packs).status == "unchanged"
    programs = packs / "kr_carbon_point" / "policy" / "programs.csv"
    programs.write_text(programs.read_text(encoding="utf-8").replace("Asia/Seoul,5", "Asia/Seoul,7"), encoding="utf-8")
    assert project.evaluate(place.home, packs=packs).status == "built"
    with connect(place.home) as connection:
        years = connection.execute(
            "select retention_years from policy.programs where program_id = 'kr_carbon_point'"
        ).fetchall()
        policy = connection.execute("select policy_sha256 from meta.build_info").fetchone()
    assert years == [(7,)]
    assert policy == (policies.policy_sha256(load_policy([packs]), policies.files_of([packs])),)


def test_an_ephemeral_model_is_there_in_every_build_of_a_process(project, place):
    project.model("int_usage", "{{ config(materialized='ephemeral') }} select * from {{ ref('stg_readings') }}")
    project.model(
        "fct_usage",
        MART + "select meter_key, usage from {{ ref('int_usage') }}",
    )
    for usage in ("178", "179"):
        place.reading(usage)
        assert project.evaluate(place.home).status == "built"
        assert place.usages() == [f"{usage}.000"]


def test_several_homes_in_one_process(project, place, tmp_path):
    other = Place(Home(tmp_path / "other"))
    other.reading("5")
    for _ in range(2):
        project.evaluate(place.home, force=True)
        project.evaluate(other.home, force=True)
    assert (place.usages(), other.usages()) == (["178.000"], ["5.000"])


def test_readers_keep_what_they_opened(project, place):
    project.evaluate(place.home)
    reader = connect(place.home)
    assert reader.execute("select usage::varchar from marts.fct_usage").fetchall() == [("178.000",)]
    place.reading("238")
    project.evaluate(place.home)
    assert reader.execute("select usage::varchar from marts.fct_usage").fetchall() == [("178.000",)]
    with connect(place.home) as newer:
        assert newer.execute("select usage::varchar from marts.fct_usage").fetchall() == [("238.000",)]
    assert project.evaluate(place.home).status == "unchanged"
    reader.close()


def test_readers_cannot_write(project, place):
    project.evaluate(place.home)
    with connect(place.home) as reader, pytest.raises(duckdb.Error, match="read-only"):
        reader.execute("delete from marts.fct_usage")


def test_a_failing_test_publishes_nothing(project, place):
    project.evaluate(place.home)
    before = place.home.database.read_bytes()
    place.reading(None)
    with pytest.raises(EvaluationError) as caught:
        project.evaluate(place.home)
    assert [(node.name, node.kind, node.status) for node in caught.value.failures] == [
        ("not_null_fct_usage_usage", "test", "fail")
    ]
    assert "1 models or tests failed, nothing is published" in str(caught.value)
    assert "test not_null_fct_usage_usage" in str(caught.value)
    assert "Got 1 result" in str(caught.value)
    assert "(models/models.yml)" in str(caught.value)
    assert place.home.database.read_bytes() == before
    failed = place.home.warehouse / "failed"
    assert sorted(path.name for path in failed.iterdir()) == ["carried.duckdb", "failed.sql", "tanso.duckdb"]
    with duckdb.connect() as rejected:
        # The row that is wrong, as the error's last line says.
        assert rejected.sql((failed / "failed.sql").read_text("utf-8")).fetchall() == [(None,)]
    place.reading("238")
    assert project.evaluate(place.home).status == "built"
    assert place.names() == PUBLISHED


def test_a_failing_model_names_itself_and_the_error(project, place):
    project.model(
        "fct_usage",
        MART + "select no_such_column from {{ ref('stg_readings') }}",
    )
    with pytest.raises(EvaluationError, match=r"(?s)model fct_usage.*no_such_column"):
        project.evaluate(place.home)
    assert not place.home.database.exists()


def test_a_project_that_does_not_parse(project, place):
    project.model("fct_usage", "select * from {{ ref('nobody') }}")
    with pytest.raises(EvaluationError, match=r"(?s)nothing is published: dbt cannot parse .*nobody"):
        project.evaluate(place.home)
    assert not place.home.database.exists()


def test_floating_point_in_the_marts_is_not_published(project, place):
    project.model(
        "fct_rates",
        MART + "select 0.1::double as rate, [1.5::float] as list",
    )
    with pytest.raises(
        EvaluationError, match=r"floating point in the marts: marts.fct_rates.list FLOAT\[\], marts.fct_rates.rate"
    ):
        project.evaluate(place.home)
    assert not place.home.database.exists()


def test_wrong_policy_stops_before_anything_is_built(place, tmp_path):
    pack = tmp_path / "packs" / "town" / "policy"
    pack.mkdir(parents=True)
    (pack / "utilities.csv").write_text("program_id,utility,unit\nvillage,electricity,kWh\n", encoding="utf-8")
    with pytest.raises(PolicyError, match="program_id 'village': is not the pack's folder"):
        evaluate(place.home, [tmp_path / "packs"])
    assert not place.home.warehouse.exists()


def test_the_remains_of_a_killed_build_do_no_harm(project, place):
    project.evaluate(place.home)
    aside = place.home.warehouse / ".build"
    aside.mkdir()
    (aside / "tanso.duckdb").write_bytes(b"half")
    (place.home.warehouse / "tanso.duckdb.wal").write_bytes(b"stale")
    place.reading("238")
    project.evaluate(place.home)
    assert place.usages() == ["238.000"]
    assert place.names() == [name for name in PUBLISHED if name != "history"]  # what lay beside a log is not kept


def test_the_last_three_builds_are_kept(project, place):
    for usage in ("1", "2", "3", "4"):
        place.reading(usage)
        project.evaluate(place.home)
    kept = sorted((place.home.warehouse / "history").glob("*.duckdb"))
    usages = []
    for path in kept:
        with duckdb.connect(str(path), read_only=True) as connection:
            usages += [str(usage) for (usage,) in connection.execute("select usage from marts.fct_usage").fetchall()]
    assert usages == ["2.000", "3.000"] and place.usages() == ["4.000"]


def test_an_unreadable_published_file_is_replaced(project, place):
    project.evaluate(place.home)
    place.home.database.unlink()
    place.home.database.write_bytes(b"not a database")
    assert project.evaluate(place.home).status == "built"


def test_evaluations_of_one_home_wait_for_each_other(project, place):
    place.home.warehouse.mkdir(parents=True)
    done = threading.Event()

    def run() -> None:
        project.evaluate(place.home)
        done.set()

    with (place.home.warehouse / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        thread = threading.Thread(target=run)
        thread.start()
        assert not done.wait(1)
        assert not place.home.database.exists()
    thread.join(60)
    assert done.is_set()
    assert place.home.database.exists()


def test_connecting_before_the_first_evaluation(tmp_path):
    with pytest.raises(NotPublishedError, match="No marts have been published yet .* Next step: make evaluate"):
        connect(Home(tmp_path))


def test_dbt_writes_nothing_into_its_project_and_the_environment_stays(project, place, monkeypatch):
    monkeypatch.delenv("TANSO_BUILD", raising=False)
    before = sorted(project.path.rglob("*"))
    project.evaluate(place.home)
    assert sorted(project.path.rglob("*")) == before
    assert "TANSO_BUILD" not in os.environ
    assert (place.home.warehouse / ".dbt" / "target" / "run_results.json").exists()


@pytest.mark.parametrize("project_file", [PROJECT_ROOT / "dbt_project" / "dbt_project.yml"])
def test_telemetry_is_off(project_file: Path):
    assert "send_anonymous_usage_stats: false" in project_file.read_text(encoding="utf-8")


def test_code_version_is_a_commit_or_a_hash():
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|code-[0-9a-f]{16}", code_version())
