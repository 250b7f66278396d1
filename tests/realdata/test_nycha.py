"""Ten years of real water bills whose service periods are no calendar months: what is refused, and every month's share.

Nothing of the file is kept here but the few figures that the sums below quote. Months are judged up to December 2021:
from March 2022 on the publisher wrote the same consumption, 204, into every bill.
"""

from __future__ import annotations

import calendar
import csv
import gzip
import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest

from tanso.ingest import ingest_source, publish_lake
from tanso.ingest.model import LakeResult
from tanso.lake import create_sources
from tanso.packs.policy import load_policy
from tanso.packs.sources import load_sources
from tanso.settings import PROJECT_ROOT, Home

PACKS = PROJECT_ROOT / "tests" / "packs"
DATA = Path(os.environ.get("TANSO_REAL_DATA") or PROJECT_ROOT.parent / "shared" / "data")
BILLS = DATA / "nycha_water" / "nycha_water.csv.gz"
LAST_MONTH = "2021-12"

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(
        not BILLS.is_file(), reason=f"no real bills at {BILLS}: set TANSO_REAL_DATA to the folder with them"
    ),
]

# Hundreds of HCF, and at least 30 times the meter's median per day.
SLIPS = """
    with bills as (
        select distinct "Development Name" as place, "Meter Number" as no, starts_on, ends_on, hcf, "Revenue Month"
        from told where ends_on > starts_on and "Revenue Month" <= '2021-12'
    ),
    daily as (
        select *, hcf / (ends_on - starts_on) as a_day, median(a_day) over (partition by place, no) as usual
        from bills
    )
    select * from daily where usual > 0 and a_day >= 30 * usual and hcf % 100 = 0
"""

Bill = tuple[date, date, int]  # first day, first day after it, HCF
Meter = tuple[str, str]  # development and number: some numbers are used in two developments


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[duckdb.DuckDBPyConnection, Home, LakeResult]]:
    """The lake after ingest of the publisher's file as it is, decompressed."""
    home = Home(tmp_path_factory.mktemp("nycha"))
    inbox = home.inbox / "housing_bills"
    inbox.mkdir(parents=True)
    (inbox / "water.csv").write_bytes(gzip.decompress(BILLS.read_bytes()))
    [source] = [source for source in load_sources([PACKS]) if source.source_id == "housing_bills"]
    policy = load_policy([PACKS])
    result = ingest_source(source, home, policy)
    published = publish_lake(home, [source], policy, [result])
    with duckdb.connect() as con:
        create_sources(con, home.lake)
        con.execute("create table sent as select * from read_csv(?, all_varchar = true)", [str(inbox / "water.csv")])
        con.execute(
            """
            create table told as
            with days as (
                select *, strptime("Service Start Date", '%m/%d/%Y')::date as starts_on,
                    strptime("Service End Date", '%m/%d/%Y')::date as ends_on, "Consumption (HCF)"::bigint as hcf
                from (select distinct on (columns(* exclude ("RC Code", "Funding Source"))) * from sent)
            )
            select *, lag(ends_on) over meter as before
            from days window meter as (partition by "Development Name", "Meter Number" order by starts_on, ends_on)
            """
        )
        con.execute(f"create table slips as {SLIPS}")
        yield con, home, published


@pytest.fixture(scope="module")
def rows() -> list[tuple[Meter, date | None, date | None, int]]:
    """Every row of the file: meter, first day, first day after it, HCF."""
    with gzip.open(BILLS, "rt", encoding="utf-8", newline="") as file:
        return [
            (
                (row["Development Name"], row["Meter Number"]),
                _day(row["Service Start Date"]),
                _day(row["Service End Date"]),
                int(row["Consumption (HCF)"]),
            )
            for row in csv.DictReader(file)
        ]


def _day(text: str) -> date | None:
    return datetime.strptime(text, "%m/%d/%Y").date() if text else None


def test_the_file_is_the_one_that_was_measured(lake: tuple) -> None:
    """The publisher's figures, by their definitions: of 50,255 rows 5,167 say what another one says in all columns.

    Of the rows that differ in more than RC code and funding source (25 more fall away), ordered per meter by start and
    end: 8,100 are estimated, 906 start before the end of the bill before, 425 after it; 1,034 meters and revenue months
    have several bills. Bills are -335 to 6,968 days long. 25 bills up to 2021 (each counted once) are hundreds of HCF
    and at least 30 times the meter's median per day: about 100 times too large.
    """
    con, _, _ = lake
    assert con.execute(
        "select count(*), (select count(*) from (select distinct * from sent)) from sent"
    ).fetchone() == (
        50_255,
        50_255 - 5_167,
    )
    assert con.execute(
        """
        select count(*), count(*) filter ("Estimated" = 'Y'), count(*) filter (starts_on < before),
            count(*) filter (starts_on > before), min(ends_on - starts_on), max(ends_on - starts_on)
        from told
        """
    ).fetchone() == (50_255 - 5_167 - 25, 8_100, 906, 425, -335, 6_968)
    several = 'select 1 from told group by "Development Name", "Meter Number", "Revenue Month" having count(*) > 1'
    assert con.execute(f"select count(*) from ({several})").fetchone() == (1_034,)
    # A fixed limit, 10,000 HCF, finds 5 of them: the others would be plausible for a larger meter.
    assert con.execute("select count(*), count(*) filter (hcf > 10000) from slips").fetchone() == (25, 5)
    assert con.execute('select count(*) from sent where "Consumption (HCF)"::bigint > 10000').fetchone() == (14,)


def test_every_row_is_accounted_for(lake: tuple, rows: list) -> None:
    """What is refused, in the order of the reasons, and how our figures go together with the publisher's.

    - 7 rows without dates; 14 above 10,000 HCF; 7 end before they start, 7 on the same day; of 241 longer than 130 days
      9 are among the 14 above: 232. 50,255 - 267 = 49,988 are left.
    - 450 periods of a meter have 900 different figures in 901 rows: nobody knows which holds (conflicting_duplicate).
    - Rows that repeat a meter's period and figure: 44,489 different ones in 49,988 rows, so 5,499; one of them is among
      the 901: 5,498. The 5,167 copies in all columns are 14 of refused rows and 5,153 of these; 346 more differ only in
      what is not read (charges, bill numbers ...): 5,153 + 346 - 1.
    - 49,988 - 901 - 5,498 = 43,589 bills, of which 142 share a day with another: both are refused (overlapping_period).
      The publisher's 906 counts the later bill of each pair and all rows: without the 267 refused rows it is 846,
      without repeated figures 525, without the 450 periods in conflict 75 pairs, in which the 142 bills are.
    """
    con, _, _ = lake
    sound = [row for row in rows if row[1] and row[3] <= 10_000 and 0 < (row[2] - row[1]).days <= 130]
    assert len(sound) == 49_988 and len(set(sound)) == 44_489
    figures = defaultdict(set)
    for meter, starts_on, ends_on, hcf in sound:
        figures[meter, starts_on, ends_on].add(hcf)
    assert sum(len(found) > 1 for found in figures.values()) == 450
    assert sum(len(figures[row[:3]]) > 1 for row in sound) == 901
    assert con.execute(
        "select rows_read, rows_accepted, rows_quarantined, rows_duplicate from lake.files"
    ).fetchall() == [(50_255, 43_589 - 142, 267 + 901 + 142, 5_498)]
    assert dict(con.execute("select reason, count(*) from lake.quarantine group by 1").fetchall()) == {
        "missing_value": 7,
        "usage_out_of_range": 14,
        "period_reversed": 7,
        "period_empty": 7,
        "period_too_long": 232,
        "conflicting_duplicate": 901,
        "overlapping_period": 142,
    }


def _in_force(rows: list) -> dict[Meter, list[Bill]]:
    """The bills that no other one contradicts, per meter in order."""
    by_period = defaultdict(set)
    for meter, starts_on, ends_on, hcf in rows:
        if starts_on and hcf <= 10_000 and 0 < (ends_on - starts_on).days <= 130:
            by_period[meter, starts_on, ends_on].add(hcf)
    bills = defaultdict(list)
    for (meter, starts_on, ends_on), found in by_period.items():
        if len(found) == 1:
            bills[meter].append((starts_on, ends_on, *found))
    return {
        meter: sorted(
            one
            for one in found
            if not any(one[0] < other[1] and other[0] < one[1] for other in found if other is not one)
        )
        for meter, found in bills.items()
    }


def test_every_month_of_every_meter(lake: tuple, rows: list) -> None:
    con, home, published = lake
    shares: dict[tuple[Meter, str], Fraction] = defaultdict(Fraction)
    covered: dict[tuple[Meter, str], int] = defaultdict(int)
    for meter, bills in _in_force(rows).items():
        for starts_on, ends_on, hcf in bills:
            m3 = (hcf * Decimal("2.8317")).quantize(Decimal("0.001"), ROUND_HALF_UP)
            month = starts_on.replace(day=1)
            while month < ends_on:
                after = (month + timedelta(days=31)).replace(day=1)
                days = (min(ends_on, after) - max(starts_on, month)).days
                shares[meter, f"{month:%Y-%m}"] += Fraction(m3) * days / (ends_on - starts_on).days
                covered[meter, f"{month:%Y-%m}"] += days
                month = after
    whole = {key for key, days in covered.items() if days == calendar.monthrange(*map(int, key[1].split("-")))[1]}
    assert not any(days > 31 for days in covered.values())
    expected = {key: Decimal((2000 * shares[key] + 1).__floor__() // 2) / 1000 for key in whole if key[1] <= LAST_MONTH}
    found = {
        (tuple(key.split("\x1f")), month): usage
        for key, month, usage in con.execute(
            "select meter_key, strftime(usage_month, '%Y-%m') as month, usage from lake.readings where month <= ?",
            [LAST_MONTH],
        ).fetchall()
    }
    assert found == expected
    # All that a bill touches and that is not in the lake is in the report.
    with (home.reports / "incomplete_months" / "housing_bills.csv").open(encoding="utf-8-sig", newline="") as file:
        report = {(row["meter"], row["usage_month"]): int(row["days_covered"]) for row in csv.DictReader(file)}
    assert report == {
        (" / ".join(meter), month): days for (meter, month), days in covered.items() if (meter, month) not in whole
    }
    note = published.notes["housing_bills"]["incomplete_months"]
    assert note.startswith(f"{len(report)} months of meters not wholly covered")


HAND_CHECKED = {
    # 19 HCF from 2019-12-23 for 34 days: 53.8023 m3, 25 days: 53.802 x 25 / 34 = 39.56029
    # 25 HCF from 2020-01-26 for 29 days: 70.7925 m3, half up 70.793, 6 days: 70.793 x 6 / 29 = 14.64683
    ("BAISLEY PARK", "K13060723", "2020-01"): "54.207",
}


@pytest.mark.parametrize(("development", "number", "month"), HAND_CHECKED)
def test_hand_checked_months(lake: tuple, development: str, number: str, month: str) -> None:
    con, _, _ = lake
    found = con.execute(
        "select usage::varchar from lake.readings where meter_key = ? and strftime(usage_month, '%Y-%m') = ?",
        [f"{development}\x1f{number}", month],
    ).fetchall()
    assert found == [(HAND_CHECKED[development, number, month],)]


def test_estimated_bills_make_estimated_months(lake: tuple) -> None:
    """Of the publisher's 8,100 estimated bills 7,842 are in force: the others are among the rows refused or repeated
    (7,998 without the 267 refused rows, 7,995 figures, 7,901 without those in conflict, 59 of which overlap)."""
    con, home, _ = lake
    [staged] = [path for path in (home.lake / "_staged" / "housing_bills").glob("*.parquet") if path.stem.isalnum()]
    assert con.execute("select count(*) filter (is_estimated) from read_parquet(?)", [str(staged)]).fetchone() == (
        7_842,
    )
    assert con.execute(
        """
        select count(*) from lake.readings
        anti join (
            select meter_key, unnest(
                generate_series(date_trunc('month', starts_on), date_trunc('month', ends_on - 1), interval 1 month)
            )::date as usage_month
            from read_parquet(?) where is_estimated
        ) as estimated using (meter_key, usage_month)
        where is_estimated
        """,
        [str(staged)],
    ).fetchone() == (0,)


def test_slips_of_two_digits_are_refused_or_reported(lake: tuple, rows: list) -> None:
    """25 bills are about 100 times too large. The fixed limit refuses 5; 19 stand beside the right figure for the same
    period (conflicting_duplicate); the last one is in force, and reported: half of its days or more are in one month,
    which then has at least 15 times the usual."""
    con, home, published = lake
    in_force = {(meter, *bill) for meter, bills in _in_force(rows).items() for bill in bills}
    slips = {
        ((place, number), starts_on, ends_on, hcf)
        for place, number, starts_on, ends_on, hcf in con.execute(
            "select place, no, starts_on, ends_on, hcf from slips where hcf <= 10000"
        ).fetchall()
    }
    told_otherwise = {slip for slip in slips if any(row[:3] == slip[:3] and row[3] != slip[3] for row in rows)}
    assert (len(slips), len(told_otherwise)) == (20, 19)
    [(meter, starts_on, ends_on, _)] = slips & in_force
    months = {f"{starts_on + timedelta(days=day):%Y-%m}" for day in range((ends_on - starts_on).days)}
    with (home.reports / "usage_jumps" / "housing_bills.csv").open(encoding="utf-8-sig", newline="") as file:
        report = [row for row in csv.DictReader(file) if row["usage_month"] <= LAST_MONTH]
    assert months & {row["usage_month"] for row in report if row["meter"] == " / ".join(meter)}
    # A list that people can look through: of the 40,745 months of all meters one in 200 or fewer.
    assert con.execute(
        "select count(*) from lake.readings where strftime(usage_month, '%Y-%m') <= ?", [LAST_MONTH]
    ).fetchone() == (40_745,)
    assert 0 < len(report) < 40_745 / 200
    assert "months at 10 times the meter's usual usage or more" in published.notes["housing_bills"]["usage_jump"]
