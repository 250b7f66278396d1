"""One ``make up`` for all tests of this folder: a small home, one pack, a place that alerts are posted to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
from aiosmtpd.controller import Controller

from tanso.local.airflow_api import AirflowApi
from tanso.local.airflow_server import free_ports, mark_of
from tanso.settings import PROJECT_ROOT, Home

PACK = PROJECT_ROOT / "include" / "programs" / "jp_nakano_eco_point"
AS_OF = "2020-06-30"
USERS = {"park": "operator", "김 담당": "approver", "lee": "analyst"}
WAITS = "awaiting_input"
CONSOLE = [sys.executable, "-m", "tanso.local.console"]


@dataclass
class Installation:
    """What people see of it, and where it keeps its things."""

    home: Home
    pack: Path
    environment: dict[str, str]
    started: str  # what `make up` said
    posted: list[dict]  # what was sent to the webhook

    def command(self, name: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [*CONSOLE, name], env=self.environment, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=400
        )

    @property
    def url(self) -> str:
        return json.loads((self.home.root / "airflow" / "console.json").read_text("utf-8"))["url"]

    def password(self, role: str) -> tuple[str, str]:
        name = next(name for name, its in USERS.items() if its == role)
        return name, json.loads((self.home.root / "airflow" / "users.json").read_text("utf-8"))[name]

    @cached_property
    def operator(self) -> AirflowApi:
        return AirflowApi(self.url, *self.password("operator"))

    @cached_property
    def approver(self) -> AirflowApi:
        return AirflowApi(self.url, *self.password("approver"))

    @cached_property
    def analyst(self) -> AirflowApi:
        return AirflowApi(self.url, *self.password("analyst"))

    def waiting(self, period: str) -> list[dict]:
        """The tasks that wait for an answer about a period's payouts, oldest first."""
        runs = [run for run in self.operator.runs() if run["dag_id"] == "issue_payouts"]
        tasks = [task for run in runs for task in self.operator.tasks(run) if task["state"] == WAITS]
        return [task for task in tasks if f" {period}-" in (task["rendered_map_index"] or "")]

    def answer(self, task: dict, option: str, who: AirflowApi | None = None) -> int:
        """Answer an approval; returns the HTTP status."""
        time.sleep(4)  # while a task is being parked, an answer makes it fail
        path = f"{path_of(task)}/hitlDetails"
        return (who or self.approver).client.patch(path, json={"chosen_options": [option]}).status_code

    def task(self, task: dict, task_id: str | None = None) -> dict:
        """The task as it is now, or another of the same run and index."""
        run = {"dag_id": task["dag_id"], "dag_run_id": task["dag_run_id"]}
        wanted = (task_id or task["task_id"], task["map_index"])
        return next(one for one in self.operator.tasks(run) if (one["task_id"], one["map_index"]) == wanted)

    def run(self, dag_id: str, run_id: str) -> dict:
        return self.operator.get(f"/dags/{dag_id}/dagRuns/{run_id}")

    def quiet(self) -> bool:
        """True when nothing moves any more but what waits for a person."""
        if self.operator.has_queued_events():
            return False
        runs = [run for run in self.operator.runs() if run["state"] in ("queued", "running")]
        moving = ("scheduled", "queued", "running", "up_for_retry", "restarting")
        tasks = [self.operator.tasks(run) for run in runs]
        return all(
            any(task["state"] == WAITS for task in of_run) and all(task["state"] not in moving for task in of_run)
            for of_run in tasks
        )

    def batches(self) -> dict[str, dict]:
        """Manifest by batch id."""
        paths = self.home.exports.glob("*/*/*/manifest.json")
        return {path.parent.name: json.loads(path.read_text("utf-8")) for path in paths}

    def restart(self, **environment: str) -> None:
        """``make down`` and ``make up`` with other variables; who was logged in logs in again."""
        for command in ("down", "up"):
            done = self.command(command)
            assert done.returncode == 0, done.stdout + done.stderr
            self.environment |= environment
        for name in ("operator", "approver", "analyst"):
            self.__dict__.pop(name, None)


def path_of(task: dict) -> str:
    """The task's address in the REST API."""
    run = f"/api/v2/dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}"
    return f"{run}/taskInstances/{task['task_id']}/{task['map_index']}"


def until(happens: Callable[[], object], seconds: float = 900):
    """What ``happens`` returns once it is true. A message, too, comes after the failure that it is about."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := happens():
            return found
        time.sleep(0.7)
    raise AssertionError(f"not within {seconds} s")


@pytest.fixture(scope="session")
def webhook() -> Iterator[tuple[int, list[dict]]]:
    """A web server, its port and what is posted to it."""
    posted: list[dict] = []

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posted.append(json.loads(body) | {"path": self.path})
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Keep) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, posted
        server.shutdown()


@pytest.fixture(scope="session")
def mailbox() -> Iterator[tuple[int, list[EmailMessage]]]:
    """A mail server, its port and what it is given."""
    mailed: list[EmailMessage] = []

    class Keep:
        async def handle_DATA(self, server: object, session: object, envelope) -> str:
            mailed.append(message_from_bytes(envelope.content, policy=default))
            return "250 OK"

    controller = Controller(Keep(), hostname="127.0.0.1", port=free_ports(1)[0])
    controller.start()
    yield controller.port, mailed
    controller.stop()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory, webhook) -> Iterator[Installation]:
    """Airflow as ``make up`` starts it, ended by ``make down``; afterwards none of its processes is left."""
    folder = tmp_path_factory.mktemp("console")
    pack = folder / "packs" / PACK.name
    shutil.copytree(PACK, pack)
    home = Home(folder / "home")
    shutil.copytree(PACK / "sample", home.inbox)
    environment = {
        **os.environ,
        "TANSO_HOME": str(home.root),
        "TANSO_PROGRAMS": str(folder / "packs"),
        "TANSO_AS_OF": AS_OF,
        "AIRFLOW_CONN_TANSO_ALERTS": f"http://127.0.0.1:{webhook[0]}/hook",
        "TANSO_USERS": ",".join(f"{name}:{role}" for name, role in USERS.items()),
    }
    it = Installation(home, pack, environment, "", webhook[1])
    done = it.command("up")
    try:
        assert done.returncode == 0, done.stderr + done.stdout
        it.started = done.stdout
        yield it
    finally:
        ended = it.command("down")
    assert ended.returncode == 0 and "Airflow is down" in ended.stdout, ended.stdout + ended.stderr
    marks = [mark_of(process) for process in psutil.process_iter()]
    assert str(home.root / "airflow") not in marks


@pytest.fixture(scope="session")
def asked(installation: Installation) -> Installation:
    """After the first chain: FY2018's payouts wait for an answer, or are issued; FY2019's wait."""
    if not any(run["dag_id"] == "ingest_extracts" for run in installation.operator.runs()):
        installation.operator.trigger("ingest_extracts", {"as_of": AS_OF})
    until(lambda: installation.waiting("FY2019"))
    return installation
