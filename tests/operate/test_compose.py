"""docker-compose.yaml is understood by docker, and starts nothing without secrets of one's own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess

import pytest
import yaml

from include.settings import PROJECT_ROOT

REQUIRED = {
    "TANSO_HOME": "/srv/tanso",
    "TANSO_DB_PASSWORD": "a",
    "TANSO_JWT_SECRET": "b",
    "TANSO_API_SECRET": "c",
    "TANSO_FERNET_KEY": "d",
    "TANSO_USERS": "kim:admin",
}

SERVICES = {"postgres", "migrate", "api-server", "scheduler", "dag-processor", "triggerer"}

needs_docker = pytest.mark.skipif(
    not shutil.which("docker") or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode != 0,
    reason="there is no docker client with compose on this machine",
)


def test_services_and_secrets():
    text = (PROJECT_ROOT / "docker-compose.yaml").read_text("utf-8")
    services = yaml.safe_load(text)["services"]
    assert set(services) == SERVICES
    assert all("healthcheck" in service for name, service in services.items() if name != "migrate")
    assert services["api-server"]["ports"] == ["127.0.0.1:8080:8080"]
    # Every variable is required: none has a default or may be blank.
    used = dict(re.findall(r"\$\{(\w+)([^}]*)\}", text))
    assert set(used) == set(REQUIRED)
    assert all(rule.startswith(":?") for rule in used.values())


def config(variables: dict[str, str]) -> subprocess.CompletedProcess:
    environment = {name: value for name, value in os.environ.items() if name not in REQUIRED} | variables
    command = ["docker", "compose", "config", "--format", "json"]
    return subprocess.run(command, env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True)


@needs_docker
def test_accepted_with_everything_set():
    done = config(REQUIRED)
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["services"]) == SERVICES


@needs_docker
@pytest.mark.parametrize("missing", sorted(REQUIRED))
def test_no_secret_has_a_default(missing):
    done = config({name: value for name, value in REQUIRED.items() if name != missing})
    assert done.returncode != 0
    assert missing in done.stderr
