"""A copy of the shipped packs that a test may change."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tanso.packs.policy import Policy, PolicyError, load_policy
from tanso.settings import PROJECT_ROOT

KR = "kr_carbon_point"
JP = "jp_nakano_eco_point"


@dataclass
class Packs:
    root: Path

    def file(self, table: str, program: str = KR) -> Path:
        return self.root / program / "policy" / f"{table}.csv"

    def rows(self, table: str, program: str = KR) -> list[dict[str, str]]:
        with self.file(table, program).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def save(self, table: str, rows: list[dict[str, str]], program: str = KR) -> None:
        with self.file(table, program).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    def change(self, table: str, line: int, program: str = KR, **values: str) -> None:
        """Change cells of the row that stands on ``line`` of the file (the header is line 1)."""
        rows = self.rows(table, program)
        rows[line - 2].update(values)
        self.save(table, rows, program)

    def add(self, table: str, like_line: int, program: str = KR, **values: str) -> int:
        """Add a copy of the row on ``like_line`` with other values; returns the new row's line."""
        rows = self.rows(table, program)
        rows.append(rows[like_line - 2] | values)
        self.save(table, rows, program)
        return len(rows) + 1

    def load(self) -> Policy:
        return load_policy([self.root])

    def problems(self) -> list[str]:
        with pytest.raises(PolicyError) as caught:
            self.load()
        return caught.value.problems


@pytest.fixture
def packs(tmp_path: Path) -> Packs:
    for program in (KR, JP):
        shutil.copytree(PROJECT_ROOT / "include" / "programs" / program / "policy", tmp_path / program / "policy")
    return Packs(tmp_path)
