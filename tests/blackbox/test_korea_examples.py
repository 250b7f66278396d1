"""K1 to K12 of the worked examples, from the providers' files to the published marts, digit by digit."""

from __future__ import annotations

from datetime import date

import pytest

from tests.blackbox.cases_korea import BUDGETS


def figures(marts, who, period, columns, utility="electricity"):
    return marts.one("fct_reductions", columns, participant_id=who, period_id=period, utility=utility)


@pytest.mark.parametrize(
    ("who", "figures_expected", "awards"),
    [
        ("K1-E1", ("2400.000000", "2280.000", "120.000000", "0.050000", "50.880000"), {"reduction": 5000}),
        ("K1-E2", ("2400.000000", "2280.001", "119.999000", "0.050000", "50.879576"), {}),
    ],
)
def test_k1_exact_ratio(korea, who, figures_expected, awards):
    columns = "baseline_usage, actual_usage, reduction, reduction_rate, co2_reduction_kg"
    assert figures(korea, who, "2020H2", columns) == figures_expected
    assert korea.awards(who, "2020H2") == awards
    certified = korea.find("fct_point_awards", "certified_on", participant_id=who, period_id="2020H2")
    assert certified == ([(date(2021, 6, 1),)] if awards else [])


@pytest.mark.parametrize(
    ("program_id", "who", "figures_expected", "points"),
    [
        ("kr_carbon_point", "K2-A1", ("1830.000000", "1440.000", "390.000000", "0.213115"), 15000),
        ("kr_period_start", "K2-A2", ("1530.000000", "1440.000", "90.000000", "0.058824"), 5000),
        ("kr_carbon_point", "K2-A3", ("1760.000000", "1440.000", "320.000000", "0.181818"), 15000),
        ("kr_carbon_point", "K2-A4", ("1530.000000", "1440.000", "90.000000", "0.058824"), 5000),
    ],
)
def test_k2_anchors(examples, program_id, who, figures_expected, points):
    marts = examples.of(program_id)
    columns = "baseline_usage, actual_usage, reduction, reduction_rate"
    assert figures(marts, who, "2023H1", columns) == figures_expected
    # The two-year average of the half-year is above 50 %: no standard usage award.
    assert marts.awards(who, "2023H1")["reduction"] == points


@pytest.mark.parametrize(
    ("who", "baseline", "rate", "points"),
    [
        ("K3-M1", "1410.000000", "0.080851", 5000),
        ("K3-M2", "1460.000000", "0.112329", 10000),
        ("K3-M3", "1700.000000", "0.237647", 15000),
    ],
)
def test_k3_moved_in(korea, who, baseline, rate, points):
    columns = "baseline_usage, actual_usage, reduction_rate"
    assert figures(korea, who, "2020H2", columns) == (baseline, "1296.000", rate)
    assert korea.awards(who, "2020H2") == {"reduction": points}


@pytest.mark.parametrize(
    ("who", "period", "expected"),
    [
        (
            "K4-G1",
            "2021H2",
            ("215.877750", "160.500", "55.377750", "0.256524", "483.566160", "124.046160"),
        ),
        (
            "K4-CX1",
            "2021C",
            ("12000.171429", "11400.000", "600.171429", "0.050014", "26880.384001", "1344.384001"),
        ),
    ],
)
def test_k4_gap_fill(korea, who, period, expected):
    columns = "baseline_usage, actual_usage, reduction, reduction_rate, baseline_co2_kg, co2_reduction_kg"
    assert figures(korea, who, period, columns, "gas") == expected


@pytest.mark.parametrize(
    ("who", "period", "expected"),
    [
        ("K5-S1", "2020H2", [("withdrawn", 5)]),
        ("K5-S2", "2020H2", [("joined_during_period", 6)]),
        ("K5-S3", "2020H2", [("tariff_excluded", 5)]),
        ("K5-S4", "2020H2", [("usage_missing", 5)]),
        ("K5-S5", "2020H2", [("baseline_missing", 6)]),
        ("K5-S6", "2020H2", [("baseline_zero", 6)]),
        ("K5-S7", "2020H2", [("evaluated", 6)]),
        ("K5-S7", "2021H1", [("withdrawn", 0)]),
        ("K5-S8", "2020H2", []),
    ],
)
def test_k5_statuses(korea, who, period, expected):
    assert korea.find("fct_reductions", "status, months_evaluated", participant_id=who, period_id=period) == expected
    if expected and expected[0][0] != "evaluated":
        columns = "baseline_usage, actual_usage, reduction, reduction_rate, baseline_co2_kg, actual_co2_kg"
        assert figures(korea, who, period, columns) == (None,) * 6


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("K6-T1", [("2022H1", 3000)]),
        ("K6-T2", []),
        ("K6-T3", [("2022H2", 3000)]),
        ("K6-T4", []),
        ("K6-T5", [("2022H2", 12000)]),
    ],
)
def test_k6_streaks(korea, who, expected):
    found = korea.find("fct_point_awards", "period_id, points", participant_id=who, award_type="maintenance")
    assert found == expected


@pytest.mark.parametrize(
    ("who", "awards"),
    [
        ("K7-W1", {"standard_usage": 750}),
        ("K7-W2", {"reduction": 750}),
        ("K7-W3", {"reduction": 750}),
        ("K7-W4", {}),
        ("K7-W5", {}),
        ("K7-W6", {"reduction": 8000}),
    ],
)
def test_k7_standard_usage(korea, examples, who, awards):
    assert korea.awards(who, "2022H2") == awards
    # With 36.001 for W1, half of the average is 36.000125.
    over = {} if who == "K7-W1" else awards
    assert examples.of("kr_period_start").awards(who, "2022H2") == over


def test_k7_figures(korea):
    assert figures(korea, "K7-W1", "2022H2", "actual_usage, reduction_rate", "water") == ("36.000", "-0.200000")
    assert figures(korea, "K7-W5", "2022H2", "status", "water") == ("usage_missing",)


@pytest.mark.parametrize(
    ("budget", "won_per_point", "amounts", "total"),
    [
        ("73500", "2.00", [50000, 11500, 12000], 73500),
        ("73499", "1.99", [49750, 11442, 11940], 73132),
        ("61000", "1.65", [41250, 9487, 9900], 60637),
    ],
)
def test_k8_budgets(korea, budget, won_per_point, amounts, total):
    region = BUDGETS[budget]
    columns = "participant_id, points, won_per_point, amount, status, hold_reason"
    found = korea.find("fct_payouts", columns, region_code=region, period_id="2021H2")
    states = [("payable", None), ("payable", None), ("held", "incentive_type_missing")]
    assert found == [
        (f"K8-{budget}-{name}", points, won_per_point, amount, *state)
        for name, points, amount, state in zip(["B1", "B2", "B3"], [25000, 5750, 6000], amounts, states, strict=True)
    ]
    where = {"region_code": region, "period_id": "2021H2", "utility": "all"}
    assert korea.one("agg_region_results", "points, amount", **where) == (36750, total)


@pytest.mark.parametrize(
    ("who", "status", "reason"),
    [
        ("K9-H1", "held", "incentive_type_missing"),
        ("K9-H2", "held", "incentive_type_not_offered"),
        ("K9-H3", "held", "bank_account_missing"),
        ("K9-H4", "held", "bank_account_missing"),
        ("K9-H5", "held", "account_holder_mismatch"),
        ("K9-H6", "payable", None),
        ("K9-H7", "held", "card_number_missing"),
        ("K9-H8", "held", "incentive_type_not_offered"),
    ],
)
def test_k9_hold_reasons(korea, who, status, reason):
    columns = "points, amount, status, hold_reason"
    assert korea.one("fct_payouts", columns, participant_id=who, period_id="2020H2") == (10000, 20000, status, reason)


@pytest.mark.parametrize(
    ("who", "utility", "expected", "points"),
    [
        ("K10-U1", "electricity", ("1500.000000", "1200.000", "0.200000"), [15000]),
        ("K10-U1", "water", ("90.000000", "84.000", "0.066667"), [750]),
        ("K10-U2", "electricity", ("1800.000000", "1764.000", "0.020000"), []),
        ("K10-U2", "water", ("120.000000", "114.000", "0.050000"), [750]),
    ],
)
def test_k10_flats(korea, who, utility, expected, points):
    columns = "baseline_usage, actual_usage, reduction_rate"
    assert figures(korea, who, "2021H2", columns, utility) == expected
    where = {"participant_id": who, "period_id": "2021H2", "utility": utility}
    assert korea.find("fct_point_awards", "points", **where) == [(each,) for each in points]


@pytest.mark.parametrize(
    ("who", "kg", "rate", "rank", "score", "points"),
    [
        ("K11-X1", "1611.195760", "0.140740", 1, "40.000000", 400000),
        ("K11-X2", "1611.157600", "0.140737", 2, "39.999800", 100000),
    ],
)
def test_k11_complexes(korea, who, kg, rate, rank, score, points):
    assert figures(korea, who, "2021C", "co2_reduction_kg, reduction_rate") == (kg, rate)
    where = {"participant_id": who, "period_id": "2021C"}
    assert korea.one("fct_rankings", "rank, score", ranking_id="complex_score", **where) == (rank, score)
    assert korea.awards(who, "2021C") == {"complex": points}
    assert korea.one("fct_payouts", "won_per_point, points, amount", **where) == ("1.00", points, points)


def test_k12_ranking(korea):
    where = {"region_code": "48041", "period_id": "2022H2", "ranking_id": "co2_reduction"}
    columns = "rank, participant_id, co2_reduction_kg, reduction_rate, nickname, is_top_performer, is_commended"
    assert korea.find("fct_rankings", columns, **where) == [
        (1, "K12-C7", "60.240600", "0.084000", None, False, False),
        (2, "K12-C10", "57.372000", "0.080000", None, False, False),
        (3, "K12-C9", "57.372000", "0.080000", None, False, False),
        (4, "K12-C8", "57.372000", "0.050000", None, False, False),
    ]
    for who in ("K12-C8", "K12-C9", "K12-C10"):
        assert figures(korea, who, "2022H1", "co2_reduction_kg") == ("50.880000",)
