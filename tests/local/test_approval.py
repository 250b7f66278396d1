"""What a person answers in Airflow is a record; whether another is asked is policy's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from tanso import steps
from tanso.airflow.alerts import first_line
from tanso.airflow.approval import RecordedApproval
from tanso.payouts import NotApproved

ANSWER = {"chosen_options": ["Approve"], "params_input": {}, "responded_at": datetime(2026, 1, 1, tzinfo=UTC)}


@pytest.fixture
def tasks():
    asked = {"proposal_id": "p/2021H1-001/0123", "subject": "s", "body": "b"}
    first = RecordedApproval(task_id="approve", **asked)
    return first, RecordedApproval(task_id="approve_again", another_persons=True, **asked)


def answer(task: RecordedApproval, name: str, option: str = "Approve") -> None:
    event = {**ANSWER, "chosen_options": [option], "responded_by_user": {"id": name, "name": name}}
    task.execute_complete({"task": task, "ti": None}, event)


def asks(task: RecordedApproval, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the task asks a person; False when it is skipped."""
    monkeypatch.setattr(ApprovalOperator, "execute", lambda *_: "asked")
    try:
        return task.execute({}) == "asked"
    except AirflowSkipException:
        return False


@pytest.mark.parametrize("is_enough", [True, False])
def test_another_person_is_asked_when_one_is_not_enough(tasks, monkeypatch, is_enough):
    told: list = []
    monkeypatch.setattr(steps, "approve", lambda *given: told.append(given))
    monkeypatch.setattr(steps, "is_approved", lambda proposal_id: is_enough)
    first, second = tasks
    assert asks(first, monkeypatch)  # whoever approved before
    answer(first, "Kim")
    assert told == [("p/2021H1-001/0123", "Kim")]
    assert asks(second, monkeypatch) != is_enough


def test_a_rejection_is_no_approval(tasks, monkeypatch):
    from airflow.providers.standard.exceptions import HITLRejectException

    monkeypatch.setattr(steps, "approve", lambda *_: pytest.fail("recorded"))
    with pytest.raises(AirflowFailException) as final:  # no retry, which would ask again
        answer(tasks[0], "Kim", "Reject")
    assert isinstance(final.value.__cause__, HITLRejectException)
    assert first_line(final.value) == "the proposal was rejected; nothing was issued"


def test_the_same_person_again_fails_the_task(tasks, monkeypatch):
    def refuse(*_):
        raise NotApproved("Kim cannot be the second person too.")

    monkeypatch.setattr(steps, "approve", refuse)
    with pytest.raises(AirflowFailException, match="cannot be the second"):
        answer(tasks[1], "Kim")
