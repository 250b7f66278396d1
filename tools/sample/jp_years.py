"""The fiscal years after the first: what the ward receives from the same households, and from new ones."""

from __future__ import annotations

import random
from datetime import date, timedelta

from tools.sample.files import Extract, Sample
from tools.sample.jp_forms import ACTIONS, APPLICATIONS, PRIZES, REPORT_MONTHS, SLIPS, cp932
from tools.sample.jp_households import REGISTRATIONS, Household, era, households, newcomers, registration_row

YEARS = (2019, 2020, 2021, 2022)
# Received before the move's third month after was over, and after it.
MOVED = {("N0075", 2020): date(2021, 1, 12), ("N0078", 2020): date(2021, 4, 2)}


def write(sample: Sample) -> None:
    every = households() + newcomers()
    for year in YEARS:
        _registrations(sample, every, year)
        _slips(sample, every, year)
        _applications(sample, every, year)
    _actions(sample, every)


def _gone(home: Household, year: int) -> bool:
    return home.moved_out is not None and home.moved_out < date(year, 4, 1)


def _registrations(sample: Sample, every: list[Household], year: int) -> None:
    snapshot = date(year + 1, 5, 31)
    extract = Extract("jp_registrations", f"registrations_{snapshot:%Y%m%d}.csv", REGISTRATIONS)
    for serial, home in enumerate(every, start=1):
        if home.registered <= snapshot and home.number != "N0033":  # missing since 2019
            extract.add(*registration_row(home, serial, snapshot))
    address = "東京都中野区架空9丁目9番9号"
    extract.bad("bad_value", "N0905", "例示 空", "", "164-0905", address, f"{year}年の春", "", "", "有", "")
    cp932(sample, extract)


def _slips(sample: Sample, every: list[Household], year: int) -> None:
    rng = random.Random(f"slips {year}")
    extract = Extract("jp_meter_slips", f"slips_{year}.csv", SLIPS)
    for home in every:
        for kind in ("電気", "ガス") if home.has_gas else ("電気",):
            for month in home.months(year):
                this, last = home.slip(kind, month, year)
                # moved house within the ward: one slip does not print last year's
                previous = "" if (home.number, month) == ("N0080", 8 + year % 2) else str(last)
                when = f"{year + (month > 12)}/{(month - 1) % 12 + 1:02d}"
                extract.add(home.number, kind, when, str(this), previous)
    good = len(extract.rows)
    extract.duplicate(*extract.rows[rng.randrange(good)])
    extract.bad("missing_value", "N0900", "電気", f"{year}/08", "", "310")
    extract.bad("bad_number", "N0900", "電気", f"{year}/08", "三百", "310")
    extract.scatter(len(extract.rows) - good, rng)
    cp932(sample, extract)


def _applications(sample: Sample, every: list[Household], year: int) -> None:
    extract = Extract("jp_applications", f"applications_{year + 1}0531.csv", APPLICATIONS)
    fiscal_year = [str(year), "令和元年度" if year == 2019 else f"令和{year - 2018}年度", f"R{year - 2018}"]
    always = {"N0063", "N0064", "N0068", "N0075", "N0078", "N0083"}
    opens = date(year + 1, 3, 1) - timedelta(1)
    for serial, home in enumerate(every, start=1):
        rng = random.Random(f"application {home.number} {year}")
        skipped = year in home.skips or (home.number not in always and (serial + year) % 8 == 0)
        if skipped or _gone(home, year) or not home.months(year):
            continue
        received = MOVED.get((home.number, year), opens + timedelta(rng.randrange(92)))
        row = dict.fromkeys(APPLICATIONS, "")
        row.update(
            申請番号=f"A{year}-{serial:04d}",
            参加者番号=home.number,
            年度=fiscal_year[serial % 3],
            受付日=era(received, serial + year),
            電気台紙="有",
            ガス台紙="有" if home.has_gas else "無",
            希望賞品コード=PRIZES[(serial + year) % len(PRIZES)],
            エコマーク枚数=str(rng.choice([0, 3, 8, 12, 20, 35])) if serial % 4 else "",
        )
        for month, label in REPORT_MONTHS.items():
            if month in home.months(year) and rng.randrange(10) < 7:
                row[f"行動レポート_{label}"] = "○"
        extract.add(*row.values())
    extract.bad("missing_value", *(row | {"申請番号": f"A{year}-0901", "受付日": ""}).values())
    extract.bad("bad_value", *(row | {"申請番号": f"A{year}-0902", "電気台紙": "？"}).values())
    cp932(sample, extract)


def _actions(sample: Sample, every: list[Household]) -> None:
    """Stickers of a year for which the ward has not entered its table of actions: each is ``unknown_action``."""
    rng = random.Random("actions 2019")
    extract = Extract("jp_actions", "actions_fy2019.csv", ACTIONS)
    for home in rng.sample(every[:150], 24):
        extract.add(home.number, era(date(2019, 11, 9), rng.randrange(4)), "eco_fair", str(rng.randint(1, 4)))
    cp932(sample, extract)
