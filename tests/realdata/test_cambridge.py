"""The whole chain over 24 years of real bills: ingest, evaluation and a payout proposal for 120 buildings.

Nothing of the file is kept here but the few figures that the sums below quote.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest

from tanso import cli, settings
from tanso.payouts import pending
from tanso.settings import Home

PACK = Path(__file__).parent.parent / "packs" / "cambridge_estates"
DATA = Path(os.environ.get("TANSO_REAL_DATA") or settings.PROJECT_ROOT.parent / "shared" / "data")
BILLS = DATA / "cambridge_estates" / "monthly.csv"

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(
        not BILLS.is_file(), reason=f"no real bills at {BILLS}: set TANSO_REAL_DATA to the folder with them"
    ),
]


def _bills() -> dict[tuple[str, str, int, int], Decimal]:
    """(building, utility, year, month) -> kWh, without the zeros that stand for nothing."""
    with BILLS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    bills = {
        (row["building"], row["utility"], int(row["ym"][:4]), int(row["ym"][5:])): Decimal(row["kwh"]) for row in rows
    }
    assert len(bills) == len(rows) == 26_988
    return {key: kwh for key, kwh in bills.items() if kwh}


@pytest.fixture(scope="module")
def bills() -> dict[tuple[str, str, int, int], Decimal]:
    return _bills()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, bills: dict) -> Home:
    """A home whose inbox has the publisher's file and a register of the buildings in it."""
    home = Home(tmp_path_factory.mktemp("cambridge"))
    inbox = home.inbox / "cambridge_meters"
    inbox.mkdir(parents=True)
    shutil.copyfile(BILLS, inbox / "monthly.csv")
    register = home.inbox / "cambridge_register" / "buildings_19991231.csv"
    register.parent.mkdir()
    with register.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        columns = [f"{utility}_{part}" for utility in ("electricity", "gas") for part in ("source", "billing", "meter")]
        writer.writerow(["building", "joined", *columns])
        metered = {(building, utility) for building, utility, _, _ in bills}
        for building in sorted({building for building, _ in metered}):
            meters = [
                cell
                for utility in ("electricity", "gas")
                for cell in (("estates", "metered", building) if (building, utility) in metered else ("", "", ""))
            ]
            writer.writerow([building, "1999-12-31", *meters])
    return home


@pytest.fixture(scope="module")
def marts(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The home after ingest and evaluation, as the commands do it; this pack is the only one."""
    programs = tmp_path_factory.mktemp("programs")
    shutil.copytree(PACK, programs / PACK.name)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TANSO_HOME", str(home.root))
        environment.setenv("TANSO_PROGRAMS", str(programs))
        assert cli.main(["ingest"]) == 0
        assert cli.main(["evaluate"]) == 0
        yield home


def _query(home: Home, sql: str, *parameters: object) -> list[tuple]:
    with duckdb.connect(str(home.database), read_only=True) as connection:
        return connection.execute(sql, list(parameters)).fetchall()


def test_zeros_are_missing_readings(marts: Home) -> None:
    assert _query(
        marts,
        "select rows_read, rows_accepted, rows_quarantined, rows_duplicate "
        "from marts.dq_files where file_name = 'monthly.csv'",
    ) == [(26_988, 26_988 - 458 - 25, 458 + 25, 0)]
    assert _query(marts, "select reason, count(*) from marts.dq_quarantine group by all") == [("missing_value", 483)]
    assert _query(
        marts,
        "select utility, count(*), count(distinct participant_id) from marts.fct_monthly_usage group by all order by 1",
    ) == [("electricity", 19_788 - 25, 120), ("gas", 7_200 - 458, 89)]
    assert _query(marts, "select count(*) from marts.fct_monthly_usage where usage = 0") == [(0,)]


# kWh of the building's two years before, month by month in sums of both years; then of the half-year itself.
HAND_CHECKED = {
    # (18,623.8 + 18,853.7 + 17,221.9 + 18,612.3 + 18,308.4 + 14,719.7) / 2 = 53,169.9; 5 % of it 2,658.495; CO2 x 0.207
    # 9,016.3 + 9,108.7 + 7,952.4 + 8,559.4 + 8,330.6 + 7,543.8 = 50,511.2; saved 2,658.7: just over the edge
    ("b87", "2003H2", "electricity"): ("53169.900000", "50511.200", "2658.700000", "0.050004", "550.350900", 100),
    # (14,687.5 + 12,444.4 + 16,859.9 + 16,848.1 + 23,356.6 + 25,395.5) / 2 = 54,796.0; 5 % of it 2,739.8
    # 8,515.6 + 7,597.7 + 7,585.0 + 7,890.9 + 10,058.1 + 10,416.2 = 52,063.5; saved 2,732.5: just under
    ("b65", "2007H1", "electricity"): ("54796.000000", "52063.500", "2732.500000", "0.049867", "565.627500", None),
    # (50,221.6 + 47,908.3 + 46,277.3 + 39,703.5 + 44,514.5 + 38,281.6) / 2 = 133,453.4; 10 % of it 13,345.34
    # 22,880.9 + 22,518.3 + 20,656.4 + 17,088.3 + 19,689.3 + 17,293.4 = 120,126.6; saved 13,326.8: still the lower tier
    ("b0", "2018H1", "electricity"): ("133453.400000", "120126.600", "13326.800000", "0.099861", "2758.647600", 100),
    # (34,994.0 + 31,878.4 + 33,434.8 + 29,204.7 + 29,372.5 + 28,691.8) / 2 = 93,788.1; 10 % of it 9,378.81
    # 15,501.7 + 14,313.0 + 14,522.8 + 13,469.5 + 13,566.8 + 13,030.7 = 84,404.5; saved 9,383.6: the upper tier
    ("b4", "2015H1", "electricity"): ("93788.100000", "84404.500", "9383.600000", "0.100051", "1942.405200", 200),
    # one year alone: 11,622.9 + 11,956.0 + 11,805.9 + 8,532.2 + 7,649.7 + 6,538.5 = 58,105.2
    # 12,089.6 + 9,223.7 + 9,079.8 + 8,891.6 + 7,765.8 + 6,924.9 = 53,975.4; saved 4,129.8 = 7.107 %. CO2 x 0.183
    ("b109", "2019H1", "gas"): ("58105.200000", "53975.400", "4129.800000", "0.071075", "755.753400", 70),
    # June of the one year before is 0, so missing: (767.0 + 563.5 + 535.3 + 431.1 + 306.0) x 6 / 5 = 2,602.9 x 1.2
    # 782.7 + 640.2 + 599.4 + 518.7 + 342.1 + 7.7 = 2,890.8; saved 232.68 (with 0 for June it would have been a loss)
    ("b32", "2021H1", "gas"): ("3123.480000", "2890.800", "232.680000", "0.074494", "42.580440", 70),
}


@pytest.mark.parametrize(("building", "period", "utility"), HAND_CHECKED)
def test_hand_checked_buildings(marts: Home, building: str, period: str, utility: str) -> None:
    *figures, points = HAND_CHECKED[building, period, utility]
    key = (building, period, utility)
    row = _query(
        marts,
        "select status, months_evaluated, baseline_usage, actual_usage, reduction, reduction_rate, co2_reduction_kg "
        "from marts.fct_reductions where participant_id = ? and period_id = ? and utility = ?",
        *key,
    )
    assert row == [("evaluated", 6, *map(Decimal, figures))]
    awarded = _query(
        marts,
        "select points, certified_on from marts.fct_point_awards "
        "where participant_id = ? and period_id = ? and utility = ?",
        *key,
    )
    paid_from = date(int(period[:4]), 12, 1) if period.endswith("H1") else date(int(period[:4]) + 1, 6, 1)
    assert awarded == ([(points, paid_from)] if points else [])


@pytest.mark.parametrize(
    ("building", "period", "utility", "status", "months"),
    [
        ("b0", "2020H1", "gas", "usage_missing", 5),  # June 2020 is 0
        ("b0", "2008H1", "electricity", "baseline_missing", 6),  # its first half-year
        ("b0", "2007H2", "electricity", "usage_missing", 0),
    ],
)
def test_what_cannot_be_evaluated(
    marts: Home, building: str, period: str, utility: str, status: str, months: int
) -> None:
    assert _query(
        marts,
        "select status, months_evaluated, baseline_usage from marts.fct_reductions "
        "where participant_id = ? and period_id = ? and utility = ?",
        building,
        period,
        utility,
    ) == [(status, months, None)]


def _worked_out(
    bills: dict[tuple[str, str, int, int], Decimal],
) -> dict[tuple[str, str, str], tuple[str, Fraction | None, int]]:
    """(building, period, utility) -> (status, saved share of the baseline, points), worked out in fractions."""
    points = {"electricity": (100, 200), "gas": (70, 150)}
    found: dict[tuple[str, str, str], tuple[str, Fraction | None, int]] = {}
    for building, utility in sorted({(building, utility) for building, utility, _, _ in bills}):
        for year in range(2000, 2024):
            for half, months in (("H1", range(1, 7)), ("H2", range(7, 13))):
                used = [bills[key] for month in months if (key := (building, utility, year, month)) in bills]
                means = []
                for month in months:
                    years = [bills[key] for back in (1, 2) if (key := (building, utility, year - back, month)) in bills]
                    if years:
                        means.append(Fraction(sum(years)) / len(years))
                key = (building, f"{year}{half}", utility)
                if len(used) < 6:
                    found[key] = ("usage_missing", None, 0)
                elif len(means) < 3:
                    found[key] = ("baseline_missing", None, 0)
                else:
                    rate = 1 - Fraction(sum(used)) / (sum(means) * 6 / len(means))
                    tier = 0 if rate < Fraction(1, 20) else points[utility][rate >= Fraction(1, 10)]
                    found[key] = ("evaluated", rate, tier)
    return found


def test_every_building_and_half_year(marts: Home, bills: dict) -> None:
    expected = _worked_out(bills)
    rows = _query(
        marts,
        "select participant_id, period_id, utility, status, reduction_rate, coalesce(points, 0) "
        "from marts.fct_reductions left join marts.fct_point_awards using (participant_id, period_id, utility)",
    )
    assert len(rows) == len(expected) == (120 + 89) * 24 * 2
    assert Counter(row[3] for row in rows) == Counter(status for status, _, _ in expected.values())
    for building, period, utility, status, rate, points in rows:
        wanted_status, wanted_rate, wanted_points = expected[building, period, utility]
        assert (status, points) == (wanted_status, wanted_points), (building, period, utility)
        if wanted_rate is None:
            assert rate is None
        else:
            # a baseline filled for a gap is rounded to 6 decimals first
            assert abs(Fraction(rate) - wanted_rate) <= Fraction(1, 1_000_000), (building, period, utility)


def test_chain_ends_in_proposals_of_all_points(marts: Home, bills: dict) -> None:
    due: Counter[str] = Counter()
    for (_, period, _), (_, _, points) in _worked_out(bills).items():
        due[period] += points
    assert cli.main(["propose", "--as-of", "2023-12-01"]) == 0
    proposed = {proposal.period_id: (proposal.amount, proposal.currency) for proposal in pending(marts)}
    del due["2023H2"]  # payable from June 2024
    assert proposed == {period: (points, "GBP") for period, points in due.items() if points}
