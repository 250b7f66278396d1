"""The shipped figures are those of the documents and of what was published."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from tanso.packs.policy import load_policy
from tanso.settings import PROJECT_ROOT

KR = "kr_carbon_point"
JP = "jp_nakano_eco_point"


@pytest.fixture(scope="module")
def policy():
    return load_policy([PROJECT_ROOT / "include" / "programs"])


def in_force(rows, starts_on: date):
    return [
        row
        for row in rows
        if row["valid_from_on"] <= starts_on and (row.get("valid_to_on") is None or starts_on <= row["valid_to_on"])
    ]


def best_points(policy, participant_class: str, starts_on: date) -> int:
    """The most a participant can get per half-year: the top tier of each utility."""
    tiers = in_force(policy.rows("reduction_tiers", KR), starts_on)
    tiers = [row for row in tiers if row["participant_class"] == participant_class]
    return sum(max(row["points"] for row in tiers if row["utility"] == u) for u in ("electricity", "water", "gas"))


@pytest.mark.parametrize(
    ("participant_class", "half_years", "won"),
    [
        ("individual", [date(2019, 1, 1), date(2019, 7, 1)], 70_000),
        ("individual", [date(2020, 1, 1), date(2020, 7, 1)], 100_000),
        ("individual", [date(2023, 1, 1), date(2023, 7, 1)], 100_000),
        ("business", [date(2019, 1, 1), date(2019, 7, 1)], 70_000),
        ("business", [date(2021, 7, 1), date(2022, 1, 1)], 100_000),
        ("business", [date(2022, 7, 1), date(2023, 1, 1)], 400_000),
    ],
)
def test_published_yearly_caps(policy, participant_class, half_years, won):
    """Published caps per year, at 2 won per point."""
    assert sum(best_points(policy, participant_class, day) for day in half_years) * 2 == won


@pytest.mark.parametrize(
    ("month", "saved", "tonnes"),
    [
        # Cheongdo 2023-H2, published 131 t
        (date(2023, 7, 1), {"electricity": 272_000, "water": 196, "gas": 443}, "131.1"),
        # Changwon 2018-H1 without gas, published 7,887 t with it
        (date(2018, 1, 1), {"electricity": 17_822_000, "water": 928_000, "gas": 0}, "7864.6"),
    ],
)
def test_published_co2(policy, month, saved, tonnes):
    factors = {}
    for row in sorted(policy.rows("emission_factors", KR), key=lambda row: row["valid_from_on"]):
        if row["valid_from_on"] <= month:
            factors[row["utility"]] = row["kg_co2_per_unit"]
    kg = sum(factors[utility] * usage for utility, usage in saved.items())
    assert round(kg / 1000, 1) == Decimal(tonnes)


def test_no_third_tier_before_2020(policy):
    for day, tiers in ((date(2019, 7, 1), 2), (date(2020, 1, 1), 3)):
        rows = in_force(policy.rows("reduction_tiers", KR), day)
        gas = [row for row in rows if (row["participant_class"], row["utility"]) == ("individual", "gas")]
        assert len(gas) == tiers
        assert [row["rate_to"] for row in sorted(gas, key=lambda row: row["rate_from"])][-1] is None


def test_maintenance_streaks(policy):
    def rules(day):
        rows = in_force(policy.rows("maintenance_rules", KR), day)
        return {
            row["participant_class"]: (row["streak"], row["points"]) for row in rows if row["utility"] == "electricity"
        }

    assert rules(date(2019, 7, 1)) == {}
    assert rules(date(2022, 1, 1)) == {"individual": (4, 3000), "business": (4, 3000)}
    assert rules(date(2022, 7, 1)) == {"individual": (2, 3000), "business": (4, 12000)}


def test_standard_usage_is_paid_to_individuals_for_three_half_years(policy):
    rows = policy.rows("standard_usage_rules", KR)
    paid = [
        day for day in (date(2022, 1, 1), date(2022, 7, 1), date(2023, 7, 1), date(2024, 1, 1)) if in_force(rows, day)
    ]
    assert paid == [date(2022, 7, 1), date(2023, 7, 1)]
    assert {row["participant_class"] for row in rows} == {"individual"}
    assert {row["utility"]: row["points"] for row in rows} == {"electricity": 5000, "water": 750, "gas": 3000}


def test_baseline_of_complex_years_needs_six_months(policy):
    rows = {row["valid_from_kind"]: row for row in policy.rows("baseline_policies", KR)}
    assert {kind: row["baseline_min_months"] for kind, row in rows.items()} == {"H2": 3, "C": 6}
    assert {row["baseline_anchor"] for row in rows.values()} == {"enrolment"}


def test_periods(policy):
    rules = {row["period_kind"]: row for row in policy.rows("period_rules")}
    assert rules["H1"]["payable_from_month"] == 12
    assert rules["H2"]["payable_from_month"] == 18
    assert (rules["C"]["starts_month"], rules["C"]["ends_month"]) == (-5, 6)
    assert len(rules["C"]["months"].split()) == 12
    assert rules["FY"]["months"] == "7 8 9 12 13 14"


def test_actions_of_the_document(policy):
    actions = {row["action_code"]: row for row in policy.rows("action_points", JP)}
    assert len(actions) == 15
    assert {row["period_id"] for row in actions.values()} == {"FY2018"}
    assert actions["oil_ward_office"]["days"] == "weekday"
    assert actions["oil_community_center"]["days"] == "fourth_tuesday"
    assert actions["oil_ward_office"]["months"].split() == [str(month) for month in range(4, 16)]
    advice = {code for code, row in actions.items() if row["unit"] == "household"}
    assert advice == {code for code in actions if code.startswith("advice_")}
    assert {actions[code]["points"] for code in advice} == {500}
    assert actions["nakano_forest_bus"]["points"] == 500
    assert actions["panel_winter"]["months"] == "13"
    assert actions["green_class"]["months"] == "15"


def test_top_sixty_are_top_performers_and_five_are_commended(policy):
    by_rank = {}
    for row in policy.rows("rank_awards", JP):
        for rank in range(row["rank_from"], row["rank_to"] + 1):
            by_rank[row["ranking_id"], rank] = row
    co2 = {rank: row for (ranking, rank), row in by_rank.items() if ranking == "co2_reduction"}
    assert sorted(co2) == list(range(1, 61))
    assert [rank for rank, row in co2.items() if row["is_commended"]] == [1, 2, 3, 4, 5]
    assert {co2[1]["points"], co2[6]["points"], co2[21]["points"]} == {3000, 2000, 1000}
    assert by_rank["eco_marks", 1]["award_type"] == "eco_mark_top"


def test_no_region_pays_more_than_two_won(policy):
    assert all(row["won_per_point"] <= 2 for row in policy.rows("region_policies", KR))


def test_every_rule_has_a_source(policy):
    for table, rows in policy.tables.items():
        for row in rows:
            assert row.get("source", "none needed"), (table, row)


def test_no_sentence_writes_a_figure_out(policy):
    """It would lie as soon as its row changes; "per 1 kg" is a unit."""
    for row in policy.rows("explanations"):
        for template in (row["template_local"], row["template_en"]):
            assert not re.search("[02-9]|1[0-9]|half of|절반", re.sub(r"\{\w+\}|CO2", "", template)), template


def test_every_award_has_a_label_and_a_sentence(policy):
    for program in (KR, JP):
        labelled = {row["code"] for row in policy.rows("labels", program) if row["kind"] == "award_type"}
        assert labelled == {row["award_type"] for row in policy.rows("explanations", program)}
        utilities = {row["code"] for row in policy.rows("labels", program) if row["kind"] == "utility"}
        assert utilities == {row["utility"] for row in policy.rows("utilities", program)}
