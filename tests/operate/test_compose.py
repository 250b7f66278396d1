"""docker-compose.yaml is understood by docker, and starts nothing without secrets of one's own."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from include.settings import PROJECT_ROOT

REQUIRED = {
    "TANSO_HOME": "/srv/tanso",
    "TANSO_DB_PASSWORD": "a",
    "TANSO_JWT_SECRET": "b",
    "TANSO_API_SECRET": "c",
    "TANSO_FERNET_KEY": "d",
    "TANSO_USERS": "kim:admin",
}

pytestmark = pytest.mark.skipif(
    not shutil.which("docker") or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode != 0,
    reason="there is no docker client with compose on this machine",
)


def config(variables: dict[str, str]) -> subprocess.CompletedProcess:
    environment = {name: value for name, value in os.environ.items() if name not in REQUIRED} | variables
    command = ["docker", "compose", "config", "--format", "json"]
    return subprocess.run(command, env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True)


def test_accepted_with_everything_set():
    done = config(REQUIRED)
    assert done.returncode == 0, done.stderr
    for service in ("postgres", "api-server", "scheduler", "dag-processor", "triggerer"):
        assert f'"{service}"' in done.stdout


@pytest.mark.parametrize("missing", sorted(REQUIRED))
def test_no_secret_has_a_default(missing):
    done = config({name: value for name, value in REQUIRED.items() if name != missing})
    assert done.returncode != 0
    assert missing in done.stderr
