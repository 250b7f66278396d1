"""docker-compose.yaml is understood by docker itself, and starts nothing without secrets of one's own.

What it says is looked at in tests/deploy, which needs no docker.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from tanso.settings import PROJECT_ROOT

REQUIRED = sorted(set(re.findall(r"\$\{(\w+):\?", (PROJECT_ROOT / "docker-compose.yaml").read_text("utf-8"))))

pytestmark = pytest.mark.skipif(
    not shutil.which("docker") or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode != 0,
    reason="there is no docker client with compose on this machine",
)


def config(given: list[str]) -> subprocess.CompletedProcess:
    environment = {name: value for name, value in os.environ.items() if name not in REQUIRED}
    environment |= {name: f"/given/{name}" for name in given}
    command = ["docker", "compose", "--profile", "celery", "config", "--quiet"]
    return subprocess.run(command, env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True)


def test_accepted_with_everything_set():
    done = config(REQUIRED)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("missing", REQUIRED)
def test_no_secret_has_a_default(missing):
    done = config([name for name in REQUIRED if name != missing])
    assert done.returncode != 0
    assert missing in done.stderr
