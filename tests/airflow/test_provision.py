"""Who may log in, with which rights."""

from __future__ import annotations

import pytest

from tanso.airflow import provision
from tanso.local.console import Console


def test_without_a_word_there_is_one_of_each(monkeypatch):
    monkeypatch.delenv("TANSO_USERS", raising=False)
    assert provision.wanted_users() == {"operator": "operator", "approver": "approver", "analyst": "analyst"}


def test_users_are_named(monkeypatch):
    monkeypatch.setenv("TANSO_USERS", "김 담당:approver, lee : operator")
    assert provision.wanted_users() == {"김 담당": "approver", "lee": "operator"}


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("kim", "'kim'"),
        ("kim:admin", "operator, approver, analyst"),
        (":operator", "':operator'"),
        ("a:analyst,a:operator", "twice"),
    ],
)
def test_a_mistake_is_named(monkeypatch, named, says):
    monkeypatch.setenv("TANSO_USERS", named)
    with pytest.raises(ValueError, match=f"TANSO_USERS.*{says}"):
        provision.wanted_users()


def test_rights_do_not_overlap():
    operator, approver = set(provision.ROLES["operator"]), set(provision.ROLES["approver"])
    assert ("can_edit", "HITL Detail") in approver - operator
    assert ("can_create", "DAG Runs") in operator - approver
    assert provision.ROLES["analyst"] == []
    writing = {right for rights in provision.ROLES.values() for right in rights}
    assert not {resource for _, resource in writing} & {"XComs", "Connections", "Variables", "Users", "Roles", "Pools"}


def test_the_console_has_users_of_its_own_and_keeps_its_key(home, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__AUTH_MANAGER", "somebody.elses")
    (home.root / "airflow").mkdir(parents=True)
    environment = Console(home).environment()
    assert environment["AIRFLOW__CORE__AUTH_MANAGER"].endswith("FabAuthManager")
    assert not [name for name in environment if "SIMPLE_AUTH" in name]
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"
    again = Console(home).environment()
    assert environment["AIRFLOW__CORE__FERNET_KEY"] == again["AIRFLOW__CORE__FERNET_KEY"]
    assert environment["AIRFLOW__API_AUTH__JWT_SECRET"] != again["AIRFLOW__API_AUTH__JWT_SECRET"]
    assert (home.root / "airflow" / "fernet.key").stat().st_mode & 0o777 == 0o600
