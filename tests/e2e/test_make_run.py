"""``make run`` for real: Airflow, three DAGs, a small home; twice, and once interrupted."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import psutil
import pytest

from tanso import warehouse
from tanso.local.airflow_server import mark_of
from tanso.settings import PROJECT_ROOT, Home
from tests.privacy import search

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

PACK = PROJECT_ROOT / "include" / "programs" / "jp_nakano_eco_point"
# Of another programme its registers only: names, accounts, cards and phones pass through ingest, in seconds.
REGISTERS = PACK.with_name("kr_carbon_point")
APPROVER = "김 담당"
RUNNER = [sys.executable, "-m", "tanso.local.headless"]


@dataclass
class Ran:
    code: int
    said: str
    database: str  # SHA-256 of the marts afterwards
    exports: dict[str, str]  # SHA-256 by path, afterwards


@dataclass
class World:
    home: Home
    environment: dict[str, str]
    first: Ran
    second: Ran


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A home with one pack's sample and another's registers in its inbox, run twice."""
    folder = tmp_path_factory.mktemp("e2e")
    shutil.copytree(PACK, folder / "packs" / PACK.name)
    home = Home(folder / "home")
    shutil.copytree(REGISTERS, folder / "packs" / REGISTERS.name)
    shutil.copytree(PACK / "sample", home.inbox)
    shutil.copytree(REGISTERS / "sample" / "kr_enrolments", home.inbox / "kr_enrolments")
    environment = {
        **os.environ,
        "TANSO_HOME": str(home.root),
        "TANSO_PROGRAMS": str(folder / "packs"),
        "TANSO_AS_OF": "2020-06-30",
        "TANSO_APPROVED_BY": APPROVER,
    }
    return World(home, environment, run(home, environment), run(home, environment))


def run(home: Home, environment: dict[str, str]) -> Ran:
    done = subprocess.run(RUNNER, env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=400)
    exported = {str(path.relative_to(home.exports)): digest(path) for path in home.exports.rglob("*") if path.is_file()}
    return Ran(done.returncode, done.stdout + done.stderr, digest(home.database), exported)


def manifests(home: Home) -> list[dict]:
    return [json.loads(path.read_text("utf-8")) for path in home.exports.glob("*/*/*/manifest.json")]


def started_for(home: Home) -> list[psutil.Process]:
    """Every process of the home's Airflow, whoever is its parent by now."""
    return [process for process in psutil.process_iter() if mark_of(process) == str(home.root / "airflow")]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def test_the_pipeline_runs_from_inbox_to_issued_batch(world: World):
    assert world.first.code == 0, world.first.said
    issued = manifests(world.home)
    assert {manifest["as_of"] for manifest in issued} == {"2020-06-30"}
    assert sum(manifest["lines"] for manifest in issued) > 0
    assert f"{len(issued)} batches issued" in world.first.said


def test_the_manifest_names_who_approved(world: World):
    assert {manifest["approved_by"] for manifest in manifests(world.home)} == {APPROVER}


def test_the_marts_show_the_batch(world: World):
    with warehouse.connect(world.home) as marts:
        [(lines, amount)] = marts.sql("select count(*), sum(amount)::bigint from marts.fct_payout_lines").fetchall()
    issued = manifests(world.home)
    assert lines == sum(manifest["lines"] for manifest in issued)
    assert amount == sum(manifest["amount"] for manifest in issued)


def test_running_again_does_no_work_twice_and_says_so(world: World):
    assert world.second.code == 0, world.second.said
    assert "no new file, no new batch" in world.second.said
    assert "marts are up to date" in world.second.said
    assert world.second.database == world.first.database != ""
    assert world.second.exports == world.first.exports != {}


def test_the_summary_is_kept(world: World):
    kept = (world.home.reports / "latest.md").read_text("utf-8")
    assert kept in world.second.said
    for heading in ("Files and rows", "Results", "Payouts", "Batches issued", "Where to look"):
        assert f"## {heading}" in kept


def test_no_personal_data_outside_the_folders_for_them(world: World):
    """Airflow's database (XComs in it) and task logs, Data Docs, reports, lineage, marts and lake: nothing of any
    register of the sample."""
    long, words = search.register_values()
    paths = search.outside(world.home)
    assert {"airflow", "lake", "reports", "warehouse"} <= {path.relative_to(world.home.root).parts[0] for path in paths}
    assert any(path.name == "airflow.db" for path in paths) and any(path.name.startswith("attempt=") for path in paths)
    assert any(path.is_relative_to(world.home.data_docs) for path in paths)
    search.assert_files_clean(paths, long, words)
    with warehouse.connect(world.home) as marts:
        tables = marts.execute("select table_schema, table_name from information_schema.tables").fetchall()
        search.assert_clean(search.cells((f"{schema}.{name}", marts) for schema, name in tables), long, words)
    with duckdb.connect() as connection:
        parquet = sorted((world.home.lake).rglob("*.parquet"))
        search.assert_clean(search.cells((f"read_parquet('{path}')", connection) for path in parquet), long, words)


def test_the_search_finds_what_a_log_would_leak(world: World, tmp_path: Path):
    """A name and an account planted in a copy of a task's log and of Airflow's database are found."""
    long, words = search.register_values()
    airflow = world.home.root / "airflow"
    log = next(path for path in sorted(airflow.rglob("attempt=*")) if path.is_file())
    name = next(word for word in sorted(words) if not word.isascii() and word in search.words_of(word))
    account = next(value for value in sorted(long) if re.fullmatch("[0-9-]+", value))
    line = json.dumps({"event": f"paid {name}", "level": "info"})
    for copied, planted in [
        (log, f"\n{line}\n".encode()),
        (log, f"\npaid to {account}\n".encode()),
        (airflow / "airflow.db", f"\0paid {name}\0".encode()),
    ]:
        copy = tmp_path / copied.name
        copy.write_bytes(copied.read_bytes())
        search.assert_files_clean([copy], long, words)
        copy.write_bytes(copied.read_bytes() + planted)
        with pytest.raises(AssertionError, match="holds a"):
            search.assert_files_clean([copy], long, words)


def until_it_says(world: World, words: str) -> subprocess.Popen:
    """Another run, that has got so far."""
    process = subprocess.Popen(
        RUNNER,
        env=world.environment,
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Tests that a shell started in the background ignore Ctrl-C, and whatever they start would, too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    for line in process.stdout:
        if words in line:
            break
    assert started_for(world.home)
    return process


def test_ctrl_c_ends_everything_that_was_started(world: World):
    process = until_it_says(world, "Airflow is up")
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=200)[0]
    assert process.returncode == 130
    assert "Nothing is half-written" in said
    assert started_for(world.home) == []


def test_a_run_that_was_killed_holds_up_no_other(world: World):
    """Only the runner is killed: what it started goes on working on the home, until the next run ends it."""
    world.home.database.unlink()  # so that there is something to build
    process = until_it_says(world, "check_policy")
    orphans = started_for(world.home)
    process.kill()
    process.communicate()
    again = run(world.home, world.environment)
    assert again.code == 0, again.said
    assert "no new file, no new batch" in again.said
    assert again.exports == world.first.exports
    assert [orphan for orphan in orphans if orphan.is_running() and orphan.status() != psutil.STATUS_ZOMBIE] == []
    assert started_for(world.home) == []


def test_an_event_that_a_killed_run_left_starts_nothing(world: World):
    """Its day, two years later, would make more due than this run is asked for."""
    with sqlite3.connect(world.home.root / "airflow" / "airflow.db") as database:
        database.execute(
            "insert into asset_dag_run_queue select id, 'issue_payouts', '2020-01-01' from asset "
            "where name = 'tanso/marts'"
        )
        database.execute("update dag set exceeds_max_non_backfill = true")
        database.execute("update dag_run set state = 'running' where dag_id = 'evaluate_programs'")
    again = run(world.home, world.environment)
    assert again.code == 0, again.said
    assert again.exports == world.first.exports


def test_a_damaged_database_of_airflow_is_begun_anew(world: World):
    database = world.home.root / "airflow" / "airflow.db"
    with database.open("r+b") as file:
        file.truncate(database.stat().st_size // 2)
    again = run(world.home, world.environment)
    assert again.code == 0, again.said
    assert "history of runs could not be read" in again.said
    assert again.exports == world.first.exports
