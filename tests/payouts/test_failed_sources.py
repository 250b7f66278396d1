"""While a source of a programme failed in the newest ingest nothing of that programme is proposed."""

from __future__ import annotations

import multiprocessing
import os
import signal
from datetime import UTC, date, datetime, timedelta

import pytest

from tanso.ingest import taken
from tanso.packs import load_sources
from tanso.payouts import StaleProposal, approve, issue, pending, propose
from tanso.settings import Home
from tests.payouts.conftest import JP, KR, House

DAY = date(2021, 6, 1)


def fail(home: Home, source_id: str = "kr_kepco", *, mended: bool = False) -> None:
    with taken.look(home, source_id) as problems:
        problems += [] if mended else [f"{source_id}: no answer from sftp://kepco"]


@pytest.fixture
def home(house: House) -> Home:
    """20,000 KRW and 1,000 JPY are due; nothing failed yet."""
    house.money("Q1", 10_000)
    house.eco("N1", {"co2_reduction": (1_000, date(2019, 4, 15))})
    return house.publish()


def amounts(home: Home, **how) -> list[tuple[str, int]]:
    return [(proposal.program_id, proposal.amount) for proposal in propose(home, DAY, **how)]


def test_nothing_of_the_programme_is_proposed_and_the_others_go_on(home):
    assert amounts(home) == [(JP, 1_000), (KR, 20_000)]
    fail(home)
    assert amounts(home) == [(JP, 1_000)]
    assert [one.program_id for one in pending(home)] == [JP]
    fail(home, mended=True)
    assert amounts(home) == [(JP, 1_000), (KR, 20_000)]


def test_a_person_may_ask_for_it_all_the_same_and_it_is_named(home):
    fail(home)
    (_, proposal) = propose(home, DAY, despite_failed_sources={KR})
    assert proposal.failed_sources == ["kr_kepco"]
    # An ordinary run after it leaves it waiting; it is issued as it was asked for.
    assert amounts(home) == [(JP, 1_000)]
    assert approve(home, proposal.proposal_id, "Kim")
    assert issue(home, proposal.proposal_id, "Kim").amount == 20_000


def test_what_was_approved_before_a_source_failed_is_not_issued_after(home):
    (_, proposal) = propose(home, DAY)
    fail(home)
    for step in (approve, issue):
        with pytest.raises(ValueError, match="in the newest ingest the sources kr_kepco failed .*no answer from sftp"):
            step(home, proposal.proposal_id, "Kim")
    fail(home, mended=True)
    assert issue(home, proposal.proposal_id, "Kim").amount == 20_000


def test_other_failures_than_those_approved_are_another_proposal(home):
    fail(home)
    (_, proposal) = propose(home, DAY, despite_failed_sources={KR})
    fail(home, mended=True)
    with pytest.raises(StaleProposal):
        issue(home, proposal.proposal_id, "Kim")
    fail(home)
    fail(home, "kr_citygas")
    with pytest.raises(ValueError, match="kr_citygas, kr_kepco failed"):
        issue(home, proposal.proposal_id, "Kim")


def _die(home: Home) -> None:
    with taken.look(home, "kr_kepco"):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_look_that_died_failed_and_one_that_lasts_did_not(home):
    with taken.look(home, "kr_kepco"):
        assert amounts(home) == [(JP, 1_000), (KR, 20_000)]
    dying = multiprocessing.get_context("spawn").Process(target=_die, args=(home,))
    dying.start()
    dying.join()
    assert dying.exitcode == -signal.SIGKILL
    assert amounts(home) == [(JP, 1_000)]
    (problem,) = taken.failed(home, load_sources())[KR]["kr_kepco"]
    assert problem == "kr_kepco: taking it in was stopped before its end"


def test_an_error_is_a_failure(home):
    with pytest.raises(OSError), taken.look(home, "kr_kepco"):
        raise OSError("disk full")
    assert amounts(home) == [(JP, 1_000)]


def test_a_source_that_no_pack_declares_any_more_holds_up_nothing(home):
    fail(home, "kr_gone")
    assert amounts(home) == [(JP, 1_000), (KR, 20_000)]


def test_the_same_account_twice_is_told(house: House):
    for who in ("Q1", "Q2"):
        house.money(who, 10_000)  # both to the account that everybody has here
    house.money("Q3", 20_000, account_no="110999999999")
    (proposal,) = propose(house.publish(), DAY)
    assert proposal.same_payee == {
        "payees": 1,
        "largest": [{"participants": ["Q1", "Q2"], "lines": 2, "amount": 40_000}],
    }


def test_a_source_that_was_not_looked_at_is_told_from_one_that_was(house: House):
    before = datetime.now(UTC) - timedelta(seconds=5)
    assert not taken.is_looked_at(house.home, "kr_kepco", before)
    fail(house.home, mended=True)
    assert taken.is_looked_at(house.home, "kr_kepco", before)
    assert not taken.is_looked_at(house.home, "kr_kepco", before + timedelta(minutes=1))


def test_a_statement_that_cannot_be_read_is_a_failure(home):
    fail(home, mended=True)
    (home.lake / "_taken" / "kr_kepco.json").write_text("{")
    assert amounts(home) == [(JP, 1_000)]
    fail(home, mended=True)
    assert amounts(home) == [(JP, 1_000), (KR, 20_000)]
