"""Runs the chain as an operator does, and reads what it published."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from tanso import cli, steps


@contextmanager
def environment(**variables: str | Path | None) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update({name: str(value) for name, value in variables.items() if value is not None})
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def run(home: Path, programs: Path, *arguments: str) -> None:
    """``python -m tanso.cli <arguments>`` on a home, in this process."""
    with environment(TANSO_HOME=home, TANSO_PROGRAMS=programs):
        code = cli.main(list(arguments))
    assert code == 0, f"{' '.join(arguments)}: exit code {code}"


class Published:
    """The published marts of a home."""

    def __init__(self, home: Path, program_id: str | None = None) -> None:
        self.home, self.program_id = home, program_id

    def of(self, program_id: str) -> Published:
        return Published(self.home, program_id)

    def rows(self, sql: str, *values: Any) -> list[tuple]:
        with duckdb.connect(str(self.home / "warehouse" / "tanso.duckdb"), read_only=True) as connection:
            return connection.execute(sql, list(values)).fetchall()

    def find(self, table: str, columns: str, **where: Any) -> list[tuple]:
        """Columns of the rows of a mart, in order of all its columns; decimals as digits."""
        where = ({"program_id": self.program_id} if self.program_id else {}) | where
        condition = " and ".join(f"{name} is not distinct from ?" for name in where) or "true"
        found = self.rows(f"select {columns} from marts.{table} where {condition} order by all", *where.values())
        return [tuple(str(cell) if isinstance(cell, Decimal) else cell for cell in row) for row in found]

    def one(self, table: str, columns: str, **where: Any) -> tuple:
        found = self.find(table, columns, **where)
        assert len(found) == 1, f"{table} {where}: {found}"
        return found[0]

    def awards(self, who: str, period: str) -> dict[str, int]:
        """award type (with its utility, if more than one has it) -> points"""
        found = self.find("fct_point_awards", "award_type, utility, points", participant_id=who, period_id=period)
        kinds = [kind for kind, _, _ in found]
        return {kind if kinds.count(kind) == 1 else f"{kind} {utility}": points for kind, utility, points in found}


def batch_folders(home: Path) -> dict[str, Path]:
    """``<program_id>/<batch_id>`` -> folder"""
    return {f"{path.parts[-3]}/{path.name}": path for path in sorted((home / "exports").glob("*/*/*-[0-9]*"))}


def manifest(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text("utf-8"))


def lines(folder: Path) -> list[tuple]:
    """line_no, participant_id, amount"""
    path = str(folder / "lines.parquet")
    return duckdb.execute("select line_no, participant_id, amount from read_parquet(?) order by 1", [path]).fetchall()


def run_and_issue(home: Path, programs: Path, as_of: date, approved_by: str, anything_new: bool) -> list[str]:
    """One day's chain; whatever is due is issued. The batches: ``<program_id>/<batch_id>``.

    The marts learn of a batch at the next evaluation. They are left as they are on days on which nothing arrives:
    what was paid since is known from ``exports/``.
    """
    before = batch_folders(home)
    with environment(TANSO_HOME=home, TANSO_PROGRAMS=programs):
        for step in ("ingest", "evaluate") if anything_new else ():
            assert cli.main([step]) == 0
        for question in steps.propose(as_of):
            steps.issue(question["proposal_id"], approved_by)
    return [name for name in batch_folders(home) if name not in before]
