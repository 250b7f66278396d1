"""Issuing pays once: twice, at the same time, stopped at any moment, or after something changed."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import stat
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tanso.ledger import ledger
from tanso.ledger.ledger import LedgerError
from tanso.payouts import StaleProposal, batch, issue, pending, propose
from tanso.payouts.batch import BatchError
from tanso.payouts.decision import standing
from tests.payouts.conftest import KR, House

DAY = date(2021, 6, 1)
SPAWN = multiprocessing.get_context("spawn")


def due(house: House, day: date = DAY) -> str | None:
    """The id of the one proposal, if there is one."""
    proposals = propose(house.publish(), day)
    assert len(proposals) <= 1
    return proposals[0].proposal_id if proposals else None


def lines(house: House) -> list[tuple[str, str, int]]:
    """(batch_id, participant, amount) of everything that was ever issued."""
    tables = [pq.read_table(path / "lines.parquet").to_pylist() for path in ledger.batches(house.home)]
    return [(line["batch_id"], line["participant_id"], line["amount"]) for table in tables for line in table]


def test_issuing_twice_pays_once(house: House):
    house.money("Q1", 10_000)
    proposal = due(house)
    assert issue(house.home, proposal, "Kim").amount == 20_000
    assert issue(house.home, proposal, "Kim") is None
    assert due(house) is None
    assert lines(house) == [("2020H2-001", "Q1", 20_000)]
    assert pending(house.home) == []


def test_what_was_issued_after_the_last_evaluation_is_not_paid_again(house: House):
    # The marts are never published again: only the batches on disk say what was paid.
    house.money("Q1", 10_000)
    home = house.publish()
    (proposal,) = propose(home, DAY)
    issue(home, proposal, "Kim")
    assert propose(home, DAY) == []


def test_nobody_approved_nothing_is_issued(house: House):
    house.money("Q1", 10_000)
    proposal = due(house)
    for nobody in ("", "  ", None):
        with pytest.raises(ValueError, match="without an approver"):
            issue(house.home, proposal, nobody)
    assert lines(house) == []


def test_an_unknown_proposal_is_refused_with_the_ones_that_wait(house: House):
    house.money("Q1", 10_000)
    proposal = due(house)
    with pytest.raises(ValueError, match=re.escape(f"Waiting for approval: {proposal}")):
        issue(house.home, f"{KR}/2021H1-001/abc", "Kim")


@pytest.mark.parametrize("propose_again", [True, False], ids=["proposed again", "not proposed again"])
def test_a_correction_makes_the_proposal_stale(house: House, propose_again: bool):
    house.money("Q1", 10_000)
    proposal = due(house)
    house.money("Q1", 5_000)
    house.publish()
    if propose_again:
        propose(house.home, DAY)
    with pytest.raises(StaleProposal, match="approve that"):
        issue(house.home, proposal, "Kim")
    assert lines(house) == []


def test_another_account_makes_the_proposal_stale(house: House):
    house.money("Q1", 10_000)
    proposal = due(house)
    house.money("Q1", 10_000, account_no="999888777666")
    house.publish()
    with pytest.raises(StaleProposal):
        issue(house.home, proposal, "Kim")


def test_a_proposal_of_which_nothing_is_due_any_more_is_dropped(house: House):
    house.money("Q1", 10_000)
    proposal = due(house)
    house.money("Q1", 10_000, hold_reason="account_holder_mismatch")
    house.publish()
    assert issue(house.home, proposal, "Kim") is None
    assert pending(house.home) == [] and lines(house) == []


def test_proposing_the_same_again_keeps_the_id(house: House):
    house.money("Q1", 10_000)
    assert due(house) == due(house)


def test_a_proposal_tells_the_approver_everything_but_who_the_people_are(house: House):
    house.money("Q1", 1_000, period_id="2020H1", certified_on=date(2020, 12, 1))
    issue(house.home, due(house, date(2020, 12, 1)), "Kim")
    for number in range(11):
        house.money(f"V{number:02}", 100 + number, incentive_type="voucher")
    house.money("Q1", 10_000)
    house.money("Q2", 5_000, hold_reason="bank_account_missing")
    house.publish()
    path = house.home.proposals / KR / "2020H2"
    (proposal,) = propose(house.home, DAY)
    stored = json.loads((path / "proposal.json").read_text("utf-8"))
    assert stored["proposal_id"] == proposal.proposal_id and proposal.proposal_id.startswith(f"{KR}/2020H2-001/")
    # Vouchers: 200 + 202 + … + 220.
    assert (proposal.lines, proposal.amount, proposal.previous_period_id) == (12, 22_310, None)
    assert proposal.totals == [
        {"region_code": "48170", "incentive_type": "cash", "lines": 1, "amount": 20_000, "period_amount": 20_000,
         "previous_amount": 0},
        {"region_code": "48170", "incentive_type": "voucher", "lines": 11, "amount": 2_310, "period_amount": 2_310,
         "previous_amount": 0},
    ]  # fmt: skip
    assert proposal.held == [
        {"region_code": "48170", "hold_reason": "bank_account_missing", "participants": 1, "amount": 10_000}
    ]
    assert [line["participant_id"] for line in proposal.top] == ["Q1", *(f"V{n:02}" for n in range(10, 1, -1))]
    assert not any(name in (path / "proposal.json").read_text("utf-8") for name in ("김철수", "110222333333"))
    assert b"110222333333" not in (path / "lines.parquet").read_bytes()
    assert [stat.S_IMODE(p.stat().st_mode) for p in (house.home.proposals, path, path / "proposal.json")] == [
        0o700, 0o700, 0o600,
    ]  # fmt: skip


def test_the_change_is_against_the_last_period_of_the_same_kind(house: House):
    house.money("Q1", 1_000)
    issue(house.home, due(house), "Kim")
    house.money("Q1", 4_000, period_id="2021H1", certified_on=date(2021, 12, 1))
    issue(house.home, due(house, date(2021, 12, 1)), "Kim")
    house.money("Q1", 3_000, period_id="2021H2", certified_on=date(2022, 6, 1))
    (proposal,) = propose(house.publish(), date(2022, 6, 1))
    assert proposal.previous_period_id == "2020H2"
    assert [(row["period_amount"], row["previous_amount"]) for row in proposal.totals] == [(6_000, 2_000)]


def test_held_only_makes_no_batch_but_stands_in_the_report(house: House):
    house.money("Q2", 5_000, hold_reason="bank_account_missing")
    assert due(house) is None
    (row,) = standing(house.home, DAY)
    assert (row["due"], row["paid"], row["to_pay"], row["held"]) == (10_000, 0, 0, 10_000)
    assert row["held_reasons"] == [
        {"region_code": "48170", "hold_reason": "bank_account_missing", "participants": 1, "amount": 10_000}
    ]


def test_what_was_paid_on_a_held_payout_counts_against_it(house: House):
    house.money("Q1", 5_000)
    issue(house.home, due(house), "Kim")
    house.money("Q1", 8_000, hold_reason="bank_account_missing")
    assert due(house) is None
    (row,) = standing(house.home, DAY)
    assert (row["held"], row["overpaid"]) == (6_000, 0)
    house.money("Q1", 2_000, hold_reason="bank_account_missing")
    house.publish()
    (row,) = standing(house.home, DAY)
    assert (row["held"], row["overpaid"], row["overpaid_participants"]) == (0, 6_000, 1)


def test_a_payout_that_is_gone_is_overpaid(house: House):
    house.money("Q1", 5_000)
    house.money("Q2", 5_000)
    issue(house.home, due(house), "Kim")
    house.money("Q1", 0)
    house.money("Q2", 6_000)
    (proposal,) = propose(house.publish(), DAY)
    assert proposal.overpaid == {"participants": 1, "amount": 10_000} and proposal.amount == 2_000


def test_the_rate_of_a_region_and_period_stays_once_it_paid(house: House):
    house.money("B1", 25_000, won="1.99")
    assert issue(house.home, due(house), "Kim").amount == 49_750
    # A correction raises the points and with them lowers the marts' rate; others join: all at the first batch's 1.99.
    house.money("B1", 26_000, won="1.65")
    house.money("B2", 5_750, won="1.65")
    house.money("C1", 1_000, won="1.65", region="43110")
    issue(house.home, due(house), "Kim")
    assert lines(house)[1:] == [
        ("2020H2-002", "C1", 1_650),
        ("2020H2-002", "B1", 1_990),
        ("2020H2-002", "B2", 11_442),  # 11,442.5
    ]


def test_a_return_in_two_files_counts_once_and_a_card_is_compared_as_a_card(house: House):
    house.money("G1", 5_000, incentive_type="green_card")
    issue(house.home, due(house), "Kim")
    house.returned("2020H2-001", 1)
    house.returned("2020H2-001", 1, "카드해지")
    assert due(house) is None
    house.money("G1", 5_000, incentive_type="green_card", card_no="9430009999999999")
    issue(house.home, due(house), "Kim")
    assert lines(house) == [("2020H2-001", "G1", 10_000), ("2020H2-002", "G1", 10_000)]


def test_a_hold_for_a_return_that_the_marts_still_show_is_told_from_the_register_of_today(house: House):
    house.money("Q1", 5_000, hold_reason="account_returned")
    assert issue(house.home, due(house), "Kim").amount == 10_000


def test_a_payable_line_without_account_in_the_register_stops_everything(house: House):
    house.money("Q1", 5_000, account_no=None)
    with pytest.raises(ValueError, match="Q1 is payable by cash in the marts, but the register has no account"):
        due(house)


def test_somebody_whom_the_vault_has_lost_stops_the_batch(house: House):
    house.money("Q1", 5_000, incentive_type="voucher")
    proposal = due(house)
    del house.people[KR, "Q1"]
    house.publish()
    with pytest.raises(ValueError, match="the vault lacks the account, card or name of Q1"):
        issue(house.home, proposal, "Kim")
    assert not list(house.home.exports.glob("*/*/*")) and not list(house.home.exports.glob("*/*/.*"))


def test_before_the_first_evaluation_there_is_nothing_to_propose_from(house: House):
    with pytest.raises(FileNotFoundError, match="Next step: make evaluate"):
        propose(house.home, DAY)


# Whatever stops it


STEPS = ["write", "read_back", "sync", "before rename", "after rename"]


def _stop_at(step: str, stop, patch: pytest.MonkeyPatch) -> None:
    """Call ``stop`` when issuing has come to the end of a step."""

    def after(owner, name: str) -> None:
        real = getattr(owner, name)

        def stopping(*arguments):
            real(*arguments)
            stop()

        patch.setattr(owner, name, stopping)

    if step == "before rename":
        patch.setattr(Path, "replace", lambda *_: stop())
    elif step == "after rename":
        after(Path, "replace")
    else:
        after(batch, step)


def _die(home, proposal: str, step: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        _stop_at(step, lambda: os.kill(os.getpid(), signal.SIGKILL), patch)
        issue(home, proposal, "Kim")


def _no_space() -> None:
    raise OSError("no space left on device")


@pytest.mark.parametrize("how", ["killed", "failed"])
@pytest.mark.parametrize("step", STEPS)
def test_stopped_anywhere_there_is_no_half_batch_and_a_rerun_pays_once(house: House, step: str, how: str):
    house.money("Q1", 10_000)
    proposal = due(house)
    if how == "killed":
        process = SPAWN.Process(target=_die, args=(house.home, proposal, step))
        process.start()
        process.join(120)
        assert process.exitcode == -signal.SIGKILL
    else:
        with pytest.MonkeyPatch.context() as patch, pytest.raises(OSError, match="no space left"):
            _stop_at(step, _no_space, patch)
            issue(house.home, proposal, "Kim")

    issued = [("2020H2-001", "Q1", 20_000)]
    assert lines(house) == (issued if step == "after rename" else [])
    # The same approval again; once the batch is there, nothing.
    again = issue(house.home, proposal, "Kim")
    assert (again is None) == (step == "after rename")
    assert lines(house) == issued and due(house) is None
    assert not [path for path in house.home.exports.glob("*/*/*") if path.name.startswith(".")]
    assert pq.read_table(house.home.lake / "ledger" / "ledger.parquet").num_rows == 1


def _issue_into(home, proposal: str, start, results) -> None:
    start.wait()
    batch = issue(home, proposal, "Kim")
    results.put(batch and batch.batch_id)


def test_two_at_the_same_time_pay_once(house: House):
    house.money("Q1", 10_000)
    proposal = due(house)
    start, results = SPAWN.Barrier(2), SPAWN.Queue()
    both = [SPAWN.Process(target=_issue_into, args=(house.home, proposal, start, results)) for _ in range(2)]
    for process in both:
        process.start()
    found = {results.get(timeout=120) for _ in both}
    for process in both:
        process.join(60)
    assert found == {"2020H2-001", None}
    assert lines(house) == [("2020H2-001", "Q1", 20_000)]


def test_a_file_that_reads_back_otherwise_is_not_issued(house: House, monkeypatch: pytest.MonkeyPatch):
    house.money("Q1", 10_000)
    proposal = due(house)
    write = batch.write

    def damage(*arguments):
        lost = write(*arguments)
        path = arguments[5] / "48170" / "cash.csv"
        path.write_bytes(path.read_bytes().replace(b"20000", b"90000"))
        return lost

    monkeypatch.setattr(batch, "write", damage)
    with pytest.raises(BatchError, match="48170/cash.csv: SHA-256"):
        issue(house.home, proposal, "Kim")
    assert lines(house) == [] and not list(house.home.exports.glob("*/*/.*"))


# The ledger


def test_the_ledger_is_what_the_folders_hold(house: House):
    assert ledger.refresh(house.home) == 0
    house.money("Q1", 10_000)
    batch = issue(house.home, due(house), "Kim")
    path = house.home.lake / "ledger" / "ledger.parquet"
    (line,) = pq.read_table(path).to_pylist()
    assert (line["batch_id"], line["amount"], line["won_per_point"]) == ("2020H2-001", 20_000, 2)
    assert line["issued_at"] == batch.issued_at.replace(tzinfo=None)
    before = path.read_bytes()
    (batch.path.parent / ".2020H2-002-99").mkdir()  # being written
    assert ledger.refresh(house.home) == 1 and path.read_bytes() == before
    batch.path.rename(batch.path.with_name(".gone"))
    with pytest.raises(LedgerError, match="exports/ lacks 1 batches that were issued"):
        ledger.refresh(house.home)


def test_a_damaged_batch_stops_everything(house: House):
    house.money("Q1", 10_000)
    batch = issue(house.home, due(house), "Kim")
    manifest = batch.path / "manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace('"amount": 20000', '"amount": 10000', 1), "utf-8")
    with pytest.raises(LedgerError, match="2020H2-001: manifest.json is not the one that was issued"):
        due(house)
    manifest.unlink()
    with pytest.raises(LedgerError, match="no readable manifest.json"):
        ledger.refresh(house.home)
