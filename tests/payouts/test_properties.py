"""Whatever falls due, comes back or is paid when: never more than was ever due, and in the end what is due."""

from __future__ import annotations

import os
import tempfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tanso.ledger import ledger
from tanso.payouts import issue, propose
from tanso.payouts.decision import decide
from tanso.settings import Home
from tests.payouts.conftest import House

DAY = date(2021, 6, 1)
# The points of each; whether it is issued; whether the last batch's first line comes back (to be paid elsewhere).
EXAMPLES = int(os.environ.get("EXAMPLES", "8"))

STEP = st.tuples(
    st.tuples(st.integers(0, 8), st.integers(0, 8)).map(lambda points: tuple(1_000 * p for p in points)),
    st.booleans(),
    st.booleans(),
)


def paid_by(house: House) -> dict[str, int]:
    """Issued and not returned, per participant."""
    with decide(house.home, DAY) as connection:
        return dict(connection.execute("select participant_id, sum(amount)::bigint from kept group by all").fetchall())


# 8 in `make test`, 500 in `make test-long`.
@pytest.mark.timeout(0 if EXAMPLES > 8 else 300)
@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(STEP, min_size=2, max_size=4))
def test_never_more_than_was_ever_due_and_what_is_due_if_it_never_falls(steps):
    with tempfile.TemporaryDirectory() as folder:
        house = House(Home(Path(folder)))
        accounts = {"P1": 0, "P2": 0}
        most = dict.fromkeys(accounts, 0)
        falls = dict.fromkeys(accounts, False)
        last = dict.fromkeys(accounts, 0)
        for points, is_issued, comes_back in steps:
            due = {name: 2 * number for name, number in zip(accounts, points, strict=True)}
            for name, number in zip(accounts, points, strict=True):
                house.money(name, number, account_no=f"11022233{accounts[name]:04}")
                falls[name] |= due[name] < last[name]
                last[name], most[name] = due[name], max(most[name], due[name])
            house.publish()
            if not is_issued:
                continue
            for proposal in propose(house.home, DAY):
                issue(house.home, proposal, "Kim")
            assert propose(house.home, DAY) == []
            paid = paid_by(house)
            for name in accounts:
                assert due[name] <= paid.get(name, 0) <= most[name]
                if not falls[name]:
                    assert paid.get(name, 0) == due[name]
            batches = ledger.batches(house.home)
            if comes_back and batches:
                batch_id = batches[-1].name
                with decide(house.home, DAY) as connection:
                    (name,) = connection.execute(
                        "select participant_id from ledger where batch_id = ? and line_no = 1", [batch_id]
                    ).fetchone()
                house.returned(batch_id, 1)
                accounts[name] += 1
