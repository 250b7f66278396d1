"""What an evaluation leaves as it was: the marts are the same as if all had been made anew."""

from __future__ import annotations

import datetime
import shutil
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tanso import settings
from tanso.files import file_sha256
from tanso.lake import TABLES, columns_sql, hashes, note
from tanso.packs.policy import load_policy
from tanso.settings import Home
from tanso.warehouse import carry, connect, evaluate
from tanso.warehouse.fingerprint import DBT_PROJECT

FIRST = 2019 * 12  # January 2019 as a month number
UTILITIES = ("electricity", "water")


@pytest.fixture(scope="module")
def roots() -> list[Path]:
    return [settings.PROJECT_ROOT / "include" / "programs"]


class Lake:
    """A programme of eight households from 2019 on, written as ingest writes it; every edit is one of a later file."""

    def __init__(self, home: Home):
        self.home = home
        self.people = {
            f"P{number}": {"region_code": "48170", "joined_on": datetime.date(2020, 12, 31)} for number in range(8)
        }
        self.meters = {(person, utility): f"{person}-{utility}" for person in self.people for utility in UTILITIES}
        self.months = 30  # to June 2021
        self.corrections: dict[tuple[str, int], Decimal] = {}

    def usage(self, meter: str, month: int) -> Decimal:
        """Less every year, by as much as the person's number is high: some save, some do not."""
        person = int(meter[1])
        plain = Decimal(200 + month % 12) - Decimal(person * 3) * (month // 12)
        return self.corrections.get((meter, month), plain)

    def write(self) -> None:
        readings = [
            (
                "kr_carbon_point",
                "meters",
                "provider",
                meter.split("-")[1],
                meter,
                self.day(month),
                self.usage(meter, month),
            )
            for meter in (f"P{number}-{utility}" for number in range(9) for utility in UTILITIES)  # members or not
            for month in range(self.months)
        ]
        for day in sorted({row[5] for row in readings}):
            rows = [(*row, None, False, f"file of {day}") for row in readings if row[5] == day]
            self._table("readings", rows, f"source_id=meters/usage_month={day:%Y-%m}")
        columns = list(TABLES["participants"])
        defaults = dict.fromkeys(columns) | {
            "program_id": "kr_carbon_point", "participant_type": "individual", "participant_class": "individual",
            "incentive_type": "cash", "has_bank_account": True, "holder_matches": True, "has_card": False,
            "source_file_id": "register",
        }  # fmt: skip
        people = [
            defaults | {"participant_id": name, "account_key": name} | values for name, values in self.people.items()
        ]
        self._table("participants", [tuple(row[column] for column in columns) for row in people])
        uses = [
            ("kr_carbon_point", *key, "provider", meter) for key, meter in self.meters.items() if key[0] in self.people
        ]
        self._table("participant_utilities", uses)

    def day(self, month: int) -> datetime.date:
        return datetime.date((FIRST + month) // 12, (FIRST + month) % 12 + 1, 1)

    def _table(self, table: str, rows: list[tuple], folder: str = "") -> None:
        path = self.home.lake / table / folder / "data.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as connection:
            connection.execute(f"create table rows ({columns_sql(table)})")
            connection.executemany(f"insert into rows values ({', '.join('?' * len(TABLES[table]))})", rows)
            connection.execute("copy (from rows order by all) to ? (format parquet)", [str(path)])
        note(path, file_sha256(path))


def marts(home: Home) -> dict[str, list[tuple]]:
    with connect(home) as connection:
        names = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'marts' order by 1"
        ).fetchall()
        return {name: sorted(connection.execute(f"from marts.{name}").fetchall(), key=repr) for (name,) in names}


def kept_periods(home: Home) -> list[str]:
    with connect(home) as connection:
        return [
            period
            for (period,) in connection.execute(
                "select period_id from intermediate.int_period_inputs where not is_stale order by 1"
            ).fetchall()
        ]


def first_half_year(lake: Lake) -> None:
    """To June 2021: the first period that everybody has a baseline for."""


def next_half_year(lake: Lake) -> None:
    lake.months += 6


def people_come_and_go(lake: Lake) -> None:
    """Nothing of it is about the periods before: they stay, among other people than before."""
    lake.months += 1
    lake.people["P8"] = {"region_code": "48170", "joined_on": datetime.date(2021, 7, 10)}
    lake.meters["P8", "electricity"] = "P8-electricity"
    lake.people["A0"] = {"region_code": "48170", "joined_on": datetime.date(2021, 8, 1)}  # sorts before all others
    lake.meters["A0", "electricity"] = "P6-water"
    lake.people["P6"]["withdrawn_on"] = datetime.date(2022, 1, 20)
    lake.people["P5"] |= {"has_bank_account": False, "account_key": None}


def the_past_is_corrected(lake: Lake) -> None:
    """Another reading, region and meter; a member and two months vanish."""
    lake.corrections["P2-electricity", 5] = Decimal(900)
    lake.people["P3"]["region_code"] = "11111"
    lake.meters["P4", "water"] = "P5-water"
    del lake.people["P7"]
    for month in (lake.months - 1, lake.months - 2):
        (lake.home.lake / f"readings/source_id=meters/usage_month={lake.day(month):%Y-%m}/data.parquet").unlink()
    lake.months -= 2


# step -> periods that stay as they were published
STEPS = {
    first_half_year: [],
    next_half_year: ["2021H1"],
    people_come_and_go: ["2021H1"],
    the_past_is_corrected: [],
}


@pytest.mark.timeout(900)
def test_a_chain_of_builds_says_what_builds_of_everything_say(tmp_path, roots):
    """Each step on top of the ones before, each build on top of the build before."""
    home, anew = Home(tmp_path / "home"), Home(tmp_path / "anew")
    lake = Lake(home)
    for step, kept in STEPS.items():
        step(lake)
        lake.write()
        assert evaluate(home, roots).status == "built"
        assert [period for period in kept_periods(home) if period.startswith("2021H")] == kept, step.__name__
        if step is first_half_year:
            continue
        shutil.rmtree(anew.lake, ignore_errors=True)
        shutil.copytree(home.lake, anew.lake)
        evaluate(anew, roots, force=True)
        carried, expected = marts(home), marts(anew)
        assert carried.keys() == expected.keys()
        for name in expected:
            assert carried[name] == expected[name], f"{name} after {step.__name__}"
        assert len(expected["fct_point_awards"]) >= 7  # else there would be little to compare

    # Other rules begin with nothing, the same with what is published.
    rules = carry.rules_hash(load_policy(roots).fingerprint, DBT_PROJECT)
    for key, anyway, expected_units in ((rules, False, True), ("other code", False, False), (rules, True, False)):
        begun = Home(tmp_path / "begun")
        shutil.rmtree(begun.root, ignore_errors=True)
        begun.warehouse.mkdir(parents=True)
        carry.begin(home, begun, hashes(home.lake), key, anew=anyway)
        with duckdb.connect(str(begun.carried)) as connection:
            units = connection.execute("select count(*) from lake.published_units").fetchone()[0]
        assert (units > 0) == expected_units
