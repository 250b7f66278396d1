"""The worked examples of the metered programme, digit by digit; the comments work the expected figures out."""

from __future__ import annotations

from datetime import date

import pytest


def text(rows) -> list[tuple]:
    """Decimals as their stored digits."""
    return [
        tuple(None if cell is None else cell if isinstance(cell, int) else str(cell) for cell in row) for row in rows
    ]


@pytest.fixture
def reduction(query):
    """Columns of the one fct_reductions row of a participant, period and utility."""

    def find(program_id, participant_id, period_id, columns, utility="electricity"):
        sql = (
            f"select {columns} from marts.fct_reductions "
            "where (program_id, participant_id, period_id, utility) = (?, ?, ?, ?)"
        )
        rows = text(query(sql, program_id, participant_id, period_id, utility))
        assert len(rows) == 1, rows
        return rows[0]

    return find


@pytest.fixture
def awards(query):
    """(award_type, points) of a participant and period."""

    def find(program_id, participant_id, period_id, utility=None):
        sql = (
            "select award_type, points from marts.fct_point_awards "
            "where (program_id, participant_id, period_id) = (?, ?, ?) and (? is null or utility = ?) order by all"
        )
        return query(sql, program_id, participant_id, period_id, utility, utility)

    return find


FIGURES = "baseline_usage, actual_usage, reduction, reduction_rate"


# K1: (410 + 390) / 2 = 400, x 6 = 2,400; 5 % of it is 120. E1 saved 120, E2 119.999.
@pytest.mark.parametrize(
    ("who", "figures", "awarded"),
    [
        ("E1", ("2400.000000", "2280.000", "120.000000", "0.050000", "50.880000"), [("reduction", 5000)]),
        ("E2", ("2400.000000", "2280.001", "119.999000", "0.050000", "50.879576"), []),
    ],
)
def test_k1_a_tier_is_tested_on_the_exact_ratio(reduction, awards, who, figures, awarded):
    assert reduction("k1", who, "2020H2", FIGURES + ", co2_reduction_kg") == figures
    assert awards("k1", who, "2020H2") == awarded


def test_k1_awards_are_certified_on_the_first_payable_day_and_name_their_rule(query):
    rows = query("select certified_on, rule_id, explanation from marts.fct_point_awards where program_id = 'k1'")
    assert rows == [
        (
            date(2021, 6, 1),
            "individual-electricity-2020-05",
            "전기 기준사용량 2400 kWh, 실제사용량 2280 kWh: 120 kWh 절감, 감축률 5.00%. 감축률 5% 이상 구간: "
            "5000포인트 (규칙 individual-electricity-2020-05) / electricity: baseline 2400 kWh, used 2280 kWh, "
            "saved 120 kWh, a reduction rate of 5.00 %. "
            "Tier from 5 %: 5000 points (rule individual-electricity-2020-05)",
        )
    ]


@pytest.mark.parametrize(
    ("who", "award_type", "period_id", "words"),
    [
        ("streak", "maintenance", "2022H2", "after 2 half-years in a row of 4 % or more: 3000 points"),
        # (36 + 84) / 2 = 60; 36 is 60 % of it
        ("little", "standard_usage", "2022H2", "used 36 m3, at most 60 % of the participants' average of 60 m3: 750 "),
        # 0.7 × 10 % + 0.3 × 50 %
        ("block", "complex", "2021C", "Score (0.7 × reduction rate + 0.3 × share of households taking part) 22: "),
        ("block", "complex", "2021C", "감축률 × 0.7 + 세대 참여율 × 0.3) 22점: "),
    ],
)
def test_a_sentence_names_the_figures_of_the_policy_in_force(query, who, award_type, period_id, words):
    ((explanation,),) = query(
        "select explanation from marts.fct_point_awards where program_id = 'sentences' and participant_id = ?"
        " and award_type = ? and period_id = ?",
        who,
        award_type,
        period_id,
    )
    assert words in explanation


# K2: A1 280 + 5 x 310; A2 and A4 6 x 255; A3 260 + 5 x 300. Used 6 x 240 = 1,440.
@pytest.mark.parametrize(
    ("program_id", "who", "figures", "points"),
    [
        ("k2_enrolment", "A1", ("1830.000000", "1440.000", "390.000000", "0.213115"), 15000),
        ("k2_period_start", "A2", ("1530.000000", "1440.000", "90.000000", "0.058824"), 5000),
        ("k2_enrolment", "A3", ("1760.000000", "1440.000", "320.000000", "0.181818"), 15000),
        ("k2_enrolment", "A4", ("1530.000000", "1440.000", "90.000000", "0.058824"), 5000),
    ],
)
def test_k2_two_anchors_one_history(reduction, awards, program_id, who, figures, points):
    assert reduction(program_id, who, "2023H1", FIGURES) == figures
    assert awards(program_id, who, "2023H1") == [("reduction", points)]


# K3: used 6 x 216 = 1,296.
@pytest.mark.parametrize(
    ("who", "baseline", "rate", "points"),
    [
        ("M1", "1410.000000", "0.080851", 5000),
        ("M2", "1460.000000", "0.112329", 10000),
        ("M3", "1700.000000", "0.237647", 15000),
    ],
)
def test_k3_months_before_moving_in_do_not_count(reduction, awards, who, baseline, rate, points):
    expected = (baseline, "1296.000", rate)
    assert reduction("k3", who, "2020H2", "baseline_usage, actual_usage, reduction_rate") == expected
    assert awards("k3", who, "2020H2") == [("reduction", points)]


@pytest.mark.parametrize(
    ("who", "period", "figures"),
    [
        ("G1", "2021H2", ("215.877750", "160.500", "55.377750", "0.256524", "483.566160", "124.046160")),
        ("CX1", "2021C", ("12000.171429", "11400.000", "600.171429", "0.050014", "26880.384001", "1344.384001")),
    ],
)
def test_k4_gap_fill_multiplies_the_sum_and_rounds_once(reduction, who, period, figures):
    assert reduction("k4", who, period, FIGURES + ", baseline_co2_kg, co2_reduction_kg", "gas") == figures


def test_k4_months_show_their_own_baseline_and_the_gaps(query):
    rows = text(
        query(
            "select usage_month, baseline_usage, actual_usage, status from marts.fct_monthly_comparisons "
            "where program_id = 'k4' and participant_id = 'G1' and period_id = '2021H2' order by usage_month"
        )
    )
    assert rows == [
        ("2021-07-01", None, "26.750", "baseline_missing"),
        ("2021-08-01", None, "26.750", "baseline_missing"),
        ("2021-09-01", "18.301000", "26.750", "compared"),
        ("2021-10-01", "25.333000", "26.750", "compared"),
        ("2021-11-01", "41.087000", "26.750", "compared"),
        ("2021-12-01", "59.197500", "26.750", "compared"),
    ]


@pytest.mark.parametrize(
    ("who", "status", "months_evaluated"),
    [
        ("S1", "withdrawn", 5),
        ("S2", "joined_during_period", 6),
        ("S3", "tariff_excluded", 5),
        ("S4", "usage_missing", 5),
        ("S5", "baseline_missing", 6),
        ("S6", "baseline_zero", 6),
        ("S7", "evaluated", 6),
    ],
)
def test_k5_the_first_status_that_applies(reduction, who, status, months_evaluated):
    figures = reduction("k5", who, "2020H2", "status, months_evaluated, baseline_usage, actual_usage, co2_reduction_kg")
    assert figures[:2] == (status, months_evaluated)
    assert (figures[2] is None) == (status != "evaluated")


def test_k5_a_member_who_left_has_a_row_while_the_period_touches_the_membership(query, reduction):
    assert reduction("k5", "S7", "2021H1", "status, months_evaluated") == ("withdrawn", 0)
    sql = "select period_id from marts.fct_reductions where program_id = 'k5' and participant_id = ? and period_id >= ?"
    assert query(sql, "S8", "2020H2") == []


def test_k6_streaks(query):
    rows = query(
        "select participant_id, period_id, points from marts.fct_point_awards "
        "where program_id = 'k6' and award_type = 'maintenance' order by all"
    )
    assert rows == [("T1", "2022H1", 3000), ("T3", "2022H2", 3000), ("T5", "2022H2", 12000)]


# K7: average (36 + 72 + 90 + 90) / 4 = 72.
def test_k7_standard_usage_is_at_most_half_of_the_classes_average(query, reduction):
    sql = (
        "select participant_id, award_type, points from marts.fct_point_awards "
        "where program_id = ? and period_id = '2022H2' order by all"
    )
    others = [("W2", "reduction", 750), ("W3", "reduction", 750), ("W6", "reduction", 8000)]
    assert query(sql, "k7") == [("W1", "standard_usage", 750), *others]
    assert query(sql, "k7_over") == others
    assert reduction("k7", "W1", "2022H2", "reduction_rate", "water") == ("-0.200000",)
    assert reduction("k7", "W5", "2022H2", "status", "water") == ("usage_missing",)


@pytest.mark.parametrize(
    ("budget", "won_per_point", "b1", "b2", "b3"),
    [
        ("73500", "2.00", 50000, 11500, 12000),
        ("73499", "1.99", 49750, 11442, 11940),
        ("61000", "1.65", 41250, 9487, 9900),
    ],
)
def test_k8_a_budget_lowers_the_rate_and_each_amount_is_floored(query, budget, won_per_point, b1, b2, b3):
    rows = query(
        "select split_part(participant_id, '-', 1), points, cast(won_per_point as varchar), amount, status "
        "from marts.fct_payouts where program_id = 'k8' and period_id = '2021H2' "
        "and participant_id like '%-' || ? order by 1",
        budget,
    )
    assert rows == [
        ("B1", 25000, won_per_point, b1, "payable"),
        ("B2", 5750, won_per_point, b2, "payable"),
        ("B3", 6000, won_per_point, b3, "held"),
    ]


@pytest.mark.parametrize(
    ("who", "chosen", "status", "hold_reason"),
    [
        ("H1", None, "held", "incentive_type_missing"),
        ("H2", "green_card", "held", "incentive_type_not_offered"),
        ("H3", "cash", "held", "bank_account_missing"),
        ("H4", "cash", "held", "bank_account_missing"),
        ("H5", "cash", "held", "account_holder_mismatch"),
        ("H6", "cash", "payable", None),
        ("H7", "green_card", "held", "card_number_missing"),
        ("unknown type", "unknown", "held", "incentive_type_not_offered"),
    ],
)
def test_k9_the_first_hold_reason(query, who, chosen, status, hold_reason):
    rows = query(
        "select points, amount, incentive_type, status, hold_reason, paid_amount, currency from marts.fct_payouts "
        "where program_id = 'k9' and participant_id = ?",
        who,
    )
    assert rows == [(10000, 20000, chosen, status, hold_reason, 0, "KRW")]


@pytest.mark.parametrize(
    ("who", "utility", "baseline", "actual", "rate", "points"),
    [
        ("U1", "electricity", "1500.000000", "1200.000", "0.200000", [15000]),
        ("U1", "water", "90.000000", "84.000", "0.066667", [750]),
        ("U2", "electricity", "1800.000000", "1764.000", "0.020000", []),
        ("U2", "water", "120.000000", "114.000", "0.050000", [750]),
    ],
)
def test_k10_an_aggregated_flat_is_a_triple(reduction, awards, who, utility, baseline, actual, rate, points):
    columns = "baseline_usage, actual_usage, reduction_rate"
    assert reduction("k10", who, "2021H2", columns, utility) == (baseline, actual, rate)
    assert awards("k10", who, "2021H2", utility) == [("reduction", one) for one in points]


@pytest.mark.parametrize(
    ("who", "co2", "rate", "rank", "score", "points"),
    [
        ("X1", "1611.195760", "0.140740", 1, "40.000000", 400000),
        ("X2", "1611.157600", "0.140737", 2, "39.999800", 100000),
    ],
)
def test_k11_the_rounded_score_picks_the_band(query, awards, who, co2, rate, rank, score, points):
    ranking = text(
        query(
            "select co2_reduction_kg, reduction_rate, rank, score from marts.fct_rankings "
            "where program_id = 'k11' and period_id = '2021C' and ranking_id = 'complex_score' and participant_id = ?",
            who,
        )
    )
    assert ranking == [(co2, rate, rank, score)]
    assert awards("k11", who, "2021C") == [("complex", points)]
    payout = query(
        "select cast(won_per_point as varchar), amount, status from marts.fct_payouts "
        "where program_id = 'k11' and participant_id = ?",
        who,
    )
    assert payout == [("1.00", points, "payable")]


def test_k11_complexes_are_ranked_by_co2_too(query):
    rows = query(
        "select participant_class, rank, participant_id from marts.fct_rankings "
        "where program_id = 'k11' and period_id = '2021C' and ranking_id = 'co2_reduction' order by rank"
    )
    assert rows == [("complex", 1, "X1"), ("complex", 2, "X2")]


def test_k12_co2_by_the_periods_factor_and_ties(query):
    sql = (
        "select participant_id, rank, co2_reduction_kg, reduction_rate from marts.fct_rankings "
        "where program_id = 'k12' and period_id = ? order by rank"
    )
    assert text(query(sql, "2022H2")) == [
        ("C7", 1, "60.240600", "0.084000"),
        ("C10", 2, "57.372000", "0.080000"),
        ("C9", 3, "57.372000", "0.080000"),
        ("C8", 4, "57.372000", "0.050000"),
    ]
    # 120 x 0.424
    assert [row[2] for row in text(query(sql, "2022H1"))][1:] == ["50.880000"] * 3
