"""Marts around the rules: totals by region, usage, what is reported, what was paid. Figures are worked out by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

# Electricity: 600 + 600 kWh, used 540 + 588; x 0.424. Gas: 300 m3, used 360; x 2.24.
# All: (30.528 - 134.4) / (508.8 + 672) = -0.0879674...
TOTALS = [
    ("all", 3, 2, 1, None, None, "-0.087967", "-103.872000", 10000, 20000),
    ("electricity", 3, 2, 1, "1200.000000", "1128.000", "0.060000", "30.528000", 10000, None),
    ("gas", 1, 1, 0, "300.000000", "360.000", "-0.200000", "-134.400000", 0, None),
]


def test_region_results_are_pooled_and_counted_once(query):
    rows = query(
        "select utility, participants, evaluated, awarded, cast(baseline_usage as varchar), "
        "cast(actual_usage as varchar), cast(reduction_rate as varchar), cast(co2_reduction_kg as varchar), points, "
        "amount from marts.agg_region_results where program_id = 'totals' and period_id = '2020H2' "
        "and region_code = '48170' order by utility"
    )
    assert rows == TOTALS


def test_region_results_over_nothing_are_0_and_have_no_rate(query):
    rows = query(
        "select utility, participants, evaluated, awarded, baseline_usage, reduction_rate, co2_reduction_kg, points, "
        "amount from marts.agg_region_results where program_id = 'totals' and period_id = '2020H2' "
        "and region_code = '43110' order by utility"
    )
    assert rows == [
        ("all", 1, 0, 0, None, None, Decimal(0), 0, 0),
        ("electricity", 1, 0, 0, Decimal(0), None, Decimal(0), 0, None),
    ]


def test_usage_takes_the_factor_of_its_month(query):
    sql = (
        "select usage, co2_kg, is_estimated, region_code, source_file_id from marts.fct_monthly_usage "
        "where program_id = 'totals' and participant_id = 'A1' and usage_month = ?"
    )
    assert query(sql, "2020-07-01") == [(Decimal(90), Decimal("38.16"), False, "48170", "0" * 64)]
    assert query(sql, "2022-07-01") == [(Decimal(10), Decimal("4.781"), False, "48170", "0" * 64)]


def test_usage_before_moving_in_is_shown_but_does_not_count(query):
    of_meter = "select count(*) from marts.fct_monthly_usage where program_id = 'totals' and participant_id = 'A4'"
    assert query(of_meter) == [(6,)]
    evaluated = (
        "select months_evaluated, status from marts.fct_reductions "
        "where program_id = 'totals' and participant_id = 'A4' and period_id = '2020H2'"
    )
    assert query(evaluated) == [(4, "usage_missing")]
    counted = (
        "select cast(actual_usage as integer) from marts.fct_monthly_comparisons "
        "where program_id = 'totals' and participant_id = 'A4' and period_id = '2020H2' order by usage_month"
    )
    assert query(counted) == [(None,), (None,), (3,), (4,), (5,), (6,)]


def test_meters_that_no_reading_matched(query):
    rows = query(
        "select participant_id, utility, provider, reason from marts.dq_unmatched_meters "
        "where program_id = 'reported' and region_code = '48170' order by 1, 2"
    )
    assert rows == [
        ("matched", "gas", "도시가스", "no_reading"),
        ("no reading", "electricity", "한국전력", "no_reading"),
        ("provider of another utility", "gas", "한국전력", "unknown_provider"),
        ("unknown provider", "electricity", "다른전력", "unknown_provider"),
    ]


def test_regions_without_policy_are_listed_and_not_evaluated(query):
    gaps = (
        "select region_code, period_id, participants from marts.dq_policy_gaps "
        "where program_id = 'reported' order by all"
    )
    assert query(gaps) == [
        ("48171", "2020H2", 1),
        ("99999", "2020H2", 1),
        ("99999", "2021C", 1),
        ("99999", "2021H1", 2),
    ]
    rows = (
        "select participant_id, period_id from marts.fct_reductions where program_id = 'reported' "
        "and participant_id in ('late region', 'no region', 'complex') order by all"
    )
    assert query(rows) == [("late region", "2021H1")]


def test_a_region_evaluates_only_the_utilities_it_runs(query):
    sql = (
        "select distinct utility from marts.fct_reductions where program_id = 'reported' and participant_id = 'matched'"
    )
    assert query(sql) == [("electricity",)]


@pytest.mark.parametrize(
    ("who", "won_per_point", "amount", "status", "hold_reason", "paid_amount"),
    [
        ("paid", "2.00", 20000, "payable", None, 20000),
        ("sent back", "2.00", 20000, "held", "account_returned", 0),
        ("new account since", "2.00", 20000, "payable", None, 0),
        ("named before it was issued", "2.00", 20000, "payable", None, 20000),
        ("one of two sent back", "2.00", 20000, "payable", None, 8000),
        ("rate is fixed", "1.80", 18000, "payable", None, 9000),
        ("moved here since it was paid", "2.00", 20000, "payable", None, 18000),
    ],
)
def test_payouts_know_what_was_paid_and_sent_back(query, who, won_per_point, amount, status, hold_reason, paid_amount):
    rows = query(
        "select cast(won_per_point as varchar), amount, status, hold_reason, paid_amount from marts.fct_payouts "
        "where program_id = 'paid' and participant_id = ?",
        who,
    )
    assert rows == [(won_per_point, amount, status, hold_reason, paid_amount)]


def test_payout_lines_name_why_they_came_back(query):
    rows = query(
        "select batch_id, line_no, returned_reason from marts.fct_payout_lines where program_id = 'paid' "
        "and participant_id = 'one of two sent back' order by all"
    )
    assert rows == [("2020H2-001", 4, "계좌해지"), ("2020H2-002", 1, None)]


def test_a_return_of_before_the_batch_is_of_no_line(query):
    rows = query(
        "select returned_reason from marts.fct_payout_lines where program_id = 'paid' "
        "and participant_id = 'named before it was issued'"
    )
    assert rows == [(None,)]


def test_periods_exist_where_anybody_has_a_reading(query):
    rows = query(
        "select period_id, cast(starts_on as varchar), cast(ends_on as varchar), months, cast(payable_from as varchar) "
        "from marts.dim_periods where program_id = 'reported' order by starts_on, period_id"
    )
    assert rows == [
        ("2020H2", "2020-07-01", "2020-12-31", 6, "2021-06-01"),
        ("2021C", "2020-07-01", "2021-06-30", 12, "2021-12-01"),
        ("2021H1", "2021-01-01", "2021-06-30", 6, "2021-12-01"),
    ]


def test_every_mart_has_the_columns_of_its_contract(query):
    """A few whose order and types others rely on."""
    described = {
        table: [(name, kind) for name, kind, *_ in query(f"describe marts.{table}")]
        for table in ("fct_payouts", "agg_region_results")
    }
    assert described["fct_payouts"] == [
        ("program_id", "VARCHAR"),
        ("period_id", "VARCHAR"),
        ("participant_id", "VARCHAR"),
        ("region_code", "VARCHAR"),
        ("incentive_type", "VARCHAR"),
        ("points", "BIGINT"),
        ("won_per_point", "DECIMAL(6,2)"),
        ("amount", "BIGINT"),
        ("currency", "VARCHAR"),
        ("status", "VARCHAR"),
        ("hold_reason", "VARCHAR"),
        ("paid_amount", "BIGINT"),
    ]
    assert [name for name, _ in described["agg_region_results"]] == [
        "program_id", "period_id", "region_code", "utility", "participants", "evaluated", "awarded", "baseline_usage",
        "actual_usage", "reduction_rate", "co2_reduction_kg", "points", "amount",
    ]  # fmt: skip
