"""An Airflow of one's own on this machine: api-server, scheduler and dag-processor, for a run or until told to stop."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Self

import psutil

from tanso.files import private_file, private_folder
from tanso.local import airflow_database
from tanso.settings import PROJECT_ROOT, Home

COMPONENTS = {  # module and arguments
    # Two processes, one for us and one for the tasks: on SQLite a request of ours that waits for a task's write would
    # keep that write from being committed.
    "api-server": ["airflow", "api-server", "--apps", "core", "--port", "{port}"],
    "execution-api": ["airflow", "api-server", "--apps", "execution", "--port", "{execution_port}"],
    # Task logs are read from files, so nobody needs to serve them.
    "scheduler": ["tanso.airflow.scheduler", "scheduler", "--skip-serve-logs"],
    "dag-processor": ["airflow", "dag-processor"],
}
OPERATOR = "operator"
# In the environment of every process that we start and of all below it: whose Airflow it belongs to.
MARK = "TANSO_AIRFLOW"

NO_TELEMETRY = {
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
    "SCARF_ANALYTICS": "false",
    "GX_ANALYTICS_ENABLED": "False",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DO_NOT_TRACK": "1",
}


class AirflowFailed(RuntimeError):
    """A component did not start or died; the message holds the end of its log."""


class AirflowServer:
    """``with AirflowServer(home, approver) as server:`` runs Airflow; its state is ``<home>/airflow``.

    ``approver`` is the user that may answer approvals besides ``operator``, or None.
    """

    stamp = "migrated"
    components = COMPONENTS

    def __init__(self, home: Home, approver: str | None = None) -> None:
        self.folder = home.root / "airflow"
        self.home = home
        self.approver = approver
        self.port, self.execution_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.passwords = {user: secrets.token_urlsafe(15) for user in (OPERATOR, approver) if user}

    def environment(self) -> dict[str, str]:
        """The processes' environment.

        The caller's Airflow settings are dropped, since they may mean another Airflow; connections (``AIRFLOW_CONN_…``)
        are kept, since sources are pulled with them.
        """
        users = [f"{OPERATOR}:admin"] + ([f"{self.approver}:user"] if self.approver else [])
        settings = ("AIRFLOW__", "AIRFLOW_HOME", "AIRFLOW_CONFIG")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
        return (
            inherited
            | NO_TELEMETRY
            | {
                MARK: str(self.folder),
                "SPT_NOENV": "1",  # else a process that names itself overwrites its mark
                "TANSO_HOME": str(self.home.root),
                "AIRFLOW_HOME": str(self.folder),
                "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT_ROOT / "dags"),
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
                "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
                "AIRFLOW__CORE__PARALLELISM": "4",
                # The end of a task goes unnoticed for up to so many seconds, by default 5.
                "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
                "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self.execution_port}/execution/",
                "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(users),
                "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.folder / "passwords.json"),
                "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.folder}/airflow.db",
                "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.folder / "logs"),
                "AIRFLOW__API__HOST": "127.0.0.1",
                "AIRFLOW__API__BASE_URL": self.url,
                "AIRFLOW__API__WORKERS": "1",
                "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
                "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
                "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
                "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "2",
                "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
                "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(self.folder / "bundles"),
            }
        )

    def __enter__(self) -> Self:
        private_folder(self.folder)
        (self.folder / "output").mkdir(exist_ok=True)
        self.end_leftovers()
        environment = self.environment()
        try:
            self.migrate(environment)
            self.prepare(environment)
            for name, arguments in self.components.items():
                filled = [argument.format_map(vars(self)) for argument in arguments]
                self.processes[name] = self.start(name, ["-m", *filled], environment)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def check(self) -> None:
        """Raise AirflowFailed if a component has died."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise AirflowFailed(f"Airflow's {name} ended with code {process.returncode}:\n{self.tail(name)}")

    def stop(self) -> None:
        """End every component with all of its children."""
        for process in self.processes.values():
            _signal_group(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + 8
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
            # Whoever of the group outlived its leader.
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()
        self.processes.clear()
        self.end_leftovers()  # tasks lead groups of their own

    @property
    def database(self) -> Path:
        return self.folder / "airflow.db"

    def migrate(self, environment: dict[str, str]) -> None:
        """Make or upgrade the metadata database, once per Airflow version; one that is beyond repair is put aside.

        It holds the history of runs and no data of ours.
        """
        stamp = self.folder / self.stamp
        if self.database.exists():
            if not airflow_database.is_whole(self.database):
                self._put_database_aside()
            elif stamp.exists() and stamp.read_text() == version("apache-airflow"):
                return
        if not self._is_migrated(environment):
            self._put_database_aside()  # one whose migration was killed cannot always be migrated again
            if not self._is_migrated(environment):
                raise AirflowFailed(f"Airflow's database could not be made:\n{self.tail('migrate')}")
        stamp.write_text(version("apache-airflow"))

    def _is_migrated(self, environment: dict[str, str]) -> bool:
        return self.start("migrate", ["-m", "airflow", "db", "migrate"], environment).wait() == 0

    def _put_database_aside(self) -> None:
        if self.database.exists():
            aside = self.database.with_suffix(".damaged")
            self.database.replace(aside)
            print(f"Airflow's history of runs could not be read and starts again; the old one is {aside}", flush=True)
        for companion in self.folder.glob("airflow.db-*"):  # of SQLite; they belong to the file that is gone
            companion.unlink()

    def prepare(self, environment: dict[str, str]) -> None:
        """What a run of its own needs: users, and nothing left open by earlier ones; a person is asked anew.

        The proposals themselves stay: a newer one replaces an older.
        """
        with private_file(self.folder / "passwords.json") as file:
            file.write(json.dumps(self.passwords).encode())
        airflow_database.end_open_runs(self.database)

    def start(self, name: str, arguments: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        """Start a Python process at the head of a group of its own; it writes to ``output/<name>.log``."""
        with (self.folder / "output" / f"{name}.log").open("w") as log:
            return subprocess.Popen(
                [sys.executable, *arguments],
                env=environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                umask=0o077,
                start_new_session=True,  # so that a group can be ended, and Ctrl-C reaches only the runner
            )

    def end_leftovers(self) -> None:
        """Kill whatever a run that was killed left running; the home's lock says that it is no longer there."""
        left = [process for process in psutil.process_iter() if mark_of(process) == str(self.folder)]
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=10)

    def tail(self, name: str) -> str:
        """The last lines that the component wrote."""
        lines = (self.folder / "output" / f"{name}.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-25:])


def mark_of(process: psutil.Process) -> str | None:
    """The folder of the Airflow that the process belongs to, if it is one of ours."""
    with contextlib.suppress(psutil.Error):  # somebody else's, or gone
        mark: str | None = process.environ().get(MARK)
        return mark
    return None


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on right now."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
