"""Days are those of the programme's time zone, and none is yet to come."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tanso import days
from tanso.payouts import issue, propose
from tanso.payouts.decision import standing
from tanso.purge.retention import purge
from tests.payouts.conftest import KR, House


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch):
    """``clock("2021-05-31T23:30")``: what time it is in UTC."""

    def set_to(text: str) -> None:
        monkeypatch.setattr(days, "now", lambda: datetime.fromisoformat(text).replace(tzinfo=UTC))

    return set_to


def test_at_half_past_eight_in_seoul_it_is_the_first_of_june(house: House, clock):
    # 2020H2 is payable from 1 June 2021. Seoul is nine hours ahead of UTC.
    house.money("Q1", 10_000)
    home = house.publish()
    clock("2021-05-31T14:59")
    assert propose(home) == []
    assert [(row["due"], row["as_of"]) for row in standing(home)] == []
    clock("2021-05-31T23:30")
    (proposal,) = propose(home)
    assert (proposal.as_of, proposal.amount) == (date(2021, 6, 1), 20_000)
    assert issue(home, proposal, "Kim").amount == 20_000


def test_each_programme_has_a_day_of_its_own(house: House, clock):
    programs = house.rows["policy.programs"]
    programs[:] = [(row[0], "America/New_York") if row[0] == KR else row for row in programs]
    house.money("Q1", 10_000)
    house.eco("N1", {"co2_reduction": (1_000, date(2021, 6, 1))}, certified_on=date(2021, 6, 1))
    home = house.publish()
    clock("2021-05-31T23:30")  # 1 June in Tokyo, 31 May in New York
    assert [proposal.amount for proposal in propose(home)] == [1_000]
    clock("2021-06-01T04:00")
    assert sorted(proposal.amount for proposal in propose(home)) == [1_000, 20_000]


def test_a_day_to_come_is_refused(house: House, clock):
    house.money("Q1", 10_000)
    home = house.publish()
    clock("2021-05-31T23:30")
    propose(home, date(2021, 6, 1))
    with pytest.raises(ValueError, match="as of 2021-06-02: that day is yet to come, for .* it is 2021-06-01 .Asia"):
        propose(home, date(2021, 6, 2))


def test_a_purge_of_a_day_to_come_is_refused(house: House, clock):
    house.rows["policy.programs"] = [(program_id, zone) for program_id, zone in house.rows["policy.programs"]]
    home = house.publish()
    clock("2026-11-30T00:00")
    for apply in (False, True):
        with pytest.raises(ValueError, match="as of 2033-01-01: that day is yet to come"):
            purge(home, date(2033, 1, 1), apply)
