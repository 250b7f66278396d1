"""What is delivered (vouchers, donations, prizes) and comes back, and who is in the vault no more."""

from __future__ import annotations

import json
import shutil
from datetime import date

import pyarrow.parquet as pq
import pytest

from tanso.payouts import issue, propose
from tanso.payouts.decision import standing
from tanso.privacy import vault
from tests.payouts.conftest import JP, KR, SNAPSHOT, House

DAY = date(2021, 6, 1)
OLD, NEW = "진주시 동진로 155", "진주시 남강로 1"


def pay(house: House) -> list[str]:
    return [issue(house.home, proposal, "Kim").path for proposal in propose(house.publish(), DAY)]


def due(house: House) -> tuple[int, list[tuple[str, int]]]:
    """What is to pay, and held reasons with their amounts, of all periods."""
    found = standing(house.publish(), DAY)
    held = [(reason["hold_reason"], reason["amount"]) for row in found for reason in row["held_reasons"]]
    return sum(row["to_pay"] for row in found), held


@pytest.mark.parametrize("kind", ["voucher", "donation"])
def test_what_came_back_is_held_until_the_register_shows_another_address(house: House, kind: str):
    house.money("Q1", 10_000, incentive_type=kind, address=OLD)
    (folder,) = pay(house)
    house.returned("2020H2-001", 1)
    assert due(house) == (0, [("delivery_returned", 20_000)])
    # In another period too, and whatever is delivered.
    house.money("Q1", 5_000, period_id="2020H1", incentive_type="voucher", address=OLD)
    assert due(house) == (0, [("delivery_returned", 10_000), ("delivery_returned", 20_000)])
    # No address is no other address.
    house.money("Q1", 10_000, incentive_type=kind)
    assert due(house) == (0, [("delivery_returned", 10_000), ("delivery_returned", 20_000)])
    house.money("Q1", 10_000, incentive_type=kind, address=NEW)
    assert due(house) == (30_000, [])
    # The ledger has no more columns than before; the address is beside it, as a keyed hash.
    (line,) = pq.read_table(folder / "lines.parquet").to_pylist()
    assert line["payee_key"] is None and "address_key" not in line
    (delivered,) = pq.read_table(folder / "delivered.parquet").to_pylist()
    assert (delivered["line_no"], delivered["address_key"]) == (1, vault.keyed_hash(vault.key(house.home), OLD))
    assert "delivered.parquet" in {file["path"] for file in json.loads((folder / "manifest.json").read_text())["files"]}


def test_who_chooses_cash_after_a_voucher_came_back_is_paid(house: House):
    house.money("Q1", 10_000, incentive_type="voucher", address=OLD)
    pay(house)
    house.returned("2020H2-001", 1)
    house.money("Q1", 10_000, address=OLD)
    assert due(house) == (20_000, [])


def test_a_batch_that_kept_no_address_is_held_whatever_the_register_shows(house: House):
    house.money("Q1", 10_000, incentive_type="voucher", address=OLD)
    (folder,) = pay(house)
    # As an earlier version left it.
    (folder / "delivered.parquet").unlink()
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["files"] = [file for file in manifest["files"] if file["path"] != "delivered.parquet"]
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    shutil.rmtree(house.home.issue_log)  # which would know another manifest
    house.returned("2020H2-001", 1)
    house.money("Q1", 10_000, incentive_type="voucher", address=NEW)
    assert due(house) == (0, [("delivery_returned", 20_000)])


def test_a_prize_that_came_back_is_held(house: House):
    # 1,234 points: 1,000 are redeemed.
    awards = {"co2_reduction": (1_234, date(2019, 4, 15))}
    house.eco("N1", awards, address=OLD)
    pay(house)
    house.returned("FY2018-001", 1, program_id=JP)
    assert due(house) == (0, [("delivery_returned", 1_000)])
    house.eco("N1", awards, address=NEW)
    assert due(house) == (1_000, [])


def test_a_batch_of_accounts_alone_has_no_list_of_deliveries(house: House):
    house.money("Q1", 10_000)
    (folder,) = pay(house)
    assert not (folder / "delivered.parquet").exists()


def test_a_correction_of_an_erased_member_is_held_and_the_others_are_paid(house: House):
    house.money("Q1", 10_000)
    house.money("Q2", 10_000)
    pay(house)
    house.money("Q1", 15_000)
    house.money("Q2", 15_000)
    house.publish()
    vault.erase(house.home, "register", SNAPSHOT, ["Q1"])
    (proposal,) = propose(house.home, DAY)
    assert (proposal.lines, proposal.amount) == (1, 10_000)
    held = {"region_code": "48170", "hold_reason": "personal_data_erased", "participants": 1, "amount": 10_000}
    assert proposal.held == [held]
    batch = issue(house.home, proposal, "Kim")
    rows = (batch.path / "48170" / "held.csv").read_text("cp949").splitlines()
    assert rows[1] == "Q1,10000,개인정보 파기 (personal_data_erased)"


def test_an_erased_members_notice_is_not_written(house: House):
    awards = {"co2_reduction": (1_234, date(2019, 4, 15))}
    for who in ("N1", "N2"):
        house.eco(who, awards)
    house.publish()
    vault.erase(house.home, "register", SNAPSHOT, ["N1"])
    (proposal,) = propose(house.home, DAY)
    assert (proposal.lines, [row["items"] for row in proposal.lists]) == (1, [1])
    assert proposal.held[0]["hold_reason"] == "personal_data_erased"


def test_a_vault_that_is_lost_is_an_error_and_no_hold(house: House):
    house.money("Q1", 10_000)
    (proposal,) = propose(house.publish(), DAY)
    (house.home.vault / "register" / f"{SNAPSHOT}.parquet").unlink()
    with pytest.raises(FileNotFoundError, match="restore vault/ from its backup"):
        issue(house.home, proposal, "Kim")
    assert due_of(house) == 20_000


def due_of(house: House) -> int:
    return next(row["to_pay"] for row in standing(house.home, DAY) if row["program_id"] == KR)
