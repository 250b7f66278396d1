"""The events of real steps: connected from extract to batch, without personal data, to a file or to a server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from tanso.lake import TABLES
from tanso.lineage import run
from tanso.lineage.model import Dataset, Job
from tanso.settings import PROJECT_ROOT, Home

STEP = """
from tanso import settings
from tanso.lineage import run
from tanso.lineage.model import Dataset, Job
with run.step(settings.home(), "take") as step:
    step.made(lambda: [Job("take", (Dataset("extracts/meters", 3, 1),), (Dataset("landing/meters", 2, 1),))])
"""


def stored(home: Home) -> list[dict]:
    return [json.loads(line) for path in sorted(home.lineage.glob("*.jsonl")) for line in path.open(encoding="utf-8")]


def by_job(events: list[dict]) -> list[tuple[str, str, list[str], list[str]]]:
    """Job, type, inputs, outputs"""
    return [
        (
            event["job"]["name"],
            event["eventType"],
            [one["name"] for one in event["inputs"]],
            [one["name"] for one in event["outputs"]],
        )
        for event in events
    ]


@pytest.fixture(scope="module")
def sample_events(sample_home: Home) -> list[dict]:
    return stored(sample_home)


def test_an_extract_leads_to_the_batches_that_are_paid_from_it(sample_home, sample_events):
    reads: dict[str, set[str]] = {}
    for _, _, inputs, outputs in by_job(sample_events):
        for name in inputs:
            reads.setdefault(name, set()).update(outputs)
    reached, waiting = set(), ["extracts/kr_kepco"]
    while waiting:
        for name in reads.get(waiting.pop(), ()):
            if name not in reached:
                reached.add(name)
                waiting.append(name)
    assert {"landing/kr_kepco", "lake/readings", "marts/fct_monthly_usage", "marts/fct_payouts"} <= reached
    batches = {
        f"exports/{path.parent.relative_to(sample_home.exports)}" for path in sample_home.exports.rglob("manifest.json")
    }
    assert batches and batches <= reached
    # The water of the slips is none of the electricity's bills.
    assert "lake/slips" not in reached


def test_a_mart_names_what_it_is_made_from_and_nothing_more(sample_events):
    [(_, _, inputs, outputs)] = [one for one in by_job(sample_events) if one[:2] == ("evaluate.dq_files", "COMPLETE")][
        -1:
    ]
    assert (inputs, outputs) == (["lake/files"], ["marts/dq_files"])


def test_outputs_tell_their_columns_and_rows(sample_events):
    done = [event for event in sample_events if event["eventType"] == "COMPLETE"]
    [payouts] = [event for event in done if event["job"]["name"] == "evaluate.fct_payouts"][-1:]
    fields = {field["name"]: field for field in payouts["outputs"][0]["facets"]["schema"]["fields"]}
    assert fields["amount"]["type"] == "BIGINT"
    assert fields["amount"]["description"]
    assert payouts["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] > 0
    [readings] = [event for event in done if event["job"]["name"] == "publish_lake.readings"]
    columns = [field["name"] for field in readings["outputs"][0]["facets"]["schema"]["fields"]]
    assert columns == list(TABLES["readings"])


def test_every_run_starts_and_ends_once(sample_events):
    runs: dict[str, list[str]] = {}
    for event in sample_events:
        assert event["producer"] and event["schemaURL"].endswith("#/$defs/RunEvent")
        assert event["job"]["namespace"] == "tanso"
        assert datetime.fromisoformat(event["eventTime"]).tzinfo
        UUID(event["run"]["runId"])
        runs.setdefault(event["run"]["runId"], []).append(event["eventType"])
    assert {tuple(types) for types in runs.values()} == {("START", "COMPLETE")}
    parents = {
        event["run"]["facets"]["parent"]["run"]["runId"]
        for event in sample_events
        if "parent" in event["run"]["facets"]
    }
    assert parents and parents <= set(runs)


def test_no_file_and_no_participant_is_named(sample_home, sample_events):
    text = json.dumps(sample_events, ensure_ascii=False)
    receipts = [json.loads(path.read_text("utf-8")) for path in sample_home.receipts.glob("*/[0-9]*.json")]
    assert len(receipts) > 50
    assert [receipt["file_name"] for receipt in receipts if receipt["file_name"] in text] == []
    assert "JJ0131" not in text and str(sample_home.root) not in text


def test_nothing_new_sends_nothing_and_loads_no_client(home):
    code = STEP.replace("[Job(", "[][:0] and [Job(") + "import sys; print('openlineage' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT_ROOT, check=True)
    assert done.stdout == "False\n"
    assert not home.lineage.exists()


def test_a_failure_is_told_by_its_type_alone(home):
    with pytest.raises(ValueError, match="Gildong"), run.step(home, "take"):
        raise ValueError("row 3: Hong Gildong")
    start, fail = stored(home)
    assert (start["eventType"], fail["eventType"]) == ("START", "FAIL")
    assert fail["run"]["facets"]["errorMessage"]["message"] == "ValueError"
    assert "Gildong" not in json.dumps([start, fail])


def test_a_step_does_not_fail_because_of_its_lineage(home, caplog):
    with run.step(home, "take") as step:
        step.made(lambda: [Job("take", (Dataset("a"),), ())][1])
    assert "lineage of take is not recorded" in caplog.text


class _Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[tuple[str, str | None, dict]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.received.append((urlsplit(self.path).path, self.headers.get("Authorization"), body))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_) -> None:
        pass


@contextmanager
def server() -> Iterator[_Server]:
    with _Server() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            yield running
        finally:
            running.shutdown()
            thread.join()


def take(home: Home, **variables: str) -> str:
    """The step in a process of its own, since the client keeps what it read from the environment."""
    environment = {**os.environ, "TANSO_HOME": str(home.root), **variables}
    done = subprocess.run(
        [sys.executable, "-c", STEP], env=environment, capture_output=True, text=True, cwd=PROJECT_ROOT, check=True
    )
    return done.stderr


def configured(url: str) -> list[dict[str, str]]:
    return [
        {"OPENLINEAGE_URL": url, "OPENLINEAGE_API_KEY": "sesame"},
        {
            "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(
                {"type": "http", "url": url, "auth": {"type": "api_key", "apiKey": "sesame"}}
            )
        },
    ]


@pytest.mark.parametrize("way", [0, 1], ids=["by the client's variables", "by Airflow's"])
def test_a_server_gets_the_events_instead_of_the_file(home: Home, way: int):
    with server() as running:
        take(home, **configured(running.url)[way], OPENLINEAGE_NAMESPACE="jinju")
        received = running.received
    assert [(path, key) for path, key, _ in received] == [("/api/v1/lineage", "Bearer sesame")] * 2
    assert by_job([event for _, _, event in received]) == [
        ("take", "START", [], []),
        ("take", "COMPLETE", ["extracts/meters"], ["landing/meters"]),
    ]
    assert received[1][2]["inputs"][0]["namespace"] == "jinju"
    assert received[1][2]["inputs"][0]["inputFacets"]["inputStatistics"]["rowCount"] == 3
    assert list(home.lineage.glob("*")) == []


def test_what_a_server_does_not_take_goes_to_the_file(home: Home, tmp_path: Path):
    # Nobody listens, and nothing is tried again: that takes seconds.
    transport = {"type": "http", "url": "http://127.0.0.1:9", "timeout": 1, "retry": {"total": 0, "connect": 0}}
    said = take(home, AIRFLOW__OPENLINEAGE__TRANSPORT=json.dumps(transport))
    assert "lineage events go to" in said
    assert [event["eventType"] for event in stored(home)] == ["START", "COMPLETE"]


def test_it_can_be_turned_off(home: Home):
    take(home, OPENLINEAGE_DISABLED="true")
    assert not home.lineage.exists()
