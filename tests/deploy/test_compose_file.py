"""docker-compose.yaml: valid, closed to strangers, complete, and of one mind with Airflow and the DAGs."""

from __future__ import annotations

import re
from datetime import timedelta

import jsonschema
import pytest
from check_jsonschema.builtin_schemas import get_builtin_schema

from tanso.local.airflow_server import NO_TELEMETRY
from tanso.settings import PROJECT_ROOT
from tests.deploy import compose

ALWAYS = {"postgres", "init", "api-server", "scheduler", "dag-processor", "triggerer"}
WITH_WORKERS = ALWAYS | {"redis", "worker"}
OURS = WITH_WORKERS - {"postgres", "redis"}
SECRET = re.compile(r"(PASSWORD|SECRET|KEY)$")
# Whoever holds these can read or write Airflow's database, or speak as another.
NOT_FOR_WORKERS = {
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__API_AUTH__JWT_SECRET",
}


@pytest.fixture(scope="module")
def given() -> dict[str, str]:
    """A value for every variable that must have one."""
    return {name: f"given-{name}" for name in required()}


def written() -> dict[str, str]:
    return compose.variables_of(compose.raw()["services"])


def required() -> set[str]:
    return set(re.findall(r"\$\{(\w+):\?", compose.FILE.read_text("utf-8")))


def test_the_file_is_valid():
    jsonschema.Draft7Validator(get_builtin_schema("vendor.compose-spec")).validate(compose.raw())


def test_services_of_one_machine_and_with_workers(given):
    assert set(compose.services(given)) == ALWAYS
    assert set(compose.services(given, profiles=("celery",))) == WITH_WORKERS


@pytest.mark.parametrize("name", sorted(required()))
def test_what_must_be_given_stops_the_start_with_a_message(given, name):
    with pytest.raises(compose.Unset, match=rf"{name}: \w+"):
        compose.services({**given, name: ""}, profiles=("celery",))


def test_no_secret_has_a_default():
    secrets = {name for name in written() if SECRET.search(name)}
    assert len(secrets) == 6
    assert secrets <= required()
    assert re.search(r"(?i)(password|secret|key)\w*: *(?!\$\{)\w", compose.FILE.read_text("utf-8")) is None


def test_the_example_names_every_variable_and_gives_no_secret():
    assert compose.example_names() == set(written()) | {"COMPOSE_PROFILES"}
    values = dict(re.findall(r"^([A-Z_]+)=(.*)$", compose.EXAMPLE.read_text("utf-8"), re.MULTILINE))
    assert set(values) == required()
    assert set(values.values()) == {""}


def test_secrets_stay_out_of_git_and_image():
    for file in (".gitignore", ".dockerignore"):
        lines = (PROJECT_ROOT / file).read_text("utf-8").split()
        assert ".env" in lines
        assert "connections.env" in lines or "*.env" in lines


def test_ports_are_open_to_this_machine_only(given):
    ports = {
        name: service.rest["ports"]
        for name, service in compose.services(given, profiles=("celery",)).items()
        if "ports" in service.rest
    }
    assert ports == {"api-server": ["127.0.0.1:8080:8080"], "redis": ["127.0.0.1:6379:6379"]}


def test_every_service_is_watched_and_restarted(given):
    for name, service in compose.services(given, profiles=("celery",)).items():
        assert bool(service.health) == (name != "init"), name
        assert service.rest["restart"] == ("no" if name == "init" else "unless-stopped"), name


def test_images_are_the_file_s_own_or_official(given):
    images = {name: service.rest["image"] for name, service in compose.services(given, profiles=("celery",)).items()}
    assert {images.pop(name) for name in OURS} == {"tanso:local"}
    assert all(re.fullmatch(r"[a-z]+:\d+", image) for image in images.values()), images


def test_python_is_the_one_the_lock_was_made_for():
    [base] = re.findall(r"^FROM python:(\S+)-slim$", (PROJECT_ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert f"--python-version {base} " in (PROJECT_ROOT / "Makefile").read_text("utf-8")


def test_nobody_phones_home(given):
    for name in OURS:
        environment = compose.services(given, profiles=("celery",))[name].environment
        assert NO_TELEMETRY.items() <= environment.items(), name


def test_a_worker_is_told_what_it_needs_and_no_more(given):
    services = compose.services(given, profiles=("celery",))
    worker, scheduler = services["worker"].environment, services["scheduler"].environment
    assert set(scheduler) >= NOT_FOR_WORKERS
    assert NOT_FOR_WORKERS & set(worker) == set()
    shared = set(worker) - {"AIRFLOW__CORE__EXECUTOR"}
    assert {name: worker[name] for name in shared} == {name: scheduler.get(name) for name in shared}


def test_a_message_is_not_given_to_a_second_worker_while_the_first_may_still_work(given, tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
    from airflow.dag_processing.dagbag import DagBag

    timeouts = [
        task.execution_timeout or timedelta(0)
        for dag in DagBag(str(PROJECT_ROOT / "dags"), collect_dags=True).dags.values()
        for task in dag.tasks
    ]
    assert max(timeouts) >= timedelta(hours=1)
    environment = compose.services(given)["scheduler"].environment
    again = int(environment["AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"])
    assert timedelta(seconds=again) > 2 * max(timeouts)


def test_a_worker_that_is_cut_off_ends_its_task_before_another_gets_it(given):
    from airflow.configuration import conf

    environment = compose.services(given, profiles=("celery",))["worker"].environment
    beats, pause, patience = (
        int(environment[f"AIRFLOW__{name}"])
        for name in (
            "WORKERS__MAX_FAILED_HEARTBEATS",
            "WORKERS__MIN_HEARTBEAT_INTERVAL",
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT",
        )
    )
    tries = conf.getint("workers", "execution_api_retries")
    waits = sum(2**n for n in range(tries - 1))  # at most 1, 2, 4 … seconds between two tries
    unheard = tries * conf.getfloat("workers", "execution_api_timeout") + waits
    assert unheard == 5 * 5 + (1 + 2 + 4 + 8)
    assert beats * unheard + pause <= patience


def test_airflow_knows_every_setting(given):
    from airflow.configuration import conf

    names = {
        name
        for service in compose.services(given, profiles=("celery",)).values()
        for name in service.environment
        # What keeps versions and packages quiet that are not installed here is unknown to this one.
        if name.startswith("AIRFLOW__") and name not in NO_TELEMETRY
    }
    assert len(names) > 20
    for name in names:
        section, option = name.removeprefix("AIRFLOW__").lower().split("__")
        # The options of a transport belong to the broker.
        if section != "celery_broker_transport_options":
            assert option in conf.configuration_description[section]["options"], name
