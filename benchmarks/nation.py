"""A generated nation: participants, their meters, and a pack that has their regions. Seeded by hashes, made by SQL."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tanso.packs.sources import Source, load_sources
from tanso.settings import PROJECT_ROOT, Home

PROGRAM = "kr_carbon_point"
LAST_MONTH = (2023, 12)
SQL = Path(__file__).with_name("nation.sql")


@dataclass(frozen=True)
class Nation:
    """``participants`` and their readings of ``months`` months, the last of which ends ``period_id``.

    Months are numbers, year * 12 + month - 1. Everybody joined in the half-year after the first two years, so 36 months
    hold one half-year that is evaluated, 120 months 15.
    """

    participants: int
    months: int = 36
    program_id: str = PROGRAM

    @property
    def last_no(self) -> int:
        return LAST_MONTH[0] * 12 + LAST_MONTH[1] - 1

    @property
    def first_no(self) -> int:
        return self.last_no - self.months + 1

    @property
    def period_id(self) -> str:
        return f"{LAST_MONTH[0]}H2"

    @property
    def saves_from_no(self) -> int:
        """From when on habits have changed: the first month after everybody has joined."""
        return self.first_no + 30

    @property
    def regions(self) -> int:
        """At most as many as there are outside the capital."""
        return max(2, min(226, self.participants // 5_000))


def month_name(number: int) -> str:
    """``YYYY-MM``."""
    return f"{number // 12}-{number % 12 + 1:02d}"


def packs(home: Home) -> Path:
    """The folder of packs to evaluate this home with."""
    return home.root / "packs"


def write_pack(home: Home, nation: Nation) -> None:
    """The programme's pack as it is shipped, with the nation's regions in place of its own; files need not settle."""
    shipped = PROJECT_ROOT / "include" / "programs" / nation.program_id
    pack = packs(home) / nation.program_id
    shutil.copytree(shipped, pack, ignore=shutil.ignore_patterns("sample"), dirs_exist_ok=True)
    for path in (pack / "sources").glob("*.yml"):
        path.write_text(path.read_text("utf-8").replace("pull: {", "pull: {settled_for: 0, "), encoding="utf-8")
    path = pack / "policy" / "region_policies.csv"
    header = next(csv.reader(path.open(encoding="utf-8")))
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(header)
        for no, code in enumerate(region_codes(nation)):
            utilities = "electricity water" if no % 5 == 4 else "electricity water gas"
            # A tenth cannot pay everybody what it promises.
            budget = 10_000 * nation.participants // nation.regions if no % 10 == 7 else ""
            default = "" if no % 2 else "voucher"
            offered = "cash voucher green_card donation"
            won = "2" if no % 3 else "1.5"
            rows.writerow([nation.program_id, code, f"region {no}", "2009H2", utilities, won, budget, offered, default])


def region_codes(nation: Nation) -> list[str]:
    return [str(26_000 + 10 * no) for no in range(nation.regions)]


def sources(home: Home, nation: Nation) -> list[Source]:
    """What the nation's pack declares."""
    return load_sources([packs(home)])


def settle(con: duckdb.DuckDBPyConnection, declared: list[Source], nation: Nation) -> None:
    """Make the tables and macros of ``nation.sql``: ``member``, ``meter``, ``draw``, ``reading``, ``season``."""
    readings = [source for source in declared if source.kind == "readings"]
    con.execute("create table single_source (utility varchar, source_id varchar, provider varchar)")
    con.execute("create table aggregate_source (source_id varchar, provider varchar)")
    for source in readings:
        utilities = {usage["utility"] for usage in source.options["usages"]}
        if len(source.options["meter"]) == 1:
            [utility] = utilities
            con.execute("insert into single_source values (?, ?, ?)", [utility, source.source_id, source.provider])
        else:
            con.execute("insert into aggregate_source values (?, ?)", [source.source_id, source.provider])
    con.execute("create table region (region_no bigint, region_code varchar)")
    con.executemany("insert into region values (?, ?)", list(enumerate(region_codes(nation))))
    for name in ("participants", "regions", "first_no", "last_no"):
        con.execute(f"set variable {name} = {getattr(nation, name)}::bigint")
    con.execute(SQL.read_text("utf-8"))
