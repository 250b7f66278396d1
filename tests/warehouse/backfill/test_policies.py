"""Policy as a record: one folder per change, in the order of time, whole or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tanso.packs.policy import load_policy
from tanso.settings import Home
from tanso.warehouse import policies
from tests.blackbox.files import copy_pack
from tests.warehouse.backfill.conftest import change_policy, digests

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
FIVE, SIX = "electricity,2020H1,,0.05,0.10,5000", "electricity,2020H1,,0.05,0.10,6000"


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    copy_pack(tmp_path / "packs", "kr_carbon_point")
    return tmp_path / "packs"


def record(home: Home, packs: Path, hours: int) -> Path:
    return policies.record(home, policies.files_of([packs]), load_policy([packs]), START + timedelta(hours=hours))


def test_a_policy_is_in_force_until_the_next(tmp_path, packs):
    home = Home(tmp_path / "home")
    first = record(home, packs, 0)
    assert record(home, packs, 1) == first
    change_policy(packs, FIVE, SIX)
    second = record(home, packs, 2)
    change_policy(packs, SIX, FIVE)
    third = record(home, packs, 3)  # back to the first: a record again, or a day after would get the second
    assert policies.records(home) == [first, second, third]
    moments = {0: first, 1: first, 2: second, 3: third, 99: third}
    assert {hour: policies.in_force(home, START + timedelta(hours=hour)) for hour in moments} == moments
    with pytest.raises(policies.PolicyNotKnown, match="the first evaluation on record is of 2026-01-31T12:00:00"):
        policies.in_force(home, START - timedelta(microseconds=1))
    kept = [second / "packs"]
    assert policies.policy_sha256(load_policy(kept), policies.files_of(kept)) == policies.about(second)["policy_sha256"]


def test_source_declarations_are_policy_too(tmp_path, packs):
    home = Home(tmp_path / "home")
    first = record(home, packs, 0)
    path = packs / "kr_carbon_point" / "sources" / "kr_kepco.yml"
    path.write_text(path.read_text("utf-8") + "# another file\n", "utf-8")
    second = record(home, packs, 1)
    assert policies.about(first)["policy_sha256"] == policies.about(second)["policy_sha256"]
    assert (second / "packs" / "kr_carbon_point" / "sources" / "kr_kepco.yml").read_bytes() == path.read_bytes()


def test_what_payout_files_are_made_by_is_policy_too(tmp_path, packs):
    home = Home(tmp_path / "home")
    layout = packs / "kr_carbon_point" / "payouts.yml"
    layout.write_text("debtors: {}\n", "utf-8")
    first = record(home, packs, 0)
    layout.write_text("debtors: {x: {}}\n", "utf-8")
    second = record(home, packs, 1)
    assert policies.about(first)["policy_sha256"] != policies.about(second)["policy_sha256"]
    assert (second / "packs" / "kr_carbon_point" / "payouts.yml").read_bytes() == layout.read_bytes()


def test_a_record_holds_policy_sources_and_layout_alone_and_is_never_changed(tmp_path, packs):
    home = Home(tmp_path / "home")
    first = record(home, packs, 0)
    kinds = {path.parent.name for path in (first / "packs").rglob("*") if path.is_file()}
    assert kinds == {"policy", "sources", "kr_carbon_point"}
    assert [path.name for path in (first / "packs" / "kr_carbon_point").iterdir() if path.is_file()] == ["payouts.yml"]
    before = digests(first)
    change_policy(packs, FIVE, SIX)
    record(home, packs, 1)
    assert digests(first) == before


def test_what_a_stopped_run_left_is_no_record(tmp_path, packs):
    home = Home(tmp_path / "home")
    (home.policies / ".new" / "packs").mkdir(parents=True)
    assert policies.records(home) == []
    assert policies.records(home) == [] and record(home, packs, 0) == policies.records(home)[0]


def test_a_policy_changed_while_it_was_read_is_not_recorded(tmp_path, packs):
    home = Home(tmp_path / "home")
    evaluated = load_policy([packs])
    change_policy(packs, FIVE, SIX)
    with pytest.raises(RuntimeError, match="changed while it was read; run again"):
        policies.record(home, policies.files_of([packs]), evaluated, START)
    assert policies.records(home) == []
