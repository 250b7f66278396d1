"""Whoever runs the sample sees every kind of result: each status, award and reason to hold, refuse or cut."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest

from tanso.settings import Home
from tanso.warehouse import evaluate

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
    assert _distinct(marts, "award_type", "fct_point_awards", NAKANO) == {
        "co2_reduction", "action_report", "bonus", "continuity", "eco_mark", "environmental_action", "top_performer",
        "eco_mark_top",
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

    assert count("fct_rankings", "period_id = 'FY2018' and ranking_id = 'co2_reduction' and is_top_performer") == 60
    assert count("fct_rankings", "ranking_id = 'eco_marks' and is_commended") == 5
    assert count("fct_lottery_entries", "is_winner") == 20
    assert count("fct_lottery_entries", "not is_winner") > 20
    assert count("fct_point_balances", "expired_points > 0") > 5
    assert count("fct_point_balances", "closing_points > 0") > 20
    assert count("dq_unmatched_meters", "reason = 'no_reading'") == 1
    assert count("dq_unmatched_meters", "reason = 'unknown_provider'") == 1


# The generator's single cases: what each fiscal year from 2018 pays; None = no award.
@pytest.mark.parametrize(
    ("participant", "points"),
    [
        pytest.param("N0063", [None, 300, 600, 900, None], id="below in each year, the fourth pays nothing"),
        pytest.param("N0064", [None, 300, None, 600, 900], id="no application in FY2020"),
        pytest.param("N0068", [None, 300, None, 600, 900], id="above in FY2020"),
    ],
)
def test_continuity_pays_three_times(
    marts: duckdb.DuckDBPyConnection, participant: str, points: list[int | None]
) -> None:
    paid = dict(
        marts.execute(
            "select period_id, points from marts.fct_point_awards "
            "where participant_id = ? and award_type = 'continuity'",
            [participant],
        ).fetchall()
    )
    assert [paid.get(f"FY{year}") for year in range(2018, 2023)] == points


def test_the_fourth_year_was_below_the_first_ones_too(marts: duckdb.DuckDBPyConnection) -> None:
    co2 = "select sum({}) from marts.fct_reductions where participant_id = 'N0063' and period_id = ?"
    (before,) = marts.execute(co2.format("baseline_co2_kg"), ["FY2018"]).fetchone()
    for year in range(2019, 2023):
        (now,) = marts.execute(co2.format("actual_co2_kg"), [f"FY{year}"]).fetchone()
        assert now < before, year


def test_points_are_carried_over_and_expire(marts: duckdb.DuckDBPyConnection) -> None:
    """N0083 comes back in the third year: the rest of the first is lost. Who applies each year opens as it closed."""
    balances = (
        "select opening_points, expired_points from marts.fct_point_balances where participant_id = ? and period_id = ?"
    )
    closing = "select closing_points from marts.fct_point_balances where participant_id = ? and period_id = ?"
    (rest,) = marts.execute(closing, ["N0083", "FY2018"]).fetchone()
    assert rest > 0
    assert marts.execute(balances, ["N0083", "FY2021"]).fetchall() == [(rest, rest)]
    for year in range(2019, 2023):
        (rest,) = marts.execute(closing, ["N0063", f"FY{year - 1}"]).fetchone()
        assert rest > 0
        assert marts.execute(balances, ["N0063", f"FY{year}"]).fetchall() == [(rest, 0)]
    years = _distinct(marts, "period_id", "fct_point_balances")
    assert years == {f"FY{year}" for year in range(2018, 2023)}


def test_who_moves_out_in_a_later_year_applies_in_time_or_not(marts: duckdb.DuckDBPyConnection) -> None:
    """N0075 left on 20 October 2020 (to apply by 31 January), N0078 on 31 December (by 31 March)."""
    assert marts.execute(
        "select participant_id, received_on::varchar, status, certified_on::varchar from marts.fct_applications "
        "where participant_id in ('N0075', 'N0078') and period_id >= 'FY2020' order by all"
    ).fetchall() == [
        ("N0075", "2021-01-12", "accepted", "2021-02-15"),
        ("N0078", "2021-04-02", "outside_window", None),
    ]
    assert marts.execute(
        "select distinct months_evaluated from marts.fct_reductions "
        "where participant_id in ('N0075', 'N0078') and period_id = 'FY2020'"
    ).fetchall() == [(3,)]


def test_a_year_without_rows_of_its_own_has_no_lottery_and_knows_no_action(marts: duckdb.DuckDBPyConnection) -> None:
    assert _distinct(marts, "period_id", "fct_lottery_entries") == {"FY2018"}
    assert marts.execute(
        "select distinct status, points from marts.fct_actions where period_id = 'FY2019'"
    ).fetchall() == [("unknown_action", 0)]
