"""docs/reference/settings.md names every TANSO_ variable that code, compose and make read, and no other."""

from __future__ import annotations

import re

from tanso.settings import PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "reference" / "settings.md"
NAME = re.compile(r"\bTANSO_[A-Z_]*[A-Z]\b")


def read() -> set[str]:
    """As found in the files that read them; comments and messages name no others."""
    files = [*(PROJECT_ROOT / "include" / "tanso").rglob("*.py"), *(PROJECT_ROOT / "dags").rglob("*.py")]
    files += [PROJECT_ROOT / name for name in ("dbt_project/profiles.yml", "docker-compose.yaml", "Makefile")]
    found = set()
    for path in files:
        found.update(NAME.findall(path.read_text("utf-8")))
    assert {"TANSO_HOME", "TANSO_DUCKDB_MEMORY", "TANSO_PROXY"} <= found  # the pattern finds something in each
    return found


def described() -> list[str]:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `TANSO_")]
    return [NAME.findall(row)[0] for row in rows]


def test_every_setting_is_described_once():
    assert sorted(described()) == sorted(read())


def test_the_defaults_of_compose_are_those_of_the_page():
    text = PAGE.read_text("utf-8")
    compose = (PROJECT_ROOT / "docker-compose.yaml").read_text("utf-8")
    defaults = dict(re.findall(r"\$\{(TANSO_[A-Z_]+):-([^}$]+)\}", compose))
    del defaults["TANSO_MAIN"]  # another service in each place
    for name, value in defaults.items():
        assert re.search(rf"^\| `{name}` \| `?{re.escape(value)}`? \|", text, re.MULTILINE), (name, value)


def test_what_env_example_asks_for_is_read():
    assert set(NAME.findall((PROJECT_ROOT / ".env.example").read_text("utf-8"))) <= set(described())
