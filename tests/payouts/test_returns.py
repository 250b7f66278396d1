"""Bank returns: those that match no issued line are told, and change nothing."""

from __future__ import annotations

from datetime import date

from include.payouts import issue, propose
from include.payouts.decision import standing
from include.payouts.returns import unmatched
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
