"""``make run``: the whole pipeline once, in a real Airflow that lives as long as the run.

Without ``TANSO_HOME`` the packs' sample is put into ``var/inbox`` first. Payouts are approved without a person only for
that sample, or under the name in ``TANSO_APPROVED_BY``. Exit code 0 if every step ran; refused rows and files are no
failure.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import UTC, datetime
from functools import cache

import httpx

from tanso import command, settings, shown, steps
from tanso.airflow.names import DAGS, WRITER_POOL, WRITER_REASON, WRITER_SLOTS
from tanso.local import sample
from tanso.local.airflow_api import AirflowApi
from tanso.local.airflow_server import OPERATOR, AirflowFailed, AirflowServer
from tanso.local.follow import TELL_AFTER_SECONDS, Chain, Stuck
from tanso.local.lock import hold
from tanso.reports.summary import summarize

STARTED = time.monotonic()
SAMPLE_APPROVER = "bundled-sample"
START_SECONDS = 300
LOG_LINES = 30
LOGS_SHOWN = 3


def main() -> int:
    """Run the pipeline; returns the exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, signal.default_int_handler)
    home = settings.home()
    try:
        approver = _approver()
        as_of = steps.checked()
        with hold(home):
            if not os.environ.get("TANSO_HOME"):
                _say(f"Sample: {sample.copy_to_inbox(home)} files copied to {home.inbox}")
            began = datetime.now(UTC)
            failed = _run(
                home, approver, as_of.isoformat() if as_of else None, began.isoformat().replace("+00:00", "Z")
            )
            print("\n" + summarize(home, as_of, began))
    except Stuck as stuck:
        print(
            f"{stuck}\nNothing is half-written: run it again. Should it stop there again, delete {home.root}/airflow "
            f"(Airflow's own history and logs) first. What Airflow wrote is in {home.root}/airflow/output.",
            file=sys.stderr,
        )
        return 1
    except httpx.HTTPError as error:
        print(f"Airflow does not answer as expected: {error}\nIts output: {home.root}/airflow/output", file=sys.stderr)
        return 1
    return 1 if failed else 0


def _approver() -> str | None:
    """Who payouts are approved by without anybody being asked; None: a person is asked."""
    named = os.environ.get("TANSO_APPROVED_BY", "").strip()
    if any(sign in named for sign in ":,") or named == OPERATOR:
        raise ValueError(f"TANSO_APPROVED_BY must be a person's name without ':' and ',', not {named!r}")
    return named or (None if os.environ.get("TANSO_HOME") else SAMPLE_APPROVER)


def _run(home: settings.Home, approver: str | None, as_of: str | None, since: str) -> bool:
    """Start Airflow, run the chain, stop Airflow; returns whether a step failed."""
    _say("Airflow starts …")
    with AirflowServer(home, approver) as server:
        api = _ready(server, since)
        api.make_pool(WRITER_POOL, WRITER_SLOTS, WRITER_REASON)
        _say(f"Airflow is up at {server.url}; the pipeline starts, as of {as_of or 'today'}")
        api.trigger("ingest_extracts", {"as_of": as_of})
        chain = Chain(api, cache(lambda: _approver_api(server, home, approver)), since, _say, server.check)
        chain.follow()
        for task in chain.failed[:LOGS_SHOWN]:
            print(f"\n--- {task['dag_id']} {task['task_id']} failed; the end of its log:", file=sys.stderr)
            print(shown.lines("\n".join(api.log(task)[-LOG_LINES:])), file=sys.stderr)
        if chain.failed:
            print(f"\nFailed tasks: {len(chain.failed)}. All logs: {server.folder / 'logs'}", file=sys.stderr)
        _say("Airflow stops …")
    return bool(chain.failed)


def _ready(server: AirflowServer, since: str) -> AirflowApi:
    """Wait until Airflow answers and has read the DAG files anew."""
    began = told = time.monotonic()
    api = None
    while time.monotonic() < began + START_SECONDS:
        if time.monotonic() - told >= TELL_AFTER_SECONDS:
            told = time.monotonic()
            _say(f"… for {told - began:.0f} s waiting for Airflow to start; it writes to {server.folder / 'output'}")
        server.check()
        try:
            api = api or AirflowApi(server.url, OPERATOR, server.passwords[OPERATOR])
            for error in api.get("/importErrors")["import_errors"]:
                raise AirflowFailed(f"{error['filename']} cannot be read:\n{error['stack_trace']}")
            parsed = {dag["dag_id"]: dag["last_parsed_time"] or "" for dag in api.get("/dags")["dags"]}
            if all(parsed.get(dag_id, "") >= since for dag_id in DAGS):
                return api
        except httpx.TransportError:
            pass  # the api-server does not listen yet
        time.sleep(0.3)
    raise AirflowFailed(f"Airflow was not ready after {START_SECONDS} s; see {server.folder / 'output'}")


def _approver_api(server: AirflowServer, home: settings.Home, approver: str | None) -> AirflowApi | None:
    if approver == SAMPLE_APPROVER and not sample.is_all_there_is(home):
        _say("More than the bundled sample has been received: payouts are left for a person to approve.")
        return None
    return AirflowApi(server.url, approver, server.passwords[approver]) if approver else None


def _say(line: str) -> None:
    print(f"{time.monotonic() - STARTED:6.1f} s  {line}", flush=True)


if __name__ == "__main__":
    sys.exit(command.exit_code(main))
