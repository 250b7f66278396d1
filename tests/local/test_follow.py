"""Following runs to their end, against a made-up Airflow that plays one scene per look."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tanso.local import follow
from tanso.local.follow import Chain

SINCE = "2026-01-02T00:00:00Z"


class Played:
    """Each scene is (runs, queued events): runs are (dag_id, state, {task_id: state}); the last scene stays."""

    def __init__(self, *scenes):
        self.scenes = list(scenes)
        self.answered: list[str] = []

    def runs(self):
        old = {"dag_id": "issue_payouts", "dag_run_id": "old", "state": "running", "queued_at": "2026-01-01T00:00:00Z"}
        now = [
            {"dag_id": dag_id, "dag_run_id": "new", "state": state, "queued_at": SINCE}
            for dag_id, state, _ in self.scenes[0][0]
        ]
        return [old, *now]

    def tasks(self, run):
        states = next(tasks for dag_id, _, tasks in self.scenes[0][0] if dag_id == run["dag_id"])
        return [
            {"id": f"{run['dag_id']} {task}", "dag_id": run["dag_id"], "task_id": task, "state": state, "map_index": -1}
            for task, state in states.items()
        ]

    def has_queued_events(self):
        queued = self.scenes[0][1]
        if len(self.scenes) > 1:
            self.scenes.pop(0)
        return queued

    def returned(self, task):
        return "nothing new"

    def approve(self, task):
        self.answered.append(task["task_id"])
        return True


def play(api: Played, approver: Callable, monkeypatch: pytest.MonkeyPatch) -> tuple[Chain, list[str]]:
    monkeypatch.setattr(follow, "POLL_SECONDS", 0)
    monkeypatch.setattr(follow, "ANSWER_AFTER_SECONDS", 0)
    said: list[str] = []

    def check():
        # Looks that find a run moving do not ask for events: play on.
        if said and len(api.scenes) > 1 and any(state == "running" for _, state, _ in api.scenes[0][0]):
            api.scenes.pop(0)

    chain = Chain(api, approver, SINCE, said.append, check)
    chain.follow()
    return chain, said


def test_the_end_is_when_no_event_is_still_to_start_a_run(monkeypatch):
    api = Played(
        ([("ingest_extracts", "success", {"publish_lake": "success"})], True),
        ([("ingest_extracts", "success", {}), ("evaluate_programs", "success", {"build": "success"})], False),
    )
    chain, said = play(api, lambda: None, monkeypatch)
    assert [line.split()[:2] for line in said] == [["ingest_extracts", "publish_lake"], ["evaluate_programs", "build"]]
    assert chain.failed == []


def test_a_failed_task_is_told_and_kept(monkeypatch):
    api = Played(([("ingest_extracts", "failed", {"ingest_source": "failed", "publish_lake": "success"})], False))
    chain, said = play(api, lambda: None, monkeypatch)
    assert [task["task_id"] for task in chain.failed] == ["ingest_source"]
    assert said[0].endswith("FAILED")


def test_an_approval_is_left_to_a_person(monkeypatch):
    waiting = {"propose": "success", "payout.approve": "awaiting_input", "payout.issue": None}
    api = Played(([("issue_payouts", "running", waiting)], False))
    chain, said = play(api, lambda: None, monkeypatch)
    assert chain.parked == 1
    assert api.answered == []
    assert said[-1].endswith("waits for approval")


def test_an_approval_is_answered_once(monkeypatch):
    waiting = ([("issue_payouts", "running", {"payout.approve": "awaiting_input"})], False)
    done = ([("issue_payouts", "success", {"payout.approve": "success", "payout.issue": "success"})], False)
    api = Played(waiting, waiting, done)
    play(api, lambda: api, monkeypatch)
    assert api.answered == ["payout.approve"]


def test_a_rejection_beside_an_open_approval_is_no_reason_to_wait_on(monkeypatch):
    tasks = {"payout.approve": "failed", "payout.issue": "upstream_failed", "other.approve": "awaiting_input"}
    api = Played(([("issue_payouts", "running", tasks)], False))
    chain, _ = play(api, lambda: None, monkeypatch)
    assert chain.parked == 1 and [task["task_id"] for task in chain.failed] == ["payout.approve"]


def test_the_second_approval_is_left_to_another_person(monkeypatch):
    tasks = {"payout.approve": "success", "payout.approve_again": "awaiting_input", "payout.issue": None}
    api = Played(([("issue_payouts", "running", tasks)], False))
    chain, _ = play(api, lambda: api, monkeypatch)
    assert (chain.parked, api.answered) == (1, [])


class Clock:
    """Time that passes by the minute, each time somebody rests."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.now = 0.0
        monkeypatch.setattr(follow.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(follow.time, "sleep", self.rest)

    def rest(self, _: float) -> None:
        self.now += 60


def test_who_waits_says_for_what_within_a_minute_and_gives_up(monkeypatch):
    """An asset has changed, and the run that it is to start never comes."""
    said: list[str] = []
    Clock(monkeypatch)
    chain = Chain(Played(([], True)), lambda: None, SINCE, said.append, lambda: None)
    with pytest.raises(follow.Stuck, match="For 300 s .* waits for: the run that an asset's change is to start"):
        chain.follow()
    assert said[0] == "… for 60 s waiting for: the run that an asset's change is to start"


def test_a_task_that_is_queued_for_ever_is_named(monkeypatch):
    Clock(monkeypatch)
    api = Played(([("evaluate_programs", "running", {"build": "queued"})], False))
    with pytest.raises(follow.Stuck, match="waits for: evaluate_programs build queued"):
        Chain(api, lambda: None, SINCE, print, lambda: None).follow()


def test_a_run_without_any_task_is_named(monkeypatch):
    Clock(monkeypatch)
    api = Played(([("evaluate_programs", "queued", {})], False))
    with pytest.raises(follow.Stuck, match="waits for: evaluate_programs queued"):
        Chain(api, lambda: None, SINCE, print, lambda: None).follow()


def test_a_task_that_runs_for_hours_is_waited_for(monkeypatch):
    """Its own timeout ends it."""
    running = ([("evaluate_programs", "running", {"build": "running"})], False)
    done = ([("evaluate_programs", "success", {"build": "success"})], False)
    api, said, clock = Played(running), [], Clock(monkeypatch)

    def check():
        if clock.now == 4 * 3600:
            api.scenes = [done]

    Chain(api, lambda: None, SINCE, said.append, check).follow()
    assert said[0] == "… for 60 s waiting for: evaluate_programs build running"
    assert said[-1].endswith("nothing new")
