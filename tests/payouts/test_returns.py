"""Bank returns: those that match no issued line are told, and change nothing."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

import pytest

from tanso.payouts import issue, propose
from tanso.payouts.decision import standing
from tanso.payouts.returns import unmatched
from tests.payouts.conftest import JP, KR, House

DAY = date(2021, 6, 1)


def test_returns_of_no_issued_line_are_told_with_the_reason(house: House):
    house.money("Q1", 10_000)
    (proposal,) = propose(house.publish(), DAY)
    issue(house.home, proposal, "Kim")
    house.returned("2020H2-001", 1)
    house.returned("2020H2-001", 2)  # it has one line
    house.returned("2020H2-002", 1)
    house.returned("2020H2-002", 1, "again")
    house.returned("2020H2-001", 1, program_id=JP)  # another programme's batch of that number
    house.publish()
    found = [(row["program_id"], row["batch_id"], row["line_no"], row["reason"]) for row in unmatched(house.home)]
    assert found == [
        (JP, "2020H2-001", 1, "unknown_batch"),
        (KR, "2020H2-001", 2, "unknown_line"),
        (KR, "2020H2-002", 1, "unknown_batch"),
    ]
    # Only the line that was issued counts as sent back.
    (row,) = standing(house.home, DAY)
    assert (row["paid"], row["held"]) == (0, 20_000)


def test_without_such_returns_there_is_nothing_to_tell(house: House):
    house.money("Q1", 10_000)
    (proposal,) = propose(house.publish(), DAY)
    assert unmatched(house.home) == []
    issue(house.home, proposal, "Kim")
    house.returned("2020H2-001", 1)
    assert unmatched(house.publish()) == []


def test_a_return_that_came_before_its_batch_was_issued_is_not_of_it(house: House):
    # 2020H2-001 pays 20,000. Somebody's list names 2020H2-002, which is not there yet; a correction to 15,000 points
    # (30,000) then makes it, and its line pays 10,000. Nothing came back: paid are 30,000.
    house.money("Q1", 10_000)
    (proposal,) = propose(house.publish(), DAY)
    issue(house.home, proposal, "Kim")
    house.returned("2020H2-002", 1)
    house.money("Q1", 15_000)
    (proposal,) = propose(house.publish(), DAY)
    assert proposal.amount == 10_000
    issue(house.home, proposal, "Kim")
    assert [(row["batch_id"], row["reason"]) for row in unmatched(house.home)] == [("2020H2-002", "unknown_batch")]
    (row,) = standing(house.home, DAY)
    assert (row["paid"], row["to_pay"], row["held"]) == (30_000, 0, 0)
    # With another account, too, there is nothing to pay again.
    house.money("Q1", 15_000, account_no="110999999999")
    assert propose(house.publish(), DAY) == []
    # The bank's own list of the same line, later, does count.
    time.sleep(1)  # the moment of issue may be the next whole second
    house.returned("2020H2-002", 1)
    (proposal,) = propose(house.publish(), DAY)
    assert proposal.amount == 10_000 and unmatched(house.home) == []


def test_a_clock_that_went_backwards_does_not_make_an_early_return_count(house: House):
    house.money("Q1", 10_000)
    house.returned("2020H2-001", 1)
    (proposal,) = propose(house.publish(), DAY)
    with pytest.raises(ValueError, match="2020H2-001 would be issued at 2021-06-01 .* set this machine's clock"):
        issue(house.home, proposal, "Kim", issued_at=datetime(2021, 6, 1, tzinfo=UTC))
    assert standing(house.home, DAY)[0]["paid"] == 0
    assert issue(house.home, proposal, "Kim").amount == 20_000
    assert standing(house.home, DAY)[0]["paid"] == 20_000
