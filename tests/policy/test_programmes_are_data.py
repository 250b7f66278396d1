"""Programmes are data: the engine names none of the shipped ones, whatever packs there are."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

import pytest

from tanso.settings import PROJECT_ROOT

PACKS = PROJECT_ROOT / "include" / "programs"
ENGINE = {
    "include/tanso": (".py", ".sql", ".yml", ".xsd"),
    "dags": (".py",),
    "dbt_project/models": (".sql", ".yml", ".md"),
    "dbt_project/macros": (".sql",),
    "dbt_project/tests": (".sql",),
}


def rows(table: str) -> list[dict[str, str]]:
    found = []
    for path in sorted(PACKS.glob(f"*/policy/{table}.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            found += csv.DictReader(file)
    return found


@cache
def named() -> re.Pattern[str]:
    """Matches a programme, country, currency or municipality of any pack."""
    texts = {row[column] for row in rows("programs") for column in ("program_id", "name_en", "name_local")}
    texts |= {row["region_name"] for row in rows("region_policies")}
    texts |= {row["region_name"].split()[-1] for row in rows("region_policies") if row["region_name"]}
    codes = {row["currency"] for row in rows("programs")}
    quoted = {row["country"] for row in rows("programs")} | {row["region_code"] for row in rows("region_policies")}
    parts = [re.escape(text) for text in sorted(texts) if text]
    parts += [rf"\b{code}\b" for code in sorted(codes)]
    parts += [rf"""['"]{code}['"]""" for code in sorted(quoted)]  # alone they are syllables and numbers
    return re.compile("|".join(parts))


def engine() -> list[Path]:
    return sorted(
        path for folder, kinds in ENGINE.items() for path in (PROJECT_ROOT / folder).rglob("*") if path.suffix in kinds
    )


def test_no_programme_is_named():
    files = engine()
    assert len(files) > 200
    found = [
        f"{path.relative_to(PROJECT_ROOT)}:{number}: {match[0]}"
        for path in files
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        for match in named().finditer(line)
    ]
    assert found == []


@pytest.mark.parametrize("column", ["program_id", "name_local", "currency"])
def test_it_would_be_found(column):
    """Of each pack."""
    programs = rows("programs")
    assert len(programs) >= 2
    assert [row for row in programs if not named().search(f"if x == '{row[column]}':")] == []
