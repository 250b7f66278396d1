"""A try of ``issue`` that was lost after its batch was in ``exports/``: the next one says what it could not."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace

import pytest

from tanso import steps
from tanso.settings import PROJECT_ROOT

PROPOSAL = "p/2021H1-001/0123"
APPROVAL = {"responded_by_user": {"id": "1", "name": "Kim"}, "chosen_options": ["Approve"]}


@pytest.fixture
def issue(tmp_path, monkeypatch: pytest.MonkeyPatch):
    """Runs the task as its n-th try, with a step that finds nothing left to do; returns what it hands on."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setattr(steps, "issue", lambda *_: None)
    bag = DagBag(str(PROJECT_ROOT / "dags" / "issue_payouts.py"), collect_dags=True)
    task = bag.dags["issue_payouts"].task_dict["payout.issue"]
    events = defaultdict(SimpleNamespace)

    def run(try_number: int) -> str:
        ti = SimpleNamespace(try_number=try_number)
        return task.python_callable(PROPOSAL, APPROVAL, {"as_of": "2026-07-01"}, ti=ti, outlet_events=events)

    assert task.retries == 1
    return run


def test_a_first_try_that_finds_nothing_to_do_emits_no_event(issue):
    from airflow.sdk.exceptions import AirflowSkipException

    with pytest.raises(AirflowSkipException):
        issue(1)


def test_a_second_try_that_finds_it_done_lets_the_marts_be_made_again(issue):
    assert issue(2) == PROPOSAL
