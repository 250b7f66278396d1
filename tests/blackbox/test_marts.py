"""What stands in the marts beside the examples' figures: periods, usage, comparisons, regional results, the lottery."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest


@pytest.mark.parametrize(
    ("program_id", "period", "expected"),
    [
        ("kr_carbon_point", "2020H1", (date(2020, 1, 1), date(2020, 6, 30), 6, date(2020, 12, 1))),
        ("kr_carbon_point", "2020H2", (date(2020, 7, 1), date(2020, 12, 31), 6, date(2021, 6, 1))),
        ("kr_carbon_point", "2021C", (date(2020, 7, 1), date(2021, 6, 30), 12, date(2021, 12, 1))),
        ("jp_nakano_eco_point", "FY2018", (date(2018, 4, 1), date(2019, 3, 31), 6, None)),
    ],
)
def test_periods(examples, program_id, period, expected):
    columns = "starts_on, ends_on, months, payable_from"
    assert examples.of(program_id).one("dim_periods", columns, period_id=period) == expected


def test_programmes(examples):
    columns = "country, currency"
    assert examples.of("kr_carbon_point").one("dim_programs", columns) == ("KR", "KRW")
    assert examples.of("jp_nakano_eco_point").one("dim_programs", columns) == ("JP", "JPY")


def test_monthly_usage_in_the_utility_s_unit(korea):
    """796.0935 MJ / 43.5 = 18.301 m3; × 2.24 kg."""
    columns = "region_code, usage, co2_kg, source_file_id"
    where = {"participant_id": "K4-G1", "utility": "gas", "usage_month": date(2020, 9, 1)}
    path = korea.home / "inbox" / "kr_citygas" / "gas_2020.csv"
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert korea.one("fct_monthly_usage", columns, **where) == ("48170", "18.301", "40.994240", sha256)


def test_estimated_readings_are_flagged(korea):
    found = korea.find("fct_monthly_usage", "distinct is_estimated", utility="electricity")
    assert found == [(False,), (True,)]


def test_japanese_usage_is_this_year_s(japan):
    where = {"participant_id": "J3-N1", "usage_month": date(2018, 7, 1)}
    found = japan.find("fct_monthly_usage", "utility, usage, co2_kg, is_estimated", **where)
    assert found == [("electricity", "275.000", "102.850000", False), ("gas", "42.000", "92.820000", False)]


def test_monthly_comparisons(korea):
    columns = "usage_month, baseline_usage, actual_usage"
    found = korea.find("fct_monthly_comparisons", columns, participant_id="K3-M1", period_id="2020H2")
    baselines = ["240.000000"] * 3 + ["230.000000"] * 3
    assert found == [(date(2020, month, 1), baselines[month - 7], "216.000") for month in range(7, 13)]


def test_regional_results(korea):
    """K12: 486 of 6,900 kWh saved; 60.2406 + 3 × 57.372 kg; everybody has 5,000 points at 2 won."""
    columns = (
        "utility, participants, evaluated, awarded, baseline_usage, actual_usage, reduction_rate, co2_reduction_kg"
    )
    found = korea.find("agg_region_results", f"{columns}, points, amount", region_code="48041", period_id="2022H2")
    assert found == [
        ("all", 4, 4, 4, None, None, "0.070435", "232.356600", 20000, 40000),
        ("electricity", 4, 4, 4, "6900.000000", "6414.000", "0.070435", "232.356600", 20000, None),
    ]


def test_lottery_can_be_drawn_again_by_anybody(examples):
    marts = examples.of("jp_ranking")
    everybody = [f"J8-{name}" for name in ("N01", "N02", "N03", "N07", "N09", "N11")]
    keys = sorted((hashlib.sha256(f"nakano-FY2018:{who}".encode()).hexdigest(), who) for who in everybody)
    expected = [(n, who, key, True) for n, (key, who) in enumerate(keys, 1)]
    assert marts.find("fct_lottery_entries", "draw_order, participant_id, draw_key, is_winner") == expected


def test_explanations_carry_the_figures(korea, japan):
    where = {"participant_id": "K3-M2", "period_id": "2020H2"}
    explanation, rule_id = korea.one("fct_point_awards", "explanation, rule_id", **where)
    assert all(figure in explanation.replace(",", "") for figure in ("1460", "1296", "11.23")) and rule_id
    assert (
        korea.rows("select * from marts.fct_point_awards where coalesce(explanation, '') = '' or rule_id is null") == []
    )
