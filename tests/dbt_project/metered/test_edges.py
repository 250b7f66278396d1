"""Edges of the metered rules; figures are worked out by hand in the comments."""

from __future__ import annotations

from decimal import Decimal

import pytest


@pytest.fixture
def row(query):
    """Columns of the only fct_reductions row of a participant and period; None: there is no row."""

    def find(program_id, participant_id, period_id, columns):
        found = query(
            f"select {columns} from marts.fct_reductions where (program_id, participant_id, period_id) = (?, ?, ?)",
            program_id,
            participant_id,
            period_id,
        )
        assert len(found) <= 1, found
        return found[0] if found else None

    return find


@pytest.mark.parametrize(
    ("who", "period", "baseline"),
    [
        # 2019-02 to 2021-01: 6 x (200 + 100) / 2
        ("A", "2022H2", 900),
        # 2021-01 to 2022-12: 6 x (260 + 250) / 2
        ("A", "2023H1", 1530),
        # 2021-07 to 2023-06: 6 x (90 + 80) / 2
        ("A", "2023H2", 510),
        # January 2020 and 2021: (300 + 260) / 2 = 280; the others 11 x 310
        ("CX", "2023C", 3690),
        # 2021-07 to 2023-06: July to December (260 + 250) / 2, January to June (250 + 240) / 2; 6 x 255 + 6 x 245
        ("CX", "2024C", 3000),
    ],
)
def test_a_baseline_policy_holds_from_its_period_for_its_kind(row, who, period, baseline):
    assert row("anchor_changes", who, period, "status, baseline_usage") == ("evaluated", Decimal(baseline))


def test_an_excluded_tariff_is_no_baseline_but_does_not_exclude_later_periods(row):
    # 2019 alone is the baseline: 6 x 120 = 720, used 684; with 2018 it would be 660 and nothing saved
    assert row("tariffs", "was a farm", "2020H2", "status, baseline_usage, reduction_rate") == (
        "evaluated",
        Decimal(720),
        Decimal("0.05"),
    )
    assert row("tariffs", "was a farm", "2018H2", "status") is None  # joined later


@pytest.mark.parametrize(
    ("who", "status"),
    [("cooks", "tariff_excluded"), ("heats and cooks", "evaluated"), ("heats", "evaluated")],
)
def test_a_gas_tariff_is_excluded_by_its_whole_name(row, who, status):
    assert row("tariffs", who, "2020H2", "status") == (status,)


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("in and out", "withdrawn"),
        ("out on the first day", "withdrawn"),
        ("in on the last day", "joined_during_period"),
        ("in the day before", "evaluated"),
        ("in the day after", None),
    ],
)
def test_membership_at_the_edges_of_a_period(row, who, status):
    assert row("memberships", who, "2020H2", "status") == (status and (status,))


def test_moved_in_after_joining_is_measured_from_the_period(row, query):
    assert row("stays", "late", "2020H2", "status, months_evaluated") == ("usage_missing", 2)
    # November 2020 to June 2022: July to October 4 x 110, November and December (100 + 120) / 2 each
    assert row("stays", "late", "2022H2", "status, baseline_usage, reduction_rate") == (
        "evaluated",
        Decimal(660),
        Decimal("0.1"),
    )
    months = query(
        "select cast(baseline_usage as integer), status from marts.fct_monthly_comparisons "
        "where program_id = 'stays' and period_id = '2020H2' order by usage_month"
    )
    assert months == [(None, "usage_missing")] * 4 + [(None, "baseline_missing")] * 2


@pytest.mark.parametrize(
    ("who", "figures"),
    [
        ("5 months", ("baseline_missing", 12, None)),
        ("6 months", ("evaluated", 12, Decimal(12000))),
        ("11 months", ("usage_missing", 11, None)),
    ],
)
def test_complex_years_need_twelve_months_and_a_baseline_of_six(row, who, figures):
    assert row("complexes", who, "2021C", "status, months_evaluated, baseline_usage") == figures


def test_a_complex_is_paid_outside_the_budget_by_the_row_in_force_when_its_year_begins(query):
    # R = 10 %, no households: score 6. 2021C begins before 2021H1, whose row would offer vouchers only.
    paid = query(
        "select participant_id, period_id, cast(won_per_point as varchar), amount, status from marts.fct_payouts "
        "where program_id = 'complexes'"
    )
    assert paid == [("6 months", "2021C", "1.00", 100000, "payable")]
