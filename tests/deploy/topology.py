"""The services of docker-compose.yaml with the profile ``celery``, as processes of this machine instead of containers.

Environment, commands and health checks are the file's; only folders, hosts and ports are others. PostgreSQL and Redis
are the system's packages.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tanso.local.airflow_server import free_ports
from tanso.settings import PROJECT_ROOT
from tests.deploy import compose

WORKERS = ("worker-1", "worker-2")
START_SECONDS = 600
# PostgreSQL refuses to run as root.
DATABASE_USER = "postgres"


def postgres_folder() -> Path | None:
    """Where the newest installed PostgreSQL has its programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def missing() -> list[str]:
    """The system's packages that this needs and that are not installed."""
    packages = {"postgresql": postgres_folder(), "redis-server": shutil.which("redis-server")}
    return [name for name, path in packages.items() if not path]


class DidNotStart(RuntimeError):
    """A service died or did not get healthy; the message holds the end of what it wrote."""


@dataclass
class Topology:
    """``with Topology(home, secrets) as running:`` has every service started; nothing of it is left afterwards."""

    home: Path
    secrets: dict[str, str]
    # Settings that the test changes: it has less patience than an installation.
    changed: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Not below pytest's folder, which the database's user may not enter.
        self.folder = Path(tempfile.mkdtemp(prefix="tanso-deploy-"))
        self.folder.chmod(0o755)
        self.database_port, self.redis_port, self.api_port, self.health_port = free_ports(4)
        self.url = f"http://127.0.0.1:{self.api_port}"
        self.services = compose.services(
            {**self.secrets, "TANSO_HOME": str(self.home), "TANSO_EXECUTOR": "CeleryExecutor"}, self.here, ("celery",)
        )

    def here(self, text: str) -> str:
        """Folders, hosts and ports of the containers, as they are on this machine."""
        for there, here in {
            "/opt/tanso": str(PROJECT_ROOT),
            "/home/tanso": str(self.home),
            "postgres:5432": f"127.0.0.1:{self.database_port}",
            "--port=5432": f"--port={self.database_port}",
            "${TANSO_MAIN:-redis}:6379": f"127.0.0.1:{self.redis_port}",
            "--port 6379": f"--port {self.redis_port}",
            "${TANSO_MAIN:-api-server}:8080": f"127.0.0.1:{self.api_port}",
            "localhost:8080": f"127.0.0.1:{self.api_port}",
            "localhost:8974": f"127.0.0.1:{self.health_port}",
            "0.0.0.0": "127.0.0.1",
        }.items():
            text = text.replace(there, here)
        # A port that stands alone.
        return {"8080": str(self.api_port), "8974": str(self.health_port), "6379": str(self.redis_port)}.get(text, text)

    def __enter__(self) -> Topology:
        try:
            self._start_database()
            self.start("redis")
            self.wait_until_healthy("postgres", "redis")
            self.run("init")
            self.start("api-server", "scheduler", "dag-processor", "triggerer", *WORKERS)
            self.wait_until_healthy("api-server")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *names: str) -> None:
        """Start services, each in a session of its own."""
        for name in names:
            # Redis keeps its files where it is started.
            cwd = self.folder / name if name == "redis" else PROJECT_ROOT
            self.processes[name] = self._popen(name, self.service(name).command, self.environment(name), cwd)

    def run(self, name: str) -> None:
        """Run a service that ends by itself."""
        process = self._popen(name, self.service(name).command, self.environment(name), PROJECT_ROOT)
        if process.wait(START_SECONDS) != 0:
            raise DidNotStart(f"{name} ended with code {process.returncode}:\n{self.tail(name)}")

    def service(self, name: str) -> compose.Service:
        """The file's service of that name; every worker is the service ``worker``."""
        return self.services["worker" if name in WORKERS else name]

    def environment(self, name: str) -> dict[str, str]:
        """What a container would have: the file's, and what its image brings."""
        own = self.folder / name
        own.mkdir(exist_ok=True)
        environment = {
            key: value.replace("/opt/airflow", str(own)) for key, value in self.service(name).environment.items()
        }
        image = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(own),
            "HOSTNAME": name,
            "LANG": "C.UTF-8",
        }
        changed = self.changed if "AIRFLOW_HOME" in environment else {}
        return image | environment | changed

    def wait_until_healthy(self, *names: str) -> None:
        """Return when the health check of each passes; raises DidNotStart when one has died or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        for name in names:
            while not self.is_healthy(name):
                self.check()
                if time.monotonic() > deadline:
                    raise DidNotStart(f"{name} is not healthy after {START_SECONDS} s:\n{self.tail(name)}")
                time.sleep(0.5)

    def is_healthy(self, name: str) -> bool:
        """Whether the file's health check of the service passes."""
        check = self.service(name).health
        if name == "postgres":
            check = [str(postgres_folder() / check[0]), *check[1:]]
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = subprocess.run(
                check, env=self.environment(name), cwd=self.folder, capture_output=True, timeout=60, check=False
            )
            return done.returncode == 0
        return False

    def check(self) -> None:
        """Raise DidNotStart if a service has died by itself."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise DidNotStart(f"{name} ended with code {process.returncode}:\n{self.tail(name)}")

    def worker_of(self, pid: int) -> str | None:
        """The worker below which the process runs."""
        with contextlib.suppress(psutil.NoSuchProcess):
            above = {parent.pid for parent in psutil.Process(pid).parents()}
            return next((name for name in WORKERS if self.processes[name].pid in above), None)
        return None

    def kill(self, name: str) -> None:
        """What a power cut does to a service: none of its processes gets a word in."""
        _kill_tree(self.processes.pop(name))

    def tail(self, name: str, lines: int = 40) -> str:
        """The last lines that the service wrote."""
        return "\n".join((self.folder / f"{name}.log").read_text(errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        """End everything and remove what is not under the home."""
        database = self.processes.pop("postgres", None)
        for process in self.processes.values():
            _kill_tree(process)
        self.processes.clear()
        if database:
            database.send_signal(signal.SIGQUIT)  # at once, without a checkpoint
            with contextlib.suppress(subprocess.TimeoutExpired):
                database.wait(10)
            _kill_tree(database)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start_database(self) -> None:
        """What the image of PostgreSQL does: a cluster with the user, password and database of the environment."""
        wanted = self.services["postgres"].environment
        programs, data = postgres_folder(), self.folder / "postgres"
        data.mkdir()
        password = self.folder / "password"
        password.write_text(wanted["POSTGRES_PASSWORD"])
        as_user = []
        if os.geteuid() == 0:
            as_user = ["setpriv", "--reuid", DATABASE_USER, "--regid", DATABASE_USER, "--clear-groups"]
            owner = pwd.getpwnam(DATABASE_USER)
            for path in (data, password):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        make = ["--pgdata", str(data), "--username", wanted["POSTGRES_USER"], "--pwfile", str(password)]
        make += ["--auth", "scram-sha-256", "--no-sync", "--encoding", "UTF8"]
        subprocess.run(
            [*as_user, str(programs / "initdb"), *make], env=environment, cwd="/", check=True, capture_output=True
        )
        password.unlink()
        serve = ["-D", str(data), "-h", "127.0.0.1", "-p", str(self.database_port), "-k", str(data), "-c", "fsync=off"]
        self.processes["postgres"] = self._popen(
            "postgres", [*as_user, str(programs / "postgres"), *serve], environment, Path("/")
        )
        self.wait_until_healthy("postgres")
        login = ["--host", "127.0.0.1", "--port", str(self.database_port), "--username", wanted["POSTGRES_USER"]]
        subprocess.run(
            [str(programs / "createdb"), *login, wanted["POSTGRES_DB"]],
            env=environment | {"PGPASSWORD": wanted["POSTGRES_PASSWORD"]},
            check=True,
            capture_output=True,
        )

    def _popen(self, name: str, command: list[str], environment: dict[str, str], cwd: Path) -> subprocess.Popen:
        with (self.folder / f"{name}.log").open("a") as log:
            return subprocess.Popen(
                command,
                env=environment,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


def _kill_tree(process: subprocess.Popen) -> None:
    """Kill a process and all below it, also those in groups of their own."""
    below = []
    with contextlib.suppress(psutil.NoSuchProcess):
        below = psutil.Process(process.pid).children(recursive=True)
    for one in below:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
