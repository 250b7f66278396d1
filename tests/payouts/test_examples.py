"""The worked examples of the specification: corrections, returns, points certified later."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from tanso.payouts import issue, propose
from tests.payouts.conftest import JP, KR, House


def pay(house: House, day: str) -> list[tuple[str, list[tuple[str, int]], dict]]:
    """Propose and issue everything due on the day: per batch its id, its lines and what stands overpaid."""
    home = house.publish()
    issued = []
    for proposal in propose(home, date.fromisoformat(day)):
        batch = issue(home, proposal.proposal_id, "Kim")
        lines = pq.read_table(batch.path / "lines.parquet").to_pylist()
        manifest = json.loads((batch.path / "manifest.json").read_text())
        issued.append(
            (batch.batch_id, [(line["participant_id"], line["amount"]) for line in lines], manifest["overpaid"])
        )
    return issued


def test_p1_corrected_down_then_up(house: House):
    house.money("Q1", 10_000)  # 11 %
    house.money("Q2", 5_000, hold_reason="bank_account_missing", account_no=None)  # 6 %
    assert pay(house, "2021-05-31") == []
    assert pay(house, "2021-06-01") == [("2020H2-001", [("Q1", 20_000)], {"participants": 0, "amount": 0})]

    house.money("Q1", 5_000)  # 6 %: 10,000 due, 20,000 paid
    house.money("Q2", 5_000)
    assert pay(house, "2021-07-10") == [("2020H2-002", [("Q2", 10_000)], {"participants": 1, "amount": 10_000})]

    house.money("Q1", 15_000)  # 16 %: 30,000 due, 20,000 paid
    assert pay(house, "2021-08-10") == [("2020H2-003", [("Q1", 10_000)], {"participants": 0, "amount": 0})]
    assert pay(house, "2021-08-11") == []


def test_p2_a_returned_line_waits_for_another_account(house: House):
    def enrol(points: int, **data):
        house.money("Q3", points, period_id="2021H1", certified_on=date(2021, 12, 1), **data)

    for number in range(6):  # A0 … A5 come before Q3, which so gets line 7
        house.money(f"A{number}", 5_000, period_id="2021H1", certified_on=date(2021, 12, 1))
    enrol(10_000)
    assert pay(house, "2021-12-01")[0][1][6] == ("Q3", 20_000)
    enrol(15_000)
    assert pay(house, "2021-12-20") == [("2021H1-002", [("Q3", 10_000)], {"participants": 0, "amount": 0})]

    house.returned("2021H1-001", 7)
    assert pay(house, "2022-01-10") == []  # 20,000 is due again, to an account that sent it back
    enrol(15_000, account_no="333444555555")
    assert pay(house, "2022-01-11") == [("2021H1-003", [("Q3", 20_000)], {"participants": 0, "amount": 0})]
    assert pay(house, "2022-01-12") == []


def test_p3_points_certified_later_are_a_difference(house: House):
    april, october = date(2019, 4, 15), date(2019, 10, 1)
    house.eco("N1", {"co2_reduction": (1_380, april), "top_performer": (3_000, october)}, opening=240)
    assert pay(house, "2019-04-14") == []
    assert pay(house, "2019-04-15") == [("FY2018-001", [("N1", 1_500)], {"participants": 0, "amount": 0})]
    assert pay(house, "2019-05-31") == []
    assert pay(house, "2019-10-01") == [("FY2018-002", [("N1", 3_000)], {"participants": 0, "amount": 0})]
    assert pay(house, "2019-10-02") == []


def test_batches_of_different_programmes_and_periods_are_apart(house: House):
    house.money("Q1", 10_000)
    house.money("Q1", 5_000, period_id="2021H1", certified_on=date(2021, 12, 1))
    house.eco("N1", {"co2_reduction": (600, date(2019, 4, 15))})
    home = house.publish()
    proposals = propose(home, date(2021, 12, 1))
    assert [(p.program_id, p.batch_id, p.amount) for p in proposals] == [
        (JP, "FY2018-001", 500),
        (KR, "2020H2-001", 20_000),
        (KR, "2021H1-001", 10_000),
    ]
    folders = {issue(home, proposal, "Kim").path.relative_to(home.exports) for proposal in proposals}
    assert folders == {
        Path(JP) / "FY2018" / "FY2018-001",
        Path(KR) / "2020H2" / "2020H2-001",
        Path(KR) / "2021H1" / "2021H1-001",
    }
