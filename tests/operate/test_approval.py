"""What a person answers in Airflow is a record; whether another is asked is policy's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from include.operate import steps
from include.operate.approval import RecordedApproval
from include.payouts import NotApproved

ANSWER = {"chosen_options": ["Approve"], "params_input": {}, "responded_at": datetime(2026, 1, 1, tzinfo=UTC)}


class Again(RecordedApproval):
    """Keeps what it was told to skip."""

    def skip(self, ti: Any, tasks: Any) -> None:
        self.skipped = [task.task_id for task in tasks]


@pytest.fixture
def tasks():
    from airflow.sdk import DAG

    with DAG("d", schedule=None):
        asked = {"proposal_id": "p/2021H1-001/0123", "subject": "s", "body": "b"}
        first, second = Again(task_id="approve", **asked), Again(task_id="approve_again", **asked)
        first >> second
    return first, second


def answer(task: RecordedApproval, name: str, option: str = "Approve") -> None:
    event = {**ANSWER, "chosen_options": [option], "responded_by_user": {"id": name, "name": name}}
    task.execute_complete({"task": task, "ti": None}, event)


@pytest.mark.parametrize(("is_enough", "skipped"), [(True, ["approve_again"]), (False, None)])
def test_another_person_is_asked_when_one_is_not_enough(tasks, monkeypatch, is_enough, skipped):
    told: list = []
    monkeypatch.setattr(steps, "approve", lambda *given: told.append(given) or is_enough)
    first, _ = tasks
    answer(first, "Kim")
    assert told == [("p/2021H1-001/0123", "Kim")]
    assert getattr(first, "skipped", None) == skipped


def test_a_rejection_is_no_approval(tasks, monkeypatch):
    from airflow.providers.standard.exceptions import HITLRejectException

    monkeypatch.setattr(steps, "approve", lambda *_: pytest.fail("recorded"))
    with pytest.raises(HITLRejectException):
        answer(tasks[0], "Kim", "Reject")


def test_the_same_person_again_fails_the_task(tasks, monkeypatch):
    def refuse(*_):
        raise NotApproved("Kim cannot be the second person too.")

    monkeypatch.setattr(steps, "approve", refuse)
    with pytest.raises(NotApproved, match="cannot be the second"):
        answer(tasks[1], "Kim")
