"""Follow a chain of DAG runs to its end, telling what happens, and answer approvals if told to."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tanso.local.airflow_api import AirflowApi

FINISHED = {"success", "failed"}
OVER = {*FINISHED, "skipped", "upstream_failed", "removed"}  # of a task
WAITING_FOR_A_PERSON = "awaiting_input"
WORDS = {
    "success": "done",
    "failed": "FAILED",
    "skipped": "nothing to do",
    "up_for_retry": "failed, will be tried again",
    WAITING_FOR_A_PERSON: "waits for approval",
}
ANOTHER_PERSONS = ".approve_again"  # asked where policy wants two people
POLL_SECONDS = 0.6
# An answer that comes while the task is still being parked makes it fail.
ANSWER_AFTER_SECONDS = 3.5
TELL_AFTER_SECONDS = 45
# Of nothing at all happening; a task that runs is ended by its own timeout.
GIVE_UP_AFTER_SECONDS = 300


class Stuck(RuntimeError):
    """Airflow starts nothing any more; the message says what it waits for."""


@dataclass
class Chain:
    """Runs that began at or after ``since`` (UTC, ISO 8601).

    ``approver``, asked when an approval waits, gives the client that answers for a person; None leaves it open.
    """

    api: AirflowApi
    approver: Callable[[], AirflowApi | None]
    since: str
    say: Callable[[str], None]
    check: Callable[[], None]  # raises when Airflow itself is gone
    failed: list[dict[str, Any]] = field(default_factory=list)
    parked: int = 0
    _seen: dict[str, str] = field(default_factory=dict)
    _parked_at: dict[str, float] = field(default_factory=dict)
    _settled: set[str] = field(default_factory=set)
    _open: list[str] = field(default_factory=list)  # what is not over, as it is told

    def follow(self) -> None:
        """Return when every run has ended, or waits for a person who is not us, and no event is still to start one.

        Raises Stuck when nothing happens for too long.
        """
        waits_for: list[str] = []
        since = told = time.monotonic()
        while True:
            self.check()
            before = self._look()
            if all(before.values()):
                if not self.api.has_queued_events() and self._runs().keys() == before.keys():
                    return
                self._open.append("the run that an asset's change is to start")
            now = time.monotonic()
            if self._open != waits_for:
                waits_for, since, told = self._open, now, now
            elif now - told >= TELL_AFTER_SECONDS:
                told = now
                self.say(f"… for {now - since:.0f} s waiting for: {', '.join(waits_for)}")
            if now - since >= GIVE_UP_AFTER_SECONDS and not any(one.endswith(" running") for one in waits_for):
                raise Stuck(
                    f"For {now - since:.0f} s Airflow has started nothing; it waits for: {', '.join(waits_for)}."
                )
            time.sleep(POLL_SECONDS)

    def _runs(self) -> dict[str, dict[str, Any]]:
        runs = (run for run in self.api.runs() if (run["queued_at"] or run["run_after"]) >= self.since)
        return {f"{run['dag_id']} {run['dag_run_id']}": run for run in runs}

    def _look(self) -> dict[str, bool]:
        """Tell what is new; returns for each run whether nothing more will happen in it without a person."""
        self.parked, self._open = 0, []
        return {key: self._look_at(key, run) for key, run in self._runs().items()}

    def _look_at(self, key: str, run: dict[str, Any]) -> bool:
        if key in self._settled:
            return True
        tasks = self.api.tasks(run)
        for task in tasks:
            self._tell(task)
        if run["state"] in FINISHED:
            self._settled.add(key)
            return True
        unfinished = [task for task in tasks if task["state"] not in (*OVER, None)]
        self._open += [f"{task['dag_id']} {_name(task)} {task['state']}" for task in unfinished] or [
            f"{run['dag_id']} {run['state']}"
        ]
        waiting = [task for task in tasks if task["state"] == WAITING_FOR_A_PERSON]
        approver = self.approver() if waiting else None
        ours = [task for task in waiting if not task["task_id"].endswith(ANOTHER_PERSONS)]
        if approver and ours:
            for task in ours:
                self._answer(task, approver)
            return False
        self.parked += len(waiting)
        # What follows an approval has no state yet; anything else unfinished will still move.
        return bool(waiting) and len(unfinished) == len(waiting)

    def _answer(self, task: dict[str, Any], approver: AirflowApi) -> None:
        since = self._parked_at.setdefault(task["id"], time.monotonic())
        if time.monotonic() - since >= ANSWER_AFTER_SECONDS and approver.approve(task):
            self._parked_at[task["id"]] = float("inf")

    def _tell(self, task: dict[str, Any]) -> None:
        state = task["state"]
        if state == self._seen.get(task["id"]) or state not in WORDS:
            return
        self._seen[task["id"]] = state
        if state == "failed":
            self.failed.append(task)
        # A watcher is skipped when all is well, a back-fill when none is asked for: no news.
        if state == "skipped" and task["task_id"] in ("report_failed_sources", "backfill"):
            return
        result = self.api.returned(task) if state == "success" else None
        if isinstance(result, list):
            result = f"found: {len(result)}"
        words = result.splitlines()[0] if isinstance(result, str) and result else WORDS[state]
        self.say(f"{task['dag_id']:<18} {_name(task):<32} {words}")


def _name(task: dict[str, Any]) -> str:
    name = task["task_id"].rsplit(".", 1)[-1]
    return f"{name} {task['rendered_map_index']}" if task.get("rendered_map_index") else name
