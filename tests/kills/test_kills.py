"""``make run`` with all its processes killed at random moments: the next run ends well, marts and batches the same.

Not part of ``make test``: ``make test-kills``. ``KILLS`` (50) and ``SEED`` are in the environment.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import psutil
import pytest

from tanso.local.airflow_server import mark_of
from tanso.settings import PROJECT_ROOT, Home

PACK = PROJECT_ROOT / "include" / "programs" / "jp_nakano_eco_point"
RUNNER = [sys.executable, "-m", "tanso.local.headless"]
KILLS, SEED = int(os.environ.get("KILLS", "50")), int(os.environ.get("SEED", "20261128"))
LONGEST = 1200
LASTING = {".lock", ".ingest.lock", ".dbt"}

pytestmark = pytest.mark.timeout(0)


def environment(folder: Path, home: Home) -> dict[str, str]:
    own = {"TANSO_HOME": str(home.root), "TANSO_PROGRAMS": str(folder / "packs")}
    return {**os.environ, **own, "TANSO_AS_OF": "2020-06-30", "TANSO_APPROVED_BY": "Kim"}


def new_home(folder: Path, name: str) -> Home:
    home = Home(folder / name)
    shutil.copytree(PACK / "sample", home.inbox)
    return home


def run(folder: Path, home: Home) -> float:
    """A run that nobody disturbs; returns its seconds."""
    began = time.monotonic()
    done = subprocess.run(
        RUNNER, env=environment(folder, home), cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=LONGEST
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return time.monotonic() - began


def killed(folder: Path, home: Home, after: float) -> bool:
    """A run of which every process is killed so many seconds after its start; False if it ended before that."""
    process = subprocess.Popen(
        RUNNER,
        env=environment(folder, home),
        cwd=PROJECT_ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        # Until none is left: one that is still alive may start another.
        while living := [one for one in psutil.process_iter() if mark_of(one) == str(home.root / "airflow")]:
            for one in living:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
            psutil.wait_procs(living, 10)
        return True
    return False


def outcome(home: Home) -> tuple[dict[str, list], dict[str, tuple]]:
    """Every row of the marts but what says when, and per batch what was paid to whom."""
    marts = {}
    with duckdb.connect(str(home.database), read_only=True) as connection:
        tables = "select table_name from duckdb_tables() where schema_name = 'marts' order by 1"
        for (name,) in connection.execute(tables).fetchall():
            columns = [row[0] for row in connection.execute(f"describe marts.{name}").fetchall()]
            kept = ", ".join(column for column in columns if not column.endswith("_at"))
            marts[name] = connection.execute(f"select {kept} from marts.{name} order by all").fetchall()
    batches = {}
    for path in home.exports.glob("*/*/*/manifest.json"):
        manifest = json.loads(path.read_text("utf-8"))
        lines = duckdb.execute(
            "select participant_id, amount from read_parquet($1) order by all", [str(path.parent / "lines.parquet")]
        ).fetchall()
        batches[manifest["batch_id"]] = (manifest["lines"], manifest["amount"], lines)
    return marts, batches


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("kills")
    shutil.copytree(PACK, made / "packs" / PACK.name)
    return made


@pytest.fixture(scope="module")
def undisturbed(folder: Path) -> tuple[float, tuple]:
    """How long a run takes, and what it comes to."""
    home = new_home(folder, "undisturbed")
    seconds = run(folder, home)
    found = outcome(home)
    assert found[1]
    return seconds, found


@pytest.mark.parametrize("kill", range(KILLS))
def test_the_run_after_a_kill_comes_to_the_same(folder: Path, undisturbed: tuple[float, tuple], kill: int):
    seconds, expected = undisturbed
    after = random.Random(SEED + kill).uniform(0.5, seconds)
    home = new_home(folder, f"kill{kill}")
    was_killed = killed(folder, home, after)
    again = run(folder, home)
    print(
        f"kill {kill}: after {after:.1f} s of {seconds:.0f} s, {was_killed=}; the next run took {again:.0f} s",
        flush=True,
    )
    assert outcome(home) == expected
    left = {path.name for path in home.root.rglob(".*") if "airflow" not in path.relative_to(home.root).parts}
    assert left <= LASTING
    shutil.rmtree(home.root)
