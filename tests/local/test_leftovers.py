"""What killed runs leave half-written is gone after the next run, wherever they were killed."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tanso import cli, leftovers
from tanso.reports import dbt_docs
from tanso.settings import PROJECT_ROOT, Home

PACK = PROJECT_ROOT / "include" / "programs" / "jp_nakano_eco_point"
# Of a process that is dead: every name under which something is written before it is seen.
FILES = [
    "landing/.incoming",
    "receipts/jp_actions/.new",
    "vault/.key-4194999-0a1b2c3d",
    "vault/jp_registrations/.00ff-4194999.tmp",
    "vault/jp_registrations/.00ff-4194999.erased",
    "quarantine/jp_actions/.actions_fy2018_00ff.csv.tmp",
    "rejected/jp_actions/.actions_fy2018_00ff.json.tmp",
    "lake/_pulled/.jp_actions.json.tmp",
    "lake/_staged/jp_actions/.00ff.json.tmp",
    "lake/_staged/jp_actions/.00ff.parquet.tmp",
    "lake/participants/jp_registrations/.data.parquet.tmp",
    "lake/ledger/.ledger-4194999.tmp",
    "reports/feedback/jp_actions/.actions_fy2018_00ff.csv.tmp",
    "reports/data_docs/.index.html.tmp",
    "approvals/jp_nakano_eco_point/FY2018/.0001.json-4194999",
    "issue_log/.000001.json-4194999",
]
FOLDERS = [
    "lake/_staged/jp_actions/.spill",
    "warehouse/.build",
    "warehouse/.docs-0a1b2c3d",
    "policies/.new",
    "proposals/jp_nakano_eco_point/.FY2018-4194999",
    "exports/jp_nakano_eco_point/FY2018/.FY2018-001-4194999",
    "backfill/.work-4194999-0a1b2c3d",
]
LASTING = {".lock", ".ingest.lock", "backfill/.lock", "exports/.lock", "warehouse/.lock", "warehouse/.dbt"}


@pytest.fixture
def place(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with one pack's sample in its inbox."""
    shutil.copytree(PACK, tmp_path / "packs" / PACK.name)
    shutil.copytree(PACK / "sample", home.inbox)
    monkeypatch.setenv("TANSO_PROGRAMS", str(tmp_path / "packs"))
    monkeypatch.setenv("TANSO_AS_OF", "2020-06-30")
    return home


def unfinished(home: Home) -> set[str]:
    """Every path that looks as if somebody were still writing it."""
    paths = (path for path in home.root.rglob("*") if path.name.startswith(".") or path.suffix in (".tmp", ".new"))
    return {str(path.relative_to(home.root)) for path in paths}


def test_after_the_next_run_nothing_half_written_is_left(place: Home):
    assert cli.main(["run", "--by", "Kim"]) == 0
    assert unfinished(place) <= LASTING
    batches = sorted(place.exports.glob("*/*/*"))
    for name in FILES:
        path = place.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half")
    for name in FOLDERS:
        (place.root / name).mkdir(parents=True)
        (place.root / name / "half").write_text("half")
    assert cli.main(["run", "--by", "Kim"]) == 0  # although it finds nothing to do
    assert cli.main(["backfill", datetime.now(UTC).date().isoformat()]) == 0
    assert unfinished(place) <= LASTING
    assert sorted(place.exports.glob("*/*/*")) == batches != []
    assert dbt_docs.write(place).exists()
    assert unfinished(place) <= LASTING


def test_what_lasts_and_what_is_whole_stays(tmp_path: Path):
    for name in (".lock", "a/whole.json", "a/.half.json.tmp", ".dbt/deep/.dbt-cache"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    leftovers.remove(tmp_path, tmp_path / "is not there")
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == {
        ".lock",
        "a/whole.json",
        ".dbt/deep/.dbt-cache",
    }
