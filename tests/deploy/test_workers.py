"""The bundled sample on workers, through the REST API, with a worker lost in the middle of it.

A person's token starts the run, another person's answers the approvals. The worker that evaluates is killed with all
its processes, and so is one that issues a batch; each comes back, as a container does that is to be restarted.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tanso import warehouse
from tanso.local import sample
from tanso.local.airflow_api import DAGS, AirflowApi
from tanso.local.follow import Chain
from tanso.settings import PROJECT_ROOT, Home
from tests.deploy.topology import WORKERS, Topology, missing

pytestmark = [
    pytest.mark.timeout(2700),
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {', '.join(missing())} (apt-get install them)"),
]

AS_OF = "2026-07-01"
STARTS, APPROVES, LOOKS = "kim", "이 담당", "choi"
# An installation waits longer before it gives a lost task to another worker, and less long for an answer: here one
# machine plays all of them.
CHANGED = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
}
READY_SECONDS = 180
TO_LOSE = [("evaluate_programs", "build"), ("issue_payouts", "payout.issue")]


@dataclass
class Loss:
    """A worker that was killed while it ran a task."""

    dag_id: str
    task_id: str
    try_number: int
    worker: str


@dataclass
class World:
    home: Home
    alone: Home  # the same sample, without Airflow
    said: list[str] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    healthy: set[str] = field(default_factory=set)
    unauthorised: int = 0
    forbidden: int = 0


def key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("deploy")
    world = World(Home(folder / "home"), Home(folder / "alone"))
    sample.copy_to_inbox(world.home)
    settings = {name: secrets.token_hex(32) for name in ("DB_PASSWORD", "REDIS_PASSWORD", "JWT_SECRET", "API_SECRET")}
    settings |= {"VAULT_KEY": key(), "FERNET_KEY": key()}
    settings["USERS"] = f"{STARTS}:operator,{APPROVES}:approver,{LOOKS}:analyst"
    given = {f"TANSO_{name}": value for name, value in settings.items()}
    with Topology(world.home.root, given, CHANGED) as running:
        operate(world, running)
    return world


def operate(world: World, running: Topology) -> None:
    """Start the run, lose a worker, approve, and look at what Airflow says in the end."""
    passwords = json.loads((world.home.root / "airflow" / "users.json").read_text("utf-8"))
    api = ready(running, passwords)
    world.unauthorised = httpx.post(f"{running.url}/api/v2/dags/{DAGS[0]}/dagRuns", json={}).status_code
    with pytest.raises(httpx.HTTPStatusError) as refused:
        AirflowApi(running.url, LOOKS, passwords[LOOKS]).trigger(DAGS[0], {"as_of": AS_OF})
    world.forbidden = refused.value.response.status_code

    since = datetime.now(UTC).isoformat()
    api.trigger("ingest_extracts", {"as_of": AS_OF})
    to_lose = list(TO_LOSE)
    alone = None

    def each_time() -> None:
        nonlocal alone
        running.check()
        if to_lose and (loss := lose_a_worker(running, api, *to_lose[0])):
            to_lose.pop(0)
            world.losses.append(loss)
            if not alone:  # while nothing happens here
                alone = run_alone(world.alone)
                running.wait_until_healthy(*running.processes)
                world.healthy = set(running.processes)

    approver = AirflowApi(running.url, APPROVES, passwords[APPROVES])
    chain = Chain(api, lambda: approver, since, world.said.append, each_time)
    chain.follow()
    world.failed = [task | {"log": api.log(task)[-30:]} for task in chain.failed]
    world.runs = api.runs()
    world.tasks = [task for run in world.runs for task in api.tasks(run)]
    if alone:
        assert alone.wait(600) == 0, (world.alone.root / "said.txt").read_text("utf-8")[-3000:]


def ready(running: Topology, passwords: dict[str, str]) -> AirflowApi:
    """Wait until the DAG files are read."""
    api = AirflowApi(running.url, STARTS, passwords[STARTS])
    deadline = time.monotonic() + READY_SECONDS
    while {dag["dag_id"] for dag in api.get("/dags")["dags"]} != set(DAGS):
        running.check()
        assert time.monotonic() < deadline, running.tail("dag-processor")
        time.sleep(0.5)
    assert api.get("/importErrors")["total_entries"] == 0
    return api


def lose_a_worker(running: Topology, api: AirflowApi, dag_id: str, task_id: str) -> Loss | None:
    """Kill the worker that runs the task, if one does, and start it again."""
    for run in api.runs():
        for task in api.tasks(run) if run["dag_id"] == dag_id and run["state"] == "running" else []:
            runs_now = task["task_id"] == task_id and task["state"] == "running" and task["pid"]
            if runs_now and (worker := running.worker_of(task["pid"])):
                running.kill(worker)
                running.start(worker)
                return Loss(dag_id, task_id, task["try_number"], worker)
    return None


def run_alone(home: Home) -> subprocess.Popen:
    """The sample from inbox to issued batches in one process, as it is run without Airflow."""
    sample.copy_to_inbox(home)
    command = [sys.executable, "-m", "tanso.cli", "run", "--as-of", AS_OF, "--by", "nobody"]
    environment = os.environ | {"TANSO_HOME": str(home.root)}
    with (home.root / "said.txt").open("w") as said:
        return subprocess.Popen(command, env=environment, cwd=PROJECT_ROOT, stdout=said, stderr=subprocess.STDOUT)


def batches(home: Home) -> list[dict[str, Any]]:
    return [json.loads(path.read_text("utf-8")) for path in sorted(home.exports.glob("*/*/*/manifest.json"))]


def paid(home: Home) -> dict[tuple[str, ...], int]:
    """Amount by payout: programme, period, batch, participant, incentive."""
    with warehouse.connect(home) as marts:
        rows = marts.sql("""
            select program_id, period_id, batch_id, participant_id, incentive_type, amount::bigint
            from marts.fct_payout_lines
        """).fetchall()
    lines = [row[:-1] for row in rows]
    assert [line for line, count in Counter(lines).items() if count > 1] == []
    return {row[:-1]: row[-1] for row in rows}


def test_the_run_ends_well(world: World):
    assert world.failed == []
    assert {(run["dag_id"], run["state"]) for run in world.runs} == {(dag_id, "success") for dag_id in DAGS}


def test_workers_were_lost_in_the_middle_and_their_tasks_tried_again(world: World):
    assert [(loss.dag_id, loss.task_id) for loss in world.losses] == TO_LOSE
    again = {(task["dag_id"], task["task_id"]): task["state"] for task in world.tasks if task["try_number"] > 1}
    # What else ran on the lost worker was tried again too.
    assert {lost: again[lost] for lost in TO_LOSE} == dict.fromkeys(TO_LOSE, "success")


def test_payouts_are_issued_once_and_are_those_of_a_run_without_airflow(world: World):
    issued = paid(world.home)
    assert len(issued) > 1000
    assert issued == paid(world.alone)


def test_each_batch_is_the_first_of_its_period(world: World):
    """A second batch of a period would pay again, or a rest that the first left out."""
    of_periods = Counter((batch["program_id"], batch["period_id"]) for batch in batches(world.home))
    assert len(of_periods) == 16
    assert set(of_periods.values()) == {1}


def test_manifests_add_up_to_the_marts(world: World):
    assert sum(batch["amount"] for batch in batches(world.home)) == sum(paid(world.home).values())
    assert [batch["amount"] for batch in batches(world.home)] == [batch["amount"] for batch in batches(world.alone)]


def test_the_person_who_approved_is_named(world: World):
    assert {batch["approved_by"] for batch in batches(world.home)} == {APPROVES}


def test_nothing_half_written_is_left(world: World):
    left = [path for path in world.home.exports.glob("*/*/.*") if path.is_dir()]
    assert left == []


def test_health_checks_pass(world: World):
    """Those of the file, after a worker was lost and came back."""
    others = {"postgres", "redis", "api-server", "scheduler", "dag-processor", "triggerer"}
    assert world.healthy == others | set(WORKERS)


def test_the_api_wants_a_token_and_a_right(world: World):
    assert world.unauthorised == 401
    assert world.forbidden == 403


def test_logs_are_on_the_shared_folder(world: World):
    logs: list[Path] = list((world.home.root / "airflow" / "logs").rglob("attempt=*.log"))
    assert any("task_id=build" in str(path) for path in logs)
