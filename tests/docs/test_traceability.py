"""The map from the documents to the code names things that exist, and leaves no statement out."""

from __future__ import annotations

import re
from functools import cache

import pytest
import yaml

from tanso.packs.tables import TABLES
from tanso.settings import PROJECT_ROOT

MODELS = PROJECT_ROOT / "dbt_project" / "models"
REASONS = {"bad_value", "complex_unit_missing", "duplicate_customer_no", "valid_from"}  # words of the rules themselves


def rows() -> list[list[str]]:
    """[number and statement, covered by, proven by] of every line of the two tables."""
    text = (PROJECT_ROOT / "docs" / "traceability.md").read_text("utf-8")
    return [line.strip("| ").split(" | ") for line in text.splitlines() if re.match(r"\| [KN][0-9]+ ", line)]


@cache
def proofs() -> set[str]:
    """Names of tests: functions, and unit tests of the dbt project."""
    functions = [
        name
        for path in (PROJECT_ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
    ]
    units = [
        unit["name"]
        for path in MODELS.rglob("*.yml")
        for unit in yaml.safe_load(path.read_text("utf-8")).get("unit_tests", [])
    ]
    return {*functions, *units}


def exists(name: str) -> bool:
    """A path, a model, a policy table or a word of the rules."""
    models = {path.stem for path in MODELS.rglob("*.sql")}
    return name in models | set(TABLES) | REASONS or (PROJECT_ROOT / name).exists()


def test_every_statement_is_there_once():
    numbers = [row[0].split()[0] for row in rows()]
    assert numbers == [f"K{n}" for n in range(1, 76)] + [f"N{n}" for n in range(1, 81)]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0].split()[0])
def test_what_it_names_exists(row):
    assert len(row) == 3
    _, covered, proven = row
    assert [name for name in re.findall(r"`([^`]+)`", covered) if not exists(name)] == []
    named = re.findall(r"`([^`]+)`", proven)
    assert [name for name in named if name not in proofs()] == []
    assert covered.startswith("*outside*: ") or named or "defect of the document" in covered
