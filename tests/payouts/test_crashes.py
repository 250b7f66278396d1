"""Killed at every step and at any moment, again and again: in the end everybody has what is due, once."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from datetime import date

import pyarrow.parquet as pq

from tanso.ledger import ledger
from tanso.payouts import issue, pending, propose
from tanso.settings import Home
from tests.killing import killed_after, killed_before
from tests.payouts.conftest import House

DAY = date(2022, 7, 1)


def pay(home: Home) -> None:
    for proposal in propose(home, DAY):
        issue(home, proposal.proposal_id, "Kim")


def paid(home: Home) -> Counter[tuple[str, str]]:
    """(period, participant) -> amount, over all batches; every batch is whole, or this fails."""
    found: Counter[tuple[str, str]] = Counter()
    for folder in ledger.batches(home):
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert there == {"manifest.json", *(file["path"] for file in manifest["files"])}
        for file in manifest["files"]:
            assert hashlib.sha256((folder / file["path"]).read_bytes()).hexdigest() == file["sha256"], file["path"]
        for line in pq.read_table(folder / "lines.parquet").to_pylist():
            found[line["period_id"], line["participant_id"]] += line["amount"]
    return found


def assert_settled(home: Home) -> None:
    """Nothing is left of the runs that were killed, and every batch is told once."""
    assert pending(home) == []
    assert [path for path in home.exports.rglob(".*") if path.name != ".lock"] == []
    batches = sorted("/".join(path.parts[-3:]) for path in ledger.batches(home))
    logged = [json.loads(path.read_text("utf-8")) for path in sorted(home.issue_log.glob("*.json"))]
    assert (
        sorted("/".join(entry[key] for key in ("program_id", "period_id", "batch_id")) for entry in logged) == batches
    )
    assert [entry["number"] for entry in logged] == list(range(1, len(logged) + 1))
    events = [json.loads(line) for path in home.access_log.glob("*.jsonl") for line in path.read_text().splitlines()]
    told = [event["batch_id"] for event in events if event["what"] == "batch_issued"]
    assert sorted(told) == sorted(entry["batch_id"] for entry in logged)
    assert ledger.refresh(home) == sum(entry["lines"] for entry in logged)


def test_killed_before_every_change_on_disk_in_turn(house: House):
    house.money("Q1", 10_000)
    house.money("Q2", 5_000, incentive_type="green_card")
    house.money("Q3", 7_000, hold_reason="bank_account_missing")
    home = house.publish()
    due = {("2020H2", "Q1"): 20_000, ("2020H2", "Q2"): 10_000}
    at = 1
    while killed_before(at, pay, home):
        assert paid(home) in ({}, due)
        at += 1
    assert at > 8  # the kill has met every part of it
    assert paid(home) == due
    pay(home)
    assert paid(home) == due
    assert_settled(home)


def test_killed_at_any_moment_while_corrections_come_in(house: House):
    moments = random.Random(20210601)
    due: dict[tuple[str, str], int] = {}
    for kill in range(12):
        # Somebody new in each of two periods, and a correction up for somebody who may be paid already.
        for period_id, certified_on in (("2020H2", date(2021, 6, 1)), ("2021H1", date(2021, 12, 1))):
            for participant_id in (f"Q{kill}", f"Q{kill // 2}"):
                points = 1_000 * (kill + 1)
                house.money(participant_id, points, period_id=period_id, certified_on=certified_on)
                due[period_id, participant_id] = points * 2
        home = house.publish()
        killed_after(moments.uniform(0, 1.2), pay, home)
        found = paid(home)
        assert all(amount <= due[key] for key, amount in found.items())
    pay(home)
    assert paid(home) == due
    assert_settled(home)


def test_two_processes_in_a_crash_loop_pay_once(house: House):
    """The lock of a process that was killed is free; who waited goes on from what lies there."""
    house.money("Q1", 10_000)
    home = house.publish()
    (proposal,) = propose(home, DAY)
    for at in (2, 5, 8):
        killed_before(at, issue, home, proposal.proposal_id, "Kim")
        killed_after(0.2, issue, home, proposal.proposal_id, "Kim")
    issue(home, proposal.proposal_id, "Kim")
    assert paid(home) == {("2020H2", "Q1"): 20_000}
    assert_settled(home)
