"""One usage is paid once: a household that was given another participant number is not paid again under it.

Everybody has 10,000 points at 2 won: 20,000.
"""

from __future__ import annotations

from datetime import date

import pytest

from tanso.payouts import issue, propose
from tanso.payouts.decision import standing
from tests.payouts.conftest import KR, House

DAY = date(2021, 6, 1)
HELD = "paid_under_another_number"


def pay(house: House) -> None:
    for proposal in propose(house.publish(), DAY):
        issue(house.home, proposal, "Kim")


def due(house: House) -> tuple[int, list[tuple[str, int]]]:
    """What is to pay, and held reasons with their amounts, of all periods."""
    found = standing(house.publish(), DAY)
    held = [(reason["hold_reason"], reason["amount"]) for row in found for reason in row["held_reasons"]]
    return sum(row["to_pay"] for row in found), held


def test_a_new_number_is_not_paid_for_what_the_old_one_was_paid_for(house: House):
    house.money("OLD", 10_000)
    house.meter("OLD", "0123456789")
    pay(house)
    house.money("NEW", 10_000, account_no="110999999999")
    house.meter("NEW", "0123456789")
    assert due(house) == (0, [(HELD, 20_000)])
    # A correction of what was paid is the old number's; that of the new one waits for a person.
    house.money("OLD", 15_000)
    house.money("NEW", 15_000, account_no="110999999999")
    assert due(house) == (10_000, [(HELD, 30_000)])


def test_a_new_number_is_not_paid_although_the_old_one_has_no_award_any_more(house: House):
    house.money("OLD", 10_000)
    house.meter("OLD", "0123456789")
    pay(house)
    house.money("OLD", 0)  # counted as withdrawn since, say
    house.money("NEW", 10_000)
    house.meter("NEW", "0123456789")
    assert due(house) == (0, [(HELD, 20_000)])


def test_of_two_numbers_in_one_batch_the_earlier_member_is_paid(house: House):
    for who, joined_on in (("B", date(2019, 1, 1)), ("A", date(2019, 1, 2)), ("C", date(2019, 1, 1))):
        house.money(who, 10_000, joined_on=joined_on)
        house.meter(who, "0123456789")
    (proposal,) = propose(house.publish(), DAY)
    assert [line["participant_id"] for line in proposal.top] == ["B"]
    assert [(row["hold_reason"], row["participants"]) for row in proposal.held] == [(HELD, 2)]
    issue(house.home, proposal, "Kim")
    assert due(house) == (0, [(HELD, 40_000)])


def test_the_new_number_is_paid_when_the_old_one_cannot_be(house: House):
    house.money("OLD", 10_000, hold_reason="bank_account_missing")
    house.money("NEW", 10_000, joined_on=date(2020, 1, 1))
    for who in ("OLD", "NEW"):
        house.meter(who, "0123456789")
    assert due(house) == (20_000, [("bank_account_missing", 20_000)])
    pay(house)
    house.money("OLD", 10_000)
    assert due(house) == (0, [(HELD, 20_000)])


def test_what_came_back_was_not_paid(house: House):
    house.money("OLD", 10_000)
    house.meter("OLD", "0123456789")
    pay(house)
    house.returned("2020H2-001", 1)
    house.money("NEW", 10_000, joined_on=date(2020, 1, 1), account_no="110999999999")
    house.meter("NEW", "0123456789")
    assert due(house) == (20_000, [("account_returned", 20_000)])


@pytest.mark.parametrize(
    ("period", "utility", "provider", "meter"),
    [
        ("2021H1", "electricity", "한국전력", "0123456789"),  # who moved in later
        ("2020H2", "gas", "한국전력", "0123456789"),
        ("2020H2", "electricity", "다른전력", "0123456789"),
        ("2020H2", "electricity", "한국전력", "0123456780"),
    ],
)
def test_another_usage_is_paid(house: House, period: str, utility: str, provider: str, meter: str):
    house.money("A", 10_000)
    house.meter("A", "0123456789")
    pay(house)
    house.money("B", 10_000, period_id=period, certified_on=DAY)
    house.meter("B", meter, utility, provider)
    assert due(house) == (20_000, [])


def test_a_meter_that_the_awards_do_not_rest_on_is_no_reason(house: House):
    # Both have the gas meter, but both awards are for electricity, of their own meters.
    for who in ("A", "B"):
        house.money(who, 10_000)
        house.meter(who, f"electricity of {who}")
        house.meter(who, "0123456789", "gas")
    assert due(house) == (40_000, [])


def test_a_complex_with_another_number_is_not_paid_again(house: House):
    def complex_of(who: str) -> None:
        house.money(who, 10_000)
        awards = house.rows["marts.fct_point_awards"]
        awards[:] = [row[:4] + ("complex", None) + row[6:] if row[2] == who else row for row in awards]
        house.meter(who, "0123456789", "water")

    complex_of("OLD")
    pay(house)
    complex_of("NEW")
    assert due(house) == (0, [(HELD, 20_000)])


def test_another_programmes_numbers_are_not_compared(house: House):
    house.money("A", 10_000)
    house.meter("A", "0123456789")
    house.meters.append({**house.meters[0], "program_id": "another", "participant_id": "A2"})
    assert KR != "another" and due(house) == (20_000, [])
