"""J1 to J9 of the worked examples, from the ward's files to the published marts, digit by digit."""

from __future__ import annotations

from datetime import date

import pytest

from tests.blackbox.cases_japan import J7


def figures(marts, who, period, columns, utility="electricity"):
    return marts.one("fct_reductions", columns, participant_id=who, period_id=period, utility=utility)


@pytest.mark.parametrize(
    ("who", "status", "months", "points"),
    [
        ("J1-N1", "evaluated", 6, 1500),
        ("J1-N2", "evaluated", 3, 750),
        ("J1-N3", "evaluated", 3, 750),
        ("J1-N4", "not_eligible", 0, None),
        ("J1-N5", "evaluated", 4, 1000),
    ],
)
def test_j1_registration(japan, who, status, months, points):
    assert figures(japan, who, "FY2018", "status, months_evaluated") == (status, months)
    assert japan.awards(who, "FY2018").get("action_report") == points
    assert figures(japan, who, "FY2019", "status, months_evaluated") == ("evaluated", 6)
    assert japan.awards(who, "FY2019")["action_report"] == 1500
    applied = japan.one("fct_applications", "status", participant_id=who, period_id="FY2018")
    assert applied == ("not_eligible" if points is None else "accepted",)


def test_j1_which_months(japan):
    where = {"participant_id": "J1-N5", "period_id": "FY2018"}
    found = japan.find("fct_monthly_comparisons", "usage_month, baseline_usage, actual_usage, status", **where)
    counted = [month for month, _, _, status in found if status == found[-1][3]]
    assert len(found) == 6
    assert counted == [date(2018, 9, 1), date(2018, 12, 1), date(2019, 1, 1), date(2019, 2, 1)]


@pytest.mark.parametrize(
    ("who", "received_on", "status", "certified_on", "awards"),
    [
        ("J2-N1", date(2019, 3, 31), "accepted", date(2019, 4, 15), {"co2_reduction": 440, "action_report": 750}),
        ("J2-N2", date(2019, 4, 1), "accepted", date(2019, 5, 15), {"co2_reduction": 600, "action_report": 1000}),
        ("J2-N3", date(2018, 12, 1), "accepted", date(2019, 1, 15), {"co2_reduction": 440, "action_report": 750}),
        ("J2-N4", date(2019, 4, 1), "outside_window", None, {}),
        ("J2-N5", date(2019, 5, 31), "accepted", date(2019, 6, 15), {"co2_reduction": 900, "action_report": 1500}),
        ("J2-N6", date(2018, 8, 2), "not_eligible", None, {}),
    ],
)
def test_j2_moved_out(japan, who, received_on, status, certified_on, awards):
    columns = "received_on, status, certified_on"
    where = {"participant_id": who, "period_id": "FY2018"}
    assert japan.one("fct_applications", columns, **where) == (received_on, status, certified_on)
    found = japan.awards(who, "FY2018")
    assert {kind: found.get(kind) for kind in ("co2_reduction", "action_report") if kind in found} == awards


def test_j2_a_second_try(japan):
    assert japan.find("fct_applications", "received_on, status", participant_id="J2-N7") == [
        (date(2019, 2, 27), "outside_window"),
        (date(2019, 3, 18), "documents_missing"),
        (date(2019, 3, 25), "accepted"),
        (date(2019, 4, 2), "duplicate_application"),
    ]


def test_j3_netting(japan, examples):
    columns = "reduction, reduction_rate, co2_reduction_kg"
    assert figures(japan, "J3-N1", "FY2018", columns) == ("150.000000", "0.083333", "56.100000")
    assert figures(japan, "J3-N1", "FY2018", columns, "gas") == ("-12.000000", "-0.050000", "-26.520000")
    awards = japan.awards("J3-N1", "FY2018")
    assert awards["co2_reduction"] == 600 and "bonus" not in awards
    apart = examples.of("jp_per_utility").find(
        "fct_point_awards", "sum(points)", participant_id="J3-N1", award_type="co2_reduction"
    )
    assert apart == [("1120",)] or apart == [(1120,)]


@pytest.mark.parametrize(
    ("program_id", "n1", "n2"),
    [("jp_nakano_eco_point", 180, 160), ("jp_floor", 160, 160), ("jp_none", 170, 170)],
)
def test_j4_rounding(examples, program_id, n1, n2):
    marts = examples.of(program_id)
    assert marts.awards("J4-N1", "FY2018")["co2_reduction"] == n1
    assert marts.awards("J4-N2", "FY2018")["co2_reduction"] == n2


@pytest.mark.parametrize(
    ("who", "months", "gas_status", "kg", "points", "bonus"),
    [
        ("J5-N1", 6, "evaluated", "116.280000", 2320, 1000),
        ("J5-N2", 5, "evaluated", "111.860000", 2240, None),
        ("J5-N3", 6, "baseline_zero", "89.760000", 1800, 1000),
    ],
)
def test_j5_bonus(japan, who, months, gas_status, kg, points, bonus):
    assert figures(japan, who, "FY2018", "status, months_evaluated", "gas") == (gas_status, months)
    rates = {"J5-N1": "0.130137", "J5-N2": "0.131705", "J5-N3": "0.142857"}
    where = {"participant_id": who, "period_id": "FY2018", "ranking_id": "co2_reduction"}
    assert japan.one("fct_rankings", "co2_reduction_kg, reduction_rate", **where) == (kg, rates[who])
    awards = japan.awards(who, "FY2018")
    assert (awards["co2_reduction"], awards.get("bonus")) == (points, bonus)


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("J6-N1", [("FY2019", 300), ("FY2020", 600), ("FY2021", 900)]),
        ("J6-N2", [("FY2019", 300), ("FY2021", 600), ("FY2022", 900)]),
        ("J6-N3", []),
    ],
)
def test_j6_continuity(japan, who, expected):
    found = japan.find("fct_point_awards", "period_id, points", participant_id=who, award_type="continuity")
    assert found == expected


def test_j7_actions(japan):
    found = japan.find("fct_actions", "acted_on, action_code, quantity, status, points", participant_id="J7-N1")
    assert found == sorted((date.fromisoformat(on), *rest) for on, *rest in J7)
    assert japan.awards("J7-N1", "FY2018") == {"environmental_action": 1400}


def test_j8_ranking(examples):
    marts = examples.of("jp_ranking")
    columns = "rank, participant_id, co2_reduction_kg, reduction_rate"
    assert marts.find("fct_rankings", columns, ranking_id="co2_reduction") == [
        (1, "J8-N09", "56.474000", "0.083889"),
        (2, "J8-N11", "56.100000", "0.100000"),
        (3, "J8-N02", "56.100000", "0.100000"),
        (4, "J8-N07", "56.100000", "0.100000"),
        (5, "J8-N03", "56.100000", "0.083333"),
    ]
    assert marts.find("fct_rankings", "rank, participant_id, score", ranking_id="eco_marks") == [
        (1, "J8-N01", "50.000000")
    ]
    assert marts.awards("J8-N01", "FY2018")["eco_mark_top"] == 1000
    tops = marts.find("fct_point_awards", "participant_id, points, certified_on", award_type="top_performer")
    assert tops == [(f"J8-{name}", 3000, date(2019, 10, 1)) for name in ("N02", "N03", "N07", "N09", "N11")]


@pytest.mark.parametrize(
    ("period", "balance"),
    [
        ("FY2018", (720, 400, 740, 1000, 60)),
        ("FY2019", (60, 0, 430, 0, 490)),
        ("FY2020", (490, 60, 600, 1000, 30)),
    ],
)
def test_j9_lots(japan, period, balance):
    columns = "opening_points, expired_points, earned_points, redeemed_points, closing_points"
    assert japan.one("fct_point_balances", columns, participant_id="J9-N1", period_id=period) == balance
    paid = japan.find("fct_payouts", "points, amount, status", participant_id="J9-N1", period_id=period)
    assert paid == ([(1000, 1000, "payable")] if balance[3] else [])
