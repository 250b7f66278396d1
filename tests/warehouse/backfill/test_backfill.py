"""A past day evaluated again gives what was published then, byte for byte, whatever happened since."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from tanso.files import DamagedFile
from tanso.ingest.landing import erased, land
from tanso.settings import PROJECT_ROOT, Home
from tanso.warehouse import evaluate, marts_files, policies
from tanso.warehouse.backfill import backfill as backfills
from tanso.warehouse.backfill.backfill import backfill, end_of, parse
from tanso.warehouse.policies import PolicyNotKnown
from tests.warehouse.backfill.conftest import History, digests

RECORDS = ("landing", "receipts", "vault", "exports", "approvals", "issue_log", "access_log", "policies", "inbox")
UNTOUCHED = (*RECORDS, "lake", "quarantine", "rejected", "proposals", "reports")


def awards(database: Path) -> list[tuple]:
    with duckdb.connect(str(database), read_only=True) as marts:
        return marts.execute("select period_id, award_type, points from marts.fct_point_awards order by all").fetchall()


@pytest.fixture(scope="module")
def at_once(history: History) -> dict[str, dict[str, str]]:
    """Two back-fills of one moment and an evaluation at once, in three processes; digests before and after."""
    before = {name: digests(history.home.root / name) for name in UNTOUCHED}
    command = [sys.executable, "-m", "tanso.cli", "backfill", history.paid.isoformat()]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "cwd": PROJECT_ROOT}
    processes = [subprocess.Popen(command, **pipes) for _ in range(2)]
    assert evaluate(history.home, [history.packs], force=True).status == "built"
    for process in processes:
        said = process.communicate()[0]
        assert process.returncode == 0, said
        assert f"evaluated as of {history.paid.isoformat()} with policy" in said
    return {"before": before, "after": {name: digests(history.home.root / name) for name in UNTOUCHED}}


def folder(history: History) -> Path:
    [found] = [path for path in history.home.backfill.iterdir() if not path.name.startswith(".")]
    return found


def test_a_back_fill_gives_the_bytes_of_then(history, at_once):
    """1,200 kWh of baseline, 6 x 178 = 1,068 used: 132 saved, 11 %, so 10,000 points."""
    found = folder(history)
    written = digests(found)
    manifest = json.loads((found / "manifest.json").read_text())
    assert set(written) == {*history.then, "tanso.duckdb", "manifest.json"}
    assert {name: written[name] for name in history.then} == history.then
    assert {file["path"]: file["sha256"] for file in manifest["files"]} == history.then
    assert awards(found / "tanso.duckdb") == [("2021H1", "reduction", 10_000)]


def test_what_is_published_is_of_now(history, at_once):
    """5 x 178 + 238 = 1,128 used: 72 saved, 6 %, for which policy now gives 6,000 points."""
    assert awards(history.home.database) == [("2021H1", "reduction", 6_000)]


def test_a_back_fill_touches_nothing_else(history, at_once):
    assert at_once["before"] == at_once["after"]
    assert sorted(path.name for path in history.home.backfill.iterdir() if path.name != ".lock") == [
        folder(history).name
    ]


def test_the_policy_and_code_of_then_are_named(history, at_once):
    manifest = json.loads((folder(history) / "manifest.json").read_text())
    first, second = sorted(path.name for path in history.home.policies.iterdir())
    assert manifest["policy"] == first != second
    record = json.loads((history.home.policies / first / "record.json").read_text())
    assert manifest["policy_sha256"] == record["policy_sha256"]
    assert manifest["code_version_then"] == record["code_version"]


def test_what_was_due_is_set_against_what_was_paid_by_then(history, at_once):
    """10,000 points at 2 won each; paid by then."""
    with (folder(history) / "due_and_paid.csv").open(encoding="utf-8-sig", newline="") as file:
        [row] = csv.DictReader(file)
    assert row == {
        "program_id": "kr_carbon_point", "period_id": "2021H1", "participant_id": "K1", "region_code": "48170",
        "currency": "KRW", "status": "payable", "hold_reason": "", "due": "20000", "paid": "20000", "difference": "0",
    }  # fmt: skip


def test_one_period_from_landing_after_a_purge(history, at_once, tmp_path):
    """The lake is gone and the register erased: all is read again from landing, and from what the purge kept."""
    home = Home(tmp_path / "home")
    shutil.copytree(history.home.root, home.root, ignore=shutil.ignore_patterns("warehouse", "backfill", "reports"))
    [register] = land.receipts(home, "kr_enrolments")
    erased.erase(home, register)
    shutil.rmtree(home.lake)
    before = {name: digests(home.root / name) for name in RECORDS}
    found = backfill(home, history.paid, "kr_carbon_point", "2021H1")
    assert found.folder.name.endswith("Z_kr_carbon_point_2021H1")
    written = digests(found.folder / "marts")
    # All of the one programme and period that there was to pay: the rows, and so the bytes, are those of then.
    for mart in ("fct_point_awards", "fct_payouts", "fct_payout_lines"):
        assert written[f"{mart}.parquet"] == history.then[f"marts/{mart}.parquet"]
    assert "dim_periods.parquet" in written
    assert not {"dim_participants.parquet", "dq_files.parquet", "fct_monthly_usage.parquet"} & set(written)
    assert {name: digests(home.root / name) for name in RECORDS} == before
    with pytest.raises(ValueError, match="no period_id '2021H9' by then; there are .*2021H1"):
        marts_files.write(found.folder / "tanso.duckdb", tmp_path / "none", None, "2021H9")
    assert [path.name for path in home.backfill.iterdir() if path.name != ".lock"] == [found.folder.name]


def test_before_the_first_evaluation_nothing_was_known(history):
    with pytest.raises(PolicyNotKnown, match="nothing had been evaluated by then; the first evaluation on record is"):
        backfill(history.home, history.began)
    with pytest.raises(PolicyNotKnown):
        backfill(history.home, (history.began - timedelta(days=1)).date())


def test_what_is_to_come_is_not_known(history):
    tomorrow = datetime.now(UTC) + timedelta(days=2)  # nowhere has it begun
    for moment in (tomorrow, tomorrow.date()):
        with pytest.raises(ValueError, match="yet to come"):
            backfill(history.home, moment)


def test_a_day_is_taken_to_its_end_where_the_programme_is_and_a_moment_in_its_own_zone():
    # Midnight in Seoul is three in the afternoon in UTC, in New York (summer time) four in the morning.
    assert end_of(date(2026, 7, 1), "Asia/Seoul") == datetime(2026, 7, 1, 14, 59, 59, 999999, UTC)
    assert end_of(date(2026, 7, 1), "America/New_York") == datetime(2026, 7, 2, 3, 59, 59, 999999, UTC)
    # Nine in the morning in Seoul is midnight in UTC.
    assert end_of(parse("2026-07-01T09:00+09:00"), "Asia/Seoul") == datetime(2026, 7, 1, tzinfo=UTC)
    assert parse("2026-07-01") == date(2026, 7, 1)
    with pytest.raises(ValueError, match="says no offset from UTC"):
        parse("2026-07-01T09:00")
    with pytest.raises(ValueError, match="as of 'yesterday': write YYYY-MM-DD, or a moment like"):
        parse("yesterday")


def test_what_a_killed_back_fill_left_is_removed_and_what_lives_is_not(tmp_path):
    home = Home(tmp_path)
    left = home.backfill / ".work-1-dead"
    left.mkdir(parents=True)
    (left / "half").write_text("x")
    with backfills._workplace(home) as alive:
        assert not left.exists()
        with backfills._workplace(home) as another:
            assert alive.exists() and another != alive
    assert not alive.exists()


def test_a_record_of_policy_that_was_changed_is_not_evaluated_with(history, tmp_path):
    """F8 e: points doubled in a record would give other awards under the policy_sha256 that was published."""
    home = Home(tmp_path / "home")
    shutil.copytree(history.home.policies, home.policies)
    record = policies.in_force(home, history.paid)
    path = record / "packs" / "kr_carbon_point" / "policy" / "reduction_tiers.csv"
    path.write_bytes(path.read_bytes().replace(b",10000", b",20000"))
    with pytest.raises(DamagedFile, match=rf"{record.name}: the files are not those.*restore policies/"):
        policies.in_force(home, history.paid)
    about = record / "record.json"
    about.write_bytes(about.read_bytes().replace(b'"policy_sha256": "', b'"policy_sha256": "0'))
    with pytest.raises(DamagedFile, match=rf"{record.name}/record.json is damaged.*restore policies/"):
        policies.in_force(home, history.paid)
