"""The Airflow of a run: this machine only, no telemetry, secrets of its own, nothing of the caller's Airflow."""

from __future__ import annotations

import pytest

from tanso.local import headless
from tanso.local.airflow_server import AirflowServer, free_ports
from tanso.settings import PROJECT_ROOT, Home


@pytest.fixture
def environment(home: Home, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://production")
    monkeypatch.setenv("AIRFLOW_HOME", "/srv/airflow")
    monkeypatch.setenv("AIRFLOW_CONN_BANK", "sftp://bank")
    return AirflowServer(home, "Kim").environment()


def test_nothing_phones_home(environment):
    assert environment["AIRFLOW__USAGE_DATA_COLLECTION__ENABLED"] == "False"
    assert environment["AIRFLOW__COSMOS__ENABLE_TELEMETRY"] == "False"
    assert environment["GX_ANALYTICS_ENABLED"] == "False"
    assert environment["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "false"
    profile = (PROJECT_ROOT / "dbt_project" / "dbt_project.yml").read_text("utf-8")
    assert "send_anonymous_usage_stats: false" in profile


def test_the_callers_airflow_is_left_alone(environment, home):
    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == f"sqlite:///{home.root}/airflow/airflow.db"
    assert environment["AIRFLOW_HOME"] == str(home.root / "airflow")
    assert environment["AIRFLOW_CONN_BANK"] == "sftp://bank"  # sources are pulled with it


def test_it_listens_on_this_machine_only(environment):
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert environment["AIRFLOW__API__BASE_URL"].startswith("http://127.0.0.1:")
    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"].startswith("http://127.0.0.1:")


def test_users_are_real_and_secrets_are_not_shared(environment, home):
    assert environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] == "operator:admin,Kim:user"
    assert "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS" not in environment
    other = AirflowServer(home).environment()
    for secret in ("AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET"):
        assert len(environment[secret]) == 64
        assert environment[secret] != other[secret]


def test_ports_are_free_and_different():
    assert len(set(free_ports(3))) == 3


@pytest.mark.parametrize(
    ("home_set", "named", "approver"),
    [("", "", headless.SAMPLE_APPROVER), ("/srv/tanso", "", None), ("/srv/tanso", "Kim", "Kim"), ("", "Kim", "Kim")],
)
def test_who_approves(home_set, named, approver, monkeypatch):
    monkeypatch.setenv("TANSO_HOME", home_set)
    monkeypatch.setenv("TANSO_APPROVED_BY", named)
    assert headless._approver() == approver


@pytest.mark.parametrize("named", ["a:admin", "a,b", "operator"])
def test_a_name_that_would_be_another_user_is_refused(named, monkeypatch):
    monkeypatch.setenv("TANSO_APPROVED_BY", named)
    with pytest.raises(ValueError, match="TANSO_APPROVED_BY"):
        headless._approver()
