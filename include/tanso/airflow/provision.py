"""Users, their roles and the writer pool of an Airflow that stays up: ``python -m tanso.airflow.provision``.

Run after ``airflow db migrate`` with the environment of that Airflow (FAB auth manager). ``TANSO_USERS`` names the
users, ``name:role`` separated by commas; each gets a password of its own, kept for handing over in
``airflow/users.json`` of the home, readable by its owner only. Who is no longer named may not log in any more; who has
no password in that file gets a new one. Running it again changes nothing else.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

from tanso import settings
from tanso.airflow.names import WRITER_POOL, WRITER_REASON, WRITER_SLOTS
from tanso.files import private_folder, replace_private

USERS = "operator:operator,approver:approver,analyst:analyst"

# What a role may do besides reading. Nobody edits connections, variables or XComs in the UI: secrets come from the
# environment, and what a person answered cannot be written by another.
ROLES = {
    "operator": [
        ("can_edit", "DAGs"),
        ("can_create", "DAG Runs"),
        ("can_edit", "DAG Runs"),
        ("can_create", "Task Instances"),
        ("can_edit", "Task Instances"),
        ("menu_access", "HITL Detail"),
    ],
    "approver": [("can_edit", "HITL Detail"), ("menu_access", "HITL Detail")],
    "analyst": [],
}


def wanted_users() -> dict[str, str]:
    """Role by user name, from ``TANSO_USERS``; ValueError names what is wrong with it."""
    named = os.environ.get("TANSO_USERS") or USERS
    users = {}
    for entry in named.split(","):
        name, _, role = (part.strip() for part in entry.partition(":"))
        if not name or role not in ROLES:
            raise ValueError(f"TANSO_USERS: {entry!r} is not <name>:<role>; roles are {', '.join(ROLES)}.")
        if name in users:
            raise ValueError(f"TANSO_USERS names {name!r} twice; a person has one role.")
        users[name] = role
    return users


def passwords_file() -> Path:
    """Name and generated password of each user, as a JSON object."""
    return settings.home().root / "airflow" / "users.json"


def main() -> int:
    """Make users, roles and pool what they should be."""
    users = wanted_users()
    known = _known_passwords()
    passwords = {name: known.get(name) or secrets.token_urlsafe(15) for name in users}

    # Importing Airflow takes seconds and needs its home; the console asks this module for names alone.
    from airflow.models.pool import Pool
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        manager = builder.sm
        reading = list(manager.VIEWER_PERMISSIONS)
        for role, rights in ROLES.items():
            _set_role(manager, role, reading + rights)
        for name, role in users.items():
            _set_user(manager, name, role, passwords[name], is_new=name not in known)
        for user in manager.get_all_users():
            if user.username not in users and user.active:
                user.active = False
                manager.update_user(user)
    Pool.create_or_update_pool(WRITER_POOL, WRITER_SLOTS, WRITER_REASON, include_deferred=False)
    # At the end: what is not in force is not handed over.
    folder = private_folder(passwords_file().parent)
    for left in folder.glob(".*.tmp"):  # of a start that was killed
        left.unlink()
    replace_private(passwords_file(), json.dumps(passwords, ensure_ascii=False, indent=1).encode())
    return 0


def _known_passwords() -> dict[str, str]:
    path = passwords_file()
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def _set_role(manager: Any, name: str, rights: list[tuple[str, str]]) -> None:
    role = manager.find_role(name) or manager.add_role(name)
    permissions = [manager.create_permission(*right) for right in rights]
    for permission in role.permissions[:]:
        if permission not in permissions:
            manager.remove_permission_from_role(role, permission)
    for permission in permissions:
        manager.add_permission_to_role(role, permission)


def _set_user(manager: Any, name: str, role: str, password: str, is_new: bool) -> None:
    user = manager.find_user(username=name)
    if user is None:
        manager.add_user(name, name, "", f"{name}@localhost", manager.find_role(role), password)
        return
    user.roles, user.active = [manager.find_role(role)], True
    manager.update_user(user)
    if is_new:
        manager.reset_password(user.id, password)


if __name__ == "__main__":
    sys.exit(main())
