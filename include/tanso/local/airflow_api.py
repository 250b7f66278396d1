"""The few calls of Airflow's REST API that a run needs."""

from __future__ import annotations

import time
from typing import Any

import httpx

from tanso.airflow.names import DAGS


class AirflowApi:
    """Calls ``url`` as ``user``. Errors of the transport and unexpected answers raise httpx.HTTPError."""

    def __init__(self, url: str, user: str, password: str) -> None:
        # No proxy of the environment stands between us and ourselves.
        self.client = httpx.Client(base_url=url, trust_env=False, timeout=90)
        token = self.client.post("/auth/token", json={"username": user, "password": password})
        token.raise_for_status()
        self.client.headers["Authorization"] = f"Bearer {token.json()['access_token']}"

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The answer to a GET; answers 5xx are asked for again for a while (some are momentary)."""
        for pause in (0.5, 1, 2, 4, 0):
            answer = self.client.get(f"/api/v2{path}", params=query)
            if answer.status_code < 500 or not pause:
                break
            time.sleep(pause)
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        return content

    def make_pool(self, name: str, slots: int, description: str) -> None:
        """Make the pool unless it is there."""
        pool = {"name": name, "slots": slots, "description": description, "include_deferred": False}
        answer = self.client.post("/api/v2/pools", json=pool)
        if answer.status_code != httpx.codes.CONFLICT:
            answer.raise_for_status()

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> str:
        """Start a run of the DAG; returns its id."""
        answer = self.client.post(f"/api/v2/dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf})
        answer.raise_for_status()
        return str(answer.json()["dag_run_id"])

    def runs(self) -> list[dict[str, Any]]:
        """The latest runs of our DAGs, oldest first."""
        pages = [self.get(f"/dags/{dag_id}/dagRuns", order_by="-run_after", limit=100)["dag_runs"] for dag_id in DAGS]
        return sorted((run for page in pages for run in page), key=lambda run: run["queued_at"] or run["run_after"])

    def tasks(self, run: dict[str, Any]) -> list[dict[str, Any]]:
        """The run's task instances."""
        path = f"/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances"
        tasks: list[dict[str, Any]] = []
        while True:
            page = self.get(path, limit=100, offset=len(tasks))
            tasks += page["task_instances"]
            if not page["task_instances"] or len(tasks) >= page["total_entries"]:
                return tasks

    def has_queued_events(self) -> bool:
        """True while an asset event has not yet started the run that it is to start."""
        return any(self.get(f"/dags/{dag_id}/assets/queuedEvents")["total_entries"] for dag_id in DAGS)

    def returned(self, task: dict[str, Any]) -> Any:
        """What the task returned, or None."""
        answer = self.client.get(
            f"{_task_path(task)}/xcomEntries/return_value", params={"map_index": task["map_index"]}
        )
        return answer.json().get("value") if answer.is_success else None

    def log(self, task: dict[str, Any]) -> list[str]:
        """The lines of the task's last attempt."""
        query = {"map_index": task["map_index"], "full_content": "true"}
        answer = self.client.get(
            f"{_task_path(task)}/logs/{task['try_number']}", params=query, headers={"Accept": "application/json"}
        )
        if not answer.is_success:
            return [f"(its log could not be read: {answer.status_code})"]
        return [line for entry in answer.json()["content"] for line in _log_lines(entry)]

    def approve(self, task: dict[str, Any]) -> bool:
        """Answer an approval with yes, as the user of this client; False when Airflow was busy: ask again."""
        path = f"{_task_path(task)}/{task['map_index']}/hitlDetails"
        answer = self.client.patch(path, json={"chosen_options": ["Approve"]})
        if answer.is_server_error:
            return False
        if answer.status_code != httpx.codes.CONFLICT:  # answered already
            answer.raise_for_status()
        return True


def _task_path(task: dict[str, Any]) -> str:
    return f"/api/v2/dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}/taskInstances/{task['task_id']}"


def _log_lines(entry: dict[str, Any] | str) -> list[str]:
    if isinstance(entry, str):
        return entry.splitlines()
    lines = [line for line in str(entry.get("event", "")).splitlines() if not line.startswith("::")]
    for error in entry.get("error_detail") or []:
        frames = [
            frame for frame in error.get("frames", []) if "/site-packages/airflow/" not in frame.get("filename", "")
        ]
        lines += [f"  {frame.get('filename')}:{frame.get('lineno')} in {frame.get('name')}" for frame in frames]
        lines += f"{error.get('exc_type')}: {error.get('exc_value')}".splitlines()
    return lines
