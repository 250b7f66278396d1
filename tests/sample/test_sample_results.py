"""Whoever runs the sample sees every kind of result: each status, award and reason to hold, refuse or cut."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest

from include.settings import Home
from include.warehouse import evaluate

KOREA, NAKANO = "kr_carbon_point", "jp_nakano_eco_point"


@pytest.fixture(scope="module")
def marts(sample_home: Home) -> duckdb.DuckDBPyConnection:
    evaluate(sample_home)
    return duckdb.connect(str(sample_home.database), read_only=True)


def _distinct(marts: duckdb.DuckDBPyConnection, column: str, table: str, programme: str | None = None) -> set:
    rows = marts.execute(
        f"select distinct {column} from marts.{table} where program_id = coalesce(?, program_id)", [programme]
    ).fetchall()
    return {row[0] for row in rows}


def test_korean_half_years_and_complex_years_have_results(marts: duckdb.DuckDBPyConnection) -> None:
    halves = {f"{year}H{half}" for year in range(2019, 2023) for half in (1, 2)}
    assert _distinct(marts, "period_id", "fct_payouts", KOREA) == halves | {"2020C", "2021C", "2022C"}
    assert _distinct(marts, "region_code", "fct_payouts", KOREA) == {"48170", "43110"}


def test_every_status_is_shown(marts: duckdb.DuckDBPyConnection) -> None:
    assert _distinct(marts, "status", "fct_reductions", KOREA) == {
        "withdrawn", "joined_during_period", "tariff_excluded", "usage_missing", "baseline_missing", "baseline_zero",
        "evaluated",
    }  # fmt: skip
    assert _distinct(marts, "status", "fct_reductions", NAKANO) == {
        "not_eligible", "usage_missing", "baseline_zero", "evaluated",
    }  # fmt: skip
    assert _distinct(marts, "status", "fct_applications") == {
        "accepted", "unknown_participant", "duplicate_application", "not_eligible", "outside_window",
        "documents_missing",
    }  # fmt: skip
    assert _distinct(marts, "status", "fct_actions") == {
        "accepted", "household_once", "unknown_participant", "unknown_action", "outside_action_period",
        "before_registration", "after_move_out", "after_application",
    }  # fmt: skip


def test_every_award_is_shown(marts: duckdb.DuckDBPyConnection) -> None:
    assert _distinct(marts, "award_type", "fct_point_awards", KOREA) == {
        "reduction", "maintenance", "standard_usage", "complex",
    }  # fmt: skip
    # the fiscal year is everybody's first: no continuity award yet
    assert _distinct(marts, "award_type", "fct_point_awards", NAKANO) == {
        "co2_reduction", "action_report", "bonus", "eco_mark", "environmental_action", "top_performer", "eco_mark_top",
    }  # fmt: skip
    tiers = marts.execute(
        "select distinct utility, points from marts.fct_point_awards "
        "where program_id = ? and award_type = 'reduction' and period_id < '2022H2'",
        [KOREA],
    ).fetchall()
    by_utility = {"electricity": (5000, 10000, 15000), "water": (750, 1500, 2000), "gas": (3000, 6000, 8000)}
    assert set(tiers) == {(utility, points) for utility, rows in by_utility.items() for points in rows}
    losses = "select count(*) from marts.fct_reductions where reduction < 0 and program_id = ?"
    assert all(marts.execute(losses, [programme]).fetchone()[0] > 20 for programme in (KOREA, NAKANO))


def test_every_reason_to_hold_is_shown(marts: duckdb.DuckDBPyConnection) -> None:
    assert _distinct(marts, "hold_reason", "fct_payouts", KOREA) == {
        None, "incentive_type_missing", "incentive_type_not_offered", "bank_account_missing",
        "account_holder_mismatch", "card_number_missing",
    }  # fmt: skip
    assert _distinct(marts, "hold_reason", "fct_payouts", NAKANO) == {None, "prize_missing"}
    assert _distinct(marts, "incentive_type", "fct_payouts", KOREA) >= {"cash", "voucher", "green_card", "donation"}


def test_a_budget_is_too_small_once(marts: duckdb.DuckDBPyConnection) -> None:
    cut = marts.execute(
        "select distinct region_code, period_id from marts.fct_payouts "
        "where won_per_point < ? and period_id not like '%C'",
        [Decimal(2)],
    ).fetchall()
    assert cut == [("43110", "2021H1")]


def test_rankings_lottery_and_carried_points(marts: duckdb.DuckDBPyConnection) -> None:
    def count(table: str, condition: str) -> int:
        return marts.execute(f"select count(*) from marts.{table} where {condition}").fetchone()[0]

    assert count("fct_rankings", "ranking_id = 'co2_reduction' and is_top_performer") == 60
    assert count("fct_rankings", "ranking_id = 'eco_marks' and is_commended") == 5
    assert count("fct_lottery_entries", "is_winner") == 20
    assert count("fct_lottery_entries", "not is_winner") > 20
    assert count("fct_point_balances", "expired_points > 0") > 5
    assert count("fct_point_balances", "closing_points > 0") > 20
    assert count("dq_unmatched_meters", "reason = 'no_reading'") == 1
    assert count("dq_unmatched_meters", "reason = 'unknown_provider'") == 1
