"""A lake, policy and warehouse made for these tests.

Each example is a programme of its own (a copy of the shipped pack under another id), so that rankings and lotteries do
not meet. dbt runs in a process of its own.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb

from tanso import lake, settings
from tanso.packs.policy import load_policy
from tanso.warehouse import run_dbt
from tests import built

SHIPPED = settings.PROJECT_ROOT / "include" / "programs" / "jp_nakano_eco_point" / "policy"
DBT_PROJECT = settings.PROJECT_ROOT / "dbt_project"
MARTS = ["fct_applications", "fct_actions", "fct_lottery_entries", "fct_point_balances"]
MODELS = ["+path:models/intermediate/applications", *MARTS, "path:tests/applications"]
ALL_MONTHS = "7 8 9 12 1 2"


class Example:
    """Rows of the lake for one programme. Defaults are those of the examples: registered 2018-04-10, no gas, applied on
    18 March, all sheets there, a prize chosen, no reports, marks or actions."""

    def __init__(self, program_id: str):
        self.program_id = program_id
        self.rows: dict[str, list[dict]] = {table: [] for table in lake.TABLES}

    def _add(self, table: str, **values) -> None:
        row = {"program_id": self.program_id, "source_file_id": "0" * 64, **values}
        self.rows[table].append({column: row.get(column) for column in lake.TABLES[table]})

    def person(
        self, participant_id, joined="2018-04-10", gas=False, moved_out=None, former=None, before_kg=None, nickname=None
    ):
        self._add(
            "participants",
            participant_id=participant_id,
            participant_type="household",
            participant_class="household",
            region_code="13114",
            nickname=nickname,
            joined_on=joined,
            moved_out_on=moved_out,
            incentive_type="prize",
            former_scheme_applied_on=former,
            pre_enrolment_co2_kg=before_kg,
        )
        for utility in ["electricity", "gas"] if gas else ["electricity"]:
            self._add("participant_utilities", participant_id=participant_id, utility=utility)

    def slips(self, participant_id, year, last, this, utility="electricity"):
        """``last`` and ``this``: one figure for each of the six months, or a list of six; None = not on the slip."""
        months = [date(year, 7, 1), date(year, 8, 1), date(year, 9, 1), date(year, 12, 1)]
        months += [date(year + 1, 1, 1), date(year + 1, 2, 1)]
        last = last if isinstance(last, list) else [last] * 6
        this = this if isinstance(this, list) else [this] * 6
        for month, previous, usage in zip(months, last, this, strict=True):
            if usage is not None:
                self.slip(participant_id, month, previous, usage, utility)

    def slip(self, participant_id, month, last, this, utility="electricity"):
        self._add(
            "slips",
            participant_id=participant_id,
            utility=utility,
            usage_month=month,
            usage=this,
            previous_usage=last,
        )

    def apply(self, participant_id, year=2018, on=None, number=None, sheets=None, prize="P1", marks=0, reports=None):
        received = on or f"{year + 1}-03-18"
        self._add(
            "applications",
            application_id=number or f"{participant_id}-{received}",
            participant_id=participant_id,
            fiscal_year=year,
            received_on=received,
            sheets="electricity gas" if sheets is None else sheets or None,
            prize_code=prize,
            eco_marks=marks,
            reported_months=reports,
        )

    def act(self, participant_id, on, code, quantity=1, file_name="actions_1.csv"):
        self._add(
            "activities",
            participant_id=participant_id,
            acted_on=on,
            action_code=code,
            quantity=quantity,
            file_name=file_name,
            received_no=1,
            row_no=len(self.rows["activities"]) + 1,
        )

    def opening(self, participant_id, on, points):
        self._add("opening_points", participant_id=participant_id, certified_on=on, points=points)


def write_pack(root: Path, program_id: str, changes: dict[str, dict | list[dict]]) -> None:
    """A copy of the shipped policy under another id. ``changes``: table -> column -> value of every row, or table ->
    rows to add, each with what differs from the table's first row."""
    folder = root / program_id / "policy"
    folder.mkdir(parents=True)
    for path in SHIPPED.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as source:
            rows = list(csv.DictReader(source))
        change = changes.get(path.stem, {})
        if isinstance(change, list):
            rows += [rows[0] | row for row in change]
        for row in rows:
            row |= {"program_id": program_id} | (change if isinstance(change, dict) else {})
        with (folder / path.name).open("w", encoding="utf-8", newline="") as target:
            writer = csv.DictWriter(target, rows[0])
            writer.writeheader()
            writer.writerows(rows)


def write_lake(folder: Path, examples: list[Example]) -> None:
    connection = duckdb.connect()
    for table, columns in lake.TABLES.items():
        rows = [tuple(row.values()) for example in examples for row in example.rows[table]]
        if rows:
            connection.execute(f"create table {table} ({lake.columns_sql(table)})")
            connection.executemany(f"insert into {table} values ({', '.join('?' * len(columns))})", rows)
            (folder / table).mkdir(parents=True)
            connection.execute(f"copy {table} to '{folder / table / 'data.parquet'}' (format parquet)")
    connection.close()


def build(folder: Path, examples: list[Example], changes: dict[str, dict]) -> Path:
    """Lake, policy and models in two DuckDB files of the folder; ``changes``: programme -> see write_pack."""
    packs = folder / "packs"
    for example in examples:
        write_pack(packs, example.program_id, changes.get(example.program_id, {}))
    write_lake(folder / "lake", examples)
    connection = built.begin(folder)
    lake.create_sources(connection, folder / "lake")
    load_policy([packs]).write(connection)
    connection.close()
    command = [sys.executable, "-m", "dbt.cli.main", "build", "--select", *MODELS, "--threads", "1"]
    command += ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
    command += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs"), "--quiet"]
    environment = os.environ | run_dbt.variables(folder) | {"TANSO_DUCKDB_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.rmtree(folder / "target")
    return folder
