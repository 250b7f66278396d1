"""``make up`` and ``make down``: the pipeline's Airflow with its UI, on this machine, until told to stop.

A supervisor in the background holds the home's lock, runs the components and ends them all when one dies or it is told
to. It listens on this machine only; people log in as the users of ``provision.wanted_users``.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
from cryptography.fernet import Fernet

from tanso import command, settings
from tanso.airflow import provision
from tanso.files import replace_private
from tanso.local import sample
from tanso.local.airflow_server import COMPONENTS, AirflowFailed, AirflowServer
from tanso.local.lock import HomeIsBusy, hold

FIRST_CHOICE_PORT = 8080
START_SECONDS = 180
STOP_SECONDS = 30
IN_USE = "Airflow is up there: start runs in its UI, or end it with `make down`."


class Console(AirflowServer):
    """An Airflow for people: users with roles, a port that stays, a key that keeps connections readable."""

    stamp = "migrated_with_users"
    # None of our tasks needs a triggerer, but the UI shows one that is missing as something broken.
    components = COMPONENTS | {"triggerer": ["airflow", "triggerer", "--skip-serve-logs"]}

    def __init__(self, home: settings.Home) -> None:
        super().__init__(home)
        if _is_free(FIRST_CHOICE_PORT):
            self.port = FIRST_CHOICE_PORT
            self.url = f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """As for a run, with FAB's users; passwords are checked against hashes in Airflow's database."""
        environment = super().environment()
        for name in ("USERS", "PASSWORDS_FILE"):
            del environment[f"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_{name}"]
        return environment | {
            "AIRFLOW__CORE__AUTH_MANAGER": "tanso.airflow.auth_manager.NarrowFabAuthManager",
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(settings.PROJECT_ROOT / "include" / "tanso" / "airflow" / "plugins"),
            # Tokens for an hour (a browser that is logged in gets the next by itself), logged in for a working day.
            "AIRFLOW__API_AUTH__JWT_EXPIRATION_TIME": "3600",
            "AIRFLOW__FAB__SESSION_LIFETIME_MINUTES": "60",
            "AIRFLOW__FAB__SESSION_MAX_LIFETIME_MINUTES": "600",
            "AIRFLOW__CORE__FERNET_KEY": self._fernet_key(),
            "AIRFLOW__FAB__CONFIG_FILE": str(self.folder / "webserver_config.py"),
            "AIRFLOW__API__INSTANCE_NAME": "tanso",
            # What a console that was killed left running is taken up by the next within a minute or two.
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "90",
        }

    def prepare(self, environment: dict[str, str]) -> None:
        """Users, roles and the writer pool; runs that are open go on, questions that wait go on waiting."""
        if self.start("prepare", ["-m", "tanso.airflow.provision"], environment).wait() != 0:
            raise AirflowFailed(f"Airflow's users could not be made:\n{self.tail('prepare')}")

    def wait(self) -> None:
        """Return when every component answers; raises AirflowFailed when one has died or it takes too long."""
        began = datetime.now(UTC).isoformat()
        deadline = time.monotonic() + START_SECONDS
        with httpx.Client(base_url=self.url, trust_env=False, timeout=10) as client:
            while time.monotonic() < deadline:
                self.check()
                with contextlib.suppress(httpx.TransportError, ValueError):
                    if _all_healthy(client.get("/api/v2/monitor/health").json(), began):
                        return
                time.sleep(0.5)
        raise AirflowFailed(f"Airflow was not ready after {START_SECONDS} s; see {self.folder / 'output'}")

    def _fernet_key(self) -> str:
        path = self.folder / "fernet.key"
        if not path.exists():
            replace_private(path, Fernet.generate_key())
        return path.read_text()


def up(home: settings.Home) -> int:
    """Start the console unless it is up; returns when people can log in."""
    running = _running(home)
    if running:
        print(f"Airflow is up already: {running['url']}\n{_who(home)}")
        return 0
    provision.wanted_users()  # a mistake in TANSO_USERS is told before anything starts
    if not os.environ.get("TANSO_HOME"):
        print(f"Sample: {sample.copy_to_inbox(home)} files copied to {home.inbox}")
    print("Airflow starts …", flush=True)
    output = home.root / "airflow" / "output" / "console.log"
    output.parent.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # password hashes lie there
    output.parent.mkdir(exist_ok=True)
    with output.open("w") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "tanso.local.console", "serve"],
            env={**os.environ, "TANSO_HOME": str(home.root)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    while not (running := _running(home)):
        if supervisor.poll() is not None:
            print(output.read_text("utf-8").strip(), file=sys.stderr)
            return 1
        time.sleep(0.3)
    print(f"Airflow is up: {running['url']}\n{_who(home)}\nmake down ends it.")
    return 0


def down(home: settings.Home) -> int:
    """End the console with everything it started."""
    running = _running(home)
    if running:
        os.kill(running["pid"], signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while _is_console(running["pid"], home) and time.monotonic() < deadline:
            time.sleep(0.2)
        if _is_console(running["pid"], home):
            os.kill(running["pid"], signal.SIGKILL)
    try:
        with hold(home):
            _state(home).unlink(missing_ok=True)
            AirflowServer(home).end_leftovers()
    except HomeIsBusy as busy:  # a run, not the console
        print(busy, file=sys.stderr)
        return 1
    print("Airflow is down." if running else "Airflow was not up.")
    return 0


def serve(home: settings.Home) -> int:
    """Run the components until SIGTERM, or until one of them dies."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with hold(home, IN_USE), Console(home) as console:
            try:
                console.wait()
                _state(home).write_text(json.dumps({"pid": os.getpid(), "url": console.url}), "utf-8")
                while True:
                    console.check()
                    time.sleep(1)
            finally:
                _state(home).unlink(missing_ok=True)
    except KeyboardInterrupt:
        return 0


def _who(home: settings.Home) -> str:
    users = ", ".join(f"{name} ({role})" for name, role in provision.wanted_users().items())
    return f"Log in as {users}.\nTheir first passwords: {home.root / 'airflow' / 'users.json'}"


def _state(home: settings.Home) -> Path:
    return home.root / "airflow" / "console.json"


def _running(home: settings.Home) -> dict[str, Any] | None:
    """``pid`` and ``url`` of the console when it is up."""
    try:
        state = json.loads(_state(home).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return state if _is_console(state["pid"], home) else None


def _is_console(pid: int, home: settings.Home) -> bool:
    """Whether the process is this home's supervisor, and not one that was given the id of a dead one."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        named = process.environ().get("TANSO_HOME")
        return "tanso.local.console" in process.cmdline() and named == str(home.root)
    return False


def _all_healthy(health: dict[str, Any], began: str) -> bool:
    """True when scheduler and dag-processor have given a sign of life since ``began`` (ISO 8601, UTC)."""
    return all(
        health[name]["status"] == "healthy" and (health[name][f"latest_{name}_heartbeat"] or "") >= began
        for name in ("scheduler", "dag_processor")
    )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return True
    return False


def main(arguments: list[str]) -> int:
    """``up``, ``down`` or (what ``up`` starts) ``serve``; returns the exit code."""
    work = {"up": up, "down": down, "serve": serve}[arguments[0]]
    return command.exit_code(lambda: work(settings.home()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
