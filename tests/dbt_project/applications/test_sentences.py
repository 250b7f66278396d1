"""Sentences of the rules that the worked examples leave out: factors, who is listed, continuity's yardsticks, places
and their points, windows, a rule that changes. And what must not change when something else does."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal

import pytest

from tests import built
from tests.dbt_project.applications.building import ALL_MONTHS, Example, build


def factors() -> Example:
    example = Example("factors")
    example.person("N1")
    for year, last, this in [(2018, 300, 280), (2019, 280, 260)]:
        example.slips("N1", year, last=last, this=this)
        example.apply("N1", year)
    return example


def listed() -> Example:
    example = Example("listed")
    example.person("gas slip, no gas")
    example.slips("gas slip, no gas", 2018, last=40, this=[30, *[None] * 5], utility="gas")
    example.person("one utility's slips", gas=True)
    example.slips("one utility's slips", 2018, last=300, this=290)
    example.person("refused", gas=True)
    example.apply("refused", on="2019-06-01")
    example.person("slip of October 2018")
    example.slip("slip of October 2018", date(2018, 10, 1), last=210, this=200)
    example.person("slip of July 2017, a year before the region's policy", joined="2016-05-10")
    example.slip("slip of July 2017, a year before the region's policy", date(2017, 7, 1), last=210, this=200)
    example.apply("nobody")
    example.person("no last year")
    example.slips("no last year", 2018, last=[None] * 6, this=290)
    return example


def yardsticks() -> Example:
    """Last year's 6×320 kWh are 718.08 kg; 6×319 are 715.836, 6×315 are 706.86, 6×310 are 695.64."""
    example = Example("yardsticks")

    def household(participant, joined, first, years, gas=False, before_kg=None):
        example.person(participant, joined=joined, gas=gas, before_kg=before_kg)
        for year, this in {2018: first, **years}.items():
            if this is not None:
                example.slips(participant, year, last=320, this=this)
                example.apply(participant, year)

    household("registered in February", "2019-02-10", None, {2019: 318, 2020: 315})
    household("autumn, six months of slips", "2018-09-10", 318, {2019: 319})
    household("autumn, slips of winter", "2018-09-10", [None, None, None, 318, 318, 318], {2019: 319})
    household("noted figure, not below", "2018-06-01", 318, {2019: 315}, before_kg="706.86")
    household("noted figure, below", "2018-06-01", 318, {2019: 315}, before_kg="706.860001")
    household("former member with a noted figure", "2016-05-10", 318, {2019: 315}, before_kg=710)
    household("year without an application", "2018-06-01", 318, {2020: 315, 2021: 310})
    household("gas in all months but one", "2018-06-01", 318, {2019: 315, 2020: 315}, gas=True)
    example.slips("gas in all months but one", 2018, last=20, this=20, utility="gas")
    example.slips("gas in all months but one", 2019, last=20, this=[20, 20, 20, 20, 20, None], utility="gas")
    example.slips("gas in all months but one", 2020, last=20, this=20, utility="gas")
    example.person("refused in FY2019", joined="2018-06-01")
    for year, this, received in [(2018, 318, None), (2019, 310, "2020-06-01"), (2020, 315, None)]:
        example.slips("refused in FY2019", year, last=320, this=this)
        example.apply("refused in FY2019", year, on=received)
    return example


def places() -> Example:
    """P01 … P62 save 129, 128 … 68 kWh, P01 … P07 submit 59, 58 … 53 marks, P08 49."""
    example = Example("places")
    for place in range(1, 63):
        participant = f"P{place:02}"
        example.person(participant)
        example.slips(participant, 2018, last=300, this=[300 - (130 - place), *[300] * 5])
        example.apply(participant, marks=60 - place if place <= 7 else 49 if place == 8 else 0)
    for participant, this, received, marks in [
        ("Q1 saves nothing, 50 marks", 310, "2019-03-18", 50),
        ("Q2 saves nothing, 50 marks, earlier", 310, "2019-03-01", 50),
        ("Q3 saves nothing, 49 marks", 310, "2019-03-18", 49),
        ("Q4 saves most, refused", 100, "2019-06-01", 99),
    ]:
        example.person(participant)
        example.slips(participant, 2018, last=300, this=this)
        example.apply(participant, on=received, marks=marks)
    example.person("Q5 less than half a kg")
    example.slips("Q5 less than half a kg", 2018, last=300, this=[299, *[300] * 5])
    example.apply("Q5 less than half a kg")
    return example


def windows() -> Example:
    example = Example("windows")
    for participant, moved_out, received in [
        ("day before the last of February", None, "2020-02-28"),
        ("29 February", None, "2020-02-29"),
        ("moved on 28 February 2019, first day", "2019-02-28", "2019-02-01"),
        ("moved on 28 February 2019, last day", "2019-02-28", "2019-05-31"),
        ("moved on 28 February 2019, day after", "2019-02-28", "2019-06-01"),
        ("moved on 30 November 2018, last day", "2018-11-30", "2019-02-28"),
        ("moved on 30 November 2018, day after", "2018-11-30", "2019-03-01"),
    ]:
        example.person(participant, moved_out=moved_out)
        example.apply(participant, 2019 if moved_out is None else 2018, on=received, reports=ALL_MONTHS)
    return example


def changed_rule() -> Example:
    example = Example("changed_rule")
    example.person("N1")
    for year, last, this in [(2018, 300, 280), (2019, 280, 260)]:
        example.slips("N1", year, last=last, this=this)
        example.apply("N1", year)
    return example


def changed_figures() -> Example:
    example = Example("changed_figures")
    example.person("N1")
    for year, last, this in [(2018, 300, 280), (2019, 280, 260)]:
        example.slips("N1", year, last=last, this=this)
        example.apply("N1", year, marks=7, reports=ALL_MONTHS)
    return example


def stickers() -> Example:
    example = Example("stickers")
    for participant, received in [("accepted", None), ("refused", "2019-06-01"), ("no application", "")]:
        example.person(participant)
        example.act(participant, "2018-11-10", "eco_fair", 4)
        example.act(participant, "2018-11-10", "advice_eco_fair", 4)
        if received != "":
            example.apply(participant, on=received)
    return example


def world(program_id: str, saves: int = 0, more: bool = False, again: bool = False, turned: bool = False) -> Example:
    """Twelve households over three years. ``saves``: kWh that N05 saves beside in July 2019; ``more``: a household that
    saves nothing; ``again``: everybody applies once more, later; ``turned``: the rows of every table turned round."""
    example = Example(program_id)
    for number in range(12):
        participant = f"N{number:02}"
        example.person(participant, joined=f"201{6 + number % 3}-05-1{number % 9}", gas=number % 2 == 0)
        example.opening(participant, "2017-02-15", 37 * number)
        for year in (2018, 2019, 2020):
            beside = saves if (number, year) == (5, 2019) else 0
            this = [300 - 4 * number + 3 * (year - 2018) - beside, *[300 - number] * 5]
            example.slips(participant, year, last=300, this=this)
            if number % 2 == 0:
                example.slips(participant, year, last=40, this=38 + (number + year) % 5, utility="gas")
            example.apply(participant, year, marks=9 * number, reports=ALL_MONTHS[: 2 * (number % 4)].strip() or None)
            if again:
                example.apply(participant, year, on=f"{year + 1}-05-20", marks=99, reports=ALL_MONTHS)
        example.act(participant, "2018-11-10", "eco_fair", 1 + number % 4)
        example.act(participant, "2018-11-11", "advice_eco_fair")
        example.act(participant, "2018-11-10", "advice_eco_fair")
    if more:
        example.person("M1")
        for year in (2018, 2019, 2020):
            example.slips("M1", year, last=300, this=310)
            example.apply("M1", year, reports=ALL_MONTHS)
    if turned:
        example.rows = {table: rows[::-1] for table, rows in example.rows.items()}
    return example


WORLDS = ["base", "saves", "more", "again", "turned"]
EXAMPLES = [factors(), listed(), yardsticks(), places(), windows(), changed_rule(), changed_figures(), stickers()]
EXAMPLES += [world("base"), world("saves", saves=40), world("more", more=True), world("again", again=True)]
EXAMPLES += [world("turned", turned=True)]
CHANGES = {
    "factors": {
        "emission_factors": [
            {"utility": "electricity", "valid_from": "2018-10", "kg_co2_per_unit": "0.4"},
            {"utility": "electricity", "valid_from": "2019-04", "kg_co2_per_unit": "0.5"},
            {"utility": "electricity", "valid_from": "2019-05", "kg_co2_per_unit": "0.6"},
        ]
    },
    "changed_figures": {
        "point_rules": [
            {"valid_from": "FY2019", "points_per_kg": "25", "points_per_report": "300", "points_per_eco_mark": "6"}
        ]
    },
    "changed_rule": {"point_rules": [{"valid_from": "FY2019", "points_per_kg": "25", "redemption_unit": "1000"}]},
}


@pytest.fixture(scope="module")
def query(tmp_path_factory):
    """``query(sql, *parameters)`` over the built examples: a list of tuples."""
    connection = built.connect(build(tmp_path_factory.mktemp("sentences"), EXAMPLES, CHANGES))
    yield lambda sql, *parameters: connection.execute(sql, parameters).fetchall()
    connection.close()


@pytest.fixture(scope="module")
def points(query):
    """``points(program, participant, year)``: award type -> points."""
    sql = (
        "select award_type, points from intermediate.int_application_awards"
        " where program_id = ? and participant_id = ? and period_id = ?"
    )
    return lambda program, participant, year=2018: dict(query(sql, program, participant, f"FY{year}"))


def test_aprils_factor_converts_both_years_usage_of_the_whole_fiscal_year(query):
    # FY2018: 1,800 and 1,680 kWh by 0.374, though October brings 0.4; FY2019: 1,680 and 1,560 kWh by 0.5
    assert query(
        "select period_id, baseline_co2_kg, actual_co2_kg, co2_reduction_kg from intermediate.int_slip_reductions"
        " where program_id = 'factors' order by period_id"
    ) == [
        ("FY2018", Decimal("673.2"), Decimal("628.32"), Decimal("44.88")),
        ("FY2019", Decimal(840), Decimal(780), Decimal(60)),
    ]
    assert query(
        "select usage_month, co2_kg from intermediate.int_slip_usage where program_id = 'factors'"
        " and usage_month in ('2019-02-01', '2019-07-01') order by usage_month"
    ) == [(date(2019, 2, 1), Decimal("104.72")), (date(2019, 7, 1), Decimal(130))]


def test_who_is_listed(query):
    assert query(
        "select participant_id, utility, status, months_evaluated from intermediate.int_slip_reductions"
        " where program_id = 'listed' order by all"
    ) == [
        ("gas slip, no gas", "electricity", "usage_missing", 0),
        ("no last year", "electricity", "usage_missing", 0),
        ("one utility's slips", "electricity", "evaluated", 6),
        ("one utility's slips", "gas", "usage_missing", 0),
        ("refused", "electricity", "usage_missing", 0),
        ("refused", "gas", "usage_missing", 0),
    ]
    assert query("select count(*) from intermediate.int_application_awards where program_id = 'listed'") == [(0,)]


@pytest.mark.parametrize(
    ("participant", "by_year"),
    [
        # the fiscal year of registration is the one before taking part
        ("registered in February", [None, None, 300, None]),
        ("autumn, six months of slips", [None, 300, None, None]),
        ("autumn, slips of winter", [None] * 4),
        ("noted figure, not below", [None] * 4),
        ("noted figure, below", [None, 300, None, None]),
        ("former member with a noted figure", [None, 300, None, None]),
        ("year without an application", [None, None, 300, 600]),
        ("gas in all months but one", [None, None, 300, None]),
        ("refused in FY2019", [None, None, 300, None]),
    ],
)
def test_what_continuity_is_measured_by(points, participant, by_year):
    assert [points("yardsticks", participant, year).get("continuity") for year in range(2018, 2022)] == by_year


@pytest.mark.parametrize(
    ("place", "top", "marks"),
    [
        (1, 3000, 1000), (5, 3000, 1000), (6, 2000, None), (20, 2000, None), (21, 1000, None), (60, 1000, None),
        (61, None, None), (62, None, None),
    ],
)  # fmt: skip
def test_points_by_place(query, points, place, top, marks):
    awards = points("places", f"P{place:02}")
    assert (awards.get("top_performer"), awards.get("eco_mark_top")) == (top, marks)
    assert query(
        "select rank, is_top_performer, is_commended from intermediate.int_application_rankings"
        " where program_id = 'places' and participant_id = ? and ranking_id = 'co2_reduction'",
        f"P{place:02}",
    ) == [(place, place <= 60, place <= 5)]


def test_places_of_eco_marks(query):
    ranked = query(
        "select rank, participant_id, score, is_commended from intermediate.int_application_rankings"
        " where program_id = 'places' and ranking_id = 'eco_marks' order by rank"
    )
    assert ranked == [(place, f"P{place:02}", Decimal(60 - place), place <= 5) for place in range(1, 8)] + [
        (8, "Q2 saves nothing, 50 marks, earlier", Decimal(50), False),
        (9, "Q1 saves nothing, 50 marks", Decimal(50), False),
    ]


def test_points_by_place_are_certified_in_autumn_the_others_with_the_application(query):
    assert query(
        "select certified_on, list(award_type order by award_type) from intermediate.int_application_awards"
        " where program_id = 'places' and participant_id = 'P01' group by certified_on order by certified_on"
    ) == [
        (date(2019, 4, 15), ["bonus", "co2_reduction", "eco_mark"]),  # 129 of 1,800 kWh: 7.2 %
        (date(2019, 10, 1), ["eco_mark_top", "top_performer"]),
    ]


def test_a_saving_of_less_than_half_a_kg_is_ranked_and_earns_no_points(query, points):
    assert points("places", "Q5 less than half a kg") == {}
    assert query(
        "select rank, score from intermediate.int_application_rankings where program_id = 'places'"
        " and participant_id = 'Q5 less than half a kg'"
    ) == [(63, Decimal("0.374"))]
    assert points("places", "Q3 saves nothing, 49 marks") == {"eco_mark": 245}


def test_the_lottery_is_of_savers_and_collectors_and_twenty_win(query):
    entered = [f"P{place:02}" for place in range(1, 63)]
    entered += ["Q1 saves nothing, 50 marks", "Q2 saves nothing, 50 marks, earlier", "Q5 less than half a kg"]
    drawn = sorted(entered, key=lambda participant: hashlib.sha256(f"nakano-FY2018:{participant}".encode()).hexdigest())
    assert query(
        "select participant_id, draw_order, is_winner from marts.fct_lottery_entries where program_id = 'places'"
        " order by draw_order"
    ) == [(participant, order, order <= 20) for order, participant in enumerate(drawn, start=1)]


@pytest.mark.parametrize(
    ("participant", "status", "certified_on", "report_points"),
    [
        ("day before the last of February", "outside_window", None, None),
        ("29 February", "accepted", "2020-03-15", 1500),
        ("moved on 28 February 2019, first day", "accepted", "2019-03-15", 1250),
        ("moved on 28 February 2019, last day", "accepted", "2019-06-15", 1250),
        ("moved on 28 February 2019, day after", "outside_window", None, None),
        ("moved on 30 November 2018, last day", "accepted", "2019-03-15", 750),
        ("moved on 30 November 2018, day after", "outside_window", None, None),
    ],
)
def test_windows(query, points, participant, status, certified_on, report_points):
    ((found, on, period),) = query(
        "select status, certified_on, period_id from marts.fct_applications"
        " where program_id = 'windows' and participant_id = ?",
        participant,
    )
    assert (found, on) == (status, certified_on and date.fromisoformat(certified_on))
    assert points("windows", participant, int(period[2:])).get("action_report") == report_points


def test_a_changed_rule_holds_from_its_year_on(query):
    # FY2018: 45 kg × 20, 6.67 % of 673.2 kg, rank 1: 4,400, in units of 500.
    # FY2019: 45 × 25, 7.14 %, first year below 673.2 kg, rank 1: 4,925; with 400 left, in units of 1,000.
    assert query(
        "select period_id, map(list(award_type order by award_type), list(points order by award_type))"
        " from intermediate.int_application_awards where program_id = 'changed_rule' group by all order by all"
    ) == [
        ("FY2018", {"bonus": 500, "co2_reduction": 900, "top_performer": 3000}),
        ("FY2019", {"bonus": 500, "co2_reduction": 1125, "continuity": 300, "top_performer": 3000}),
    ]
    assert query(
        "select opening_points, earned_points, redeemed_points, closing_points from marts.fct_point_balances"
        " where program_id = 'changed_rule' order by period_id"
    ) == [(0, 4400, 4000, 400), (400, 4925, 5000, 325)]


def test_a_sticker_has_its_worth_without_an_accepted_application_and_pays_only_with_one(query, points):
    worth = query(
        "select participant_id, action_code, status, points from marts.fct_actions where program_id = 'stickers'"
        " order by all"
    )
    assert worth == [
        (participant, code, "accepted", value)
        for participant in ("accepted", "no application", "refused")
        for code, value in (("advice_eco_fair", 500), ("eco_fair", 200))
    ]
    paid = {participant: points("stickers", participant) for participant in ("accepted", "no application", "refused")}
    assert paid == {"accepted": {"environmental_action": 700}, "no application": {}, "refused": {}}


@pytest.mark.parametrize(
    ("award_type", "year", "words"),
    [
        # 6×20 kWh are 44.88 kg: 45; 45 × 20 and 45 × 25; six months, seven marks
        ("co2_reduction", 2018, "1kgにつき20ポイント）: 900ポイント"),
        ("co2_reduction", 2018, "(counted as 45 kg, 20 points each): 900 points"),
        ("co2_reduction", 2019, "1kgにつき25ポイント）: 1125ポイント"),
        ("action_report", 2018, "6か月分、1か月250ポイント: 1500ポイント"),
        ("action_report", 2019, "6 months, 300 points each: 1800 points"),
        ("eco_mark", 2018, "7 EcoMarks, 5 points each: 35 points"),
        ("eco_mark", 2019, "7枚、1枚6ポイント: 42ポイント"),
    ],
)
def test_a_sentence_names_the_figures_of_the_policy_in_force(query, award_type, year, words):
    ((explanation,),) = query(
        "select explanation from intermediate.int_application_awards where program_id = 'changed_figures'"
        " and award_type = ? and period_id = ?",
        award_type,
        f"FY{year}",
    )
    assert words in explanation


# What must not change

RESULTS = {
    "fct_applications": "period_id, application_id, status, certified_on",
    "int_application_awards": "period_id, participant_id, award_type, utility, points, certified_on, explanation",
    "fct_point_balances": "period_id, participant_id, opening_points, earned_points, expired_points, redeemed_points, "
    "closing_points",
    "int_application_rankings": "period_id, ranking_id, rank, participant_id, score",
    "fct_lottery_entries": "period_id, participant_id, draw_key, draw_order, is_winner",
    "fct_actions": "period_id, participant_id, action_code, acted_on, status, points",
}


def _rows(query, table: str, program_id: str, condition: str = "true") -> list[tuple]:
    schema = "marts" if table.startswith("fct_") else "intermediate"
    sql = f"select {RESULTS[table]} from {schema}.{table} where program_id = ? and {condition} order by all"
    return query(sql, program_id)


def test_the_worlds_reach_the_rules(query):
    assert {award for (award,) in query(
        "select distinct award_type from intermediate.int_application_awards where program_id = 'base'"
    )} == {
        "co2_reduction", "action_report", "bonus", "continuity", "eco_mark", "environmental_action", "top_performer",
        "eco_mark_top",
    }  # fmt: skip
    assert query(
        "select count(*) > 0 from marts.fct_point_balances where program_id = 'base' and expired_points > 0"
    ) == [(True,)]


@pytest.mark.parametrize("table", RESULTS)
def test_the_order_of_rows_changes_nothing(query, table):
    assert _rows(query, table, "turned") == _rows(query, table, "base") != []


@pytest.mark.parametrize("table", RESULTS)
def test_applying_again_later_changes_nothing(query, table):
    assert _rows(
        query, table, "again", "true" if table != "fct_applications" else "status <> 'duplicate_application'"
    ) == (_rows(query, table, "base"))


@pytest.mark.parametrize("table", RESULTS)
def test_somebody_who_saves_nothing_changes_nothing_for_the_others(query, table):
    others = "application_id not like 'M1%'" if table == "fct_applications" else "participant_id <> 'M1'"
    assert _rows(query, table, "more", others) == _rows(query, table, "base")


def test_saving_more_earns_more_and_takes_only_places_from_others(query, points):
    before, after = points("base", "N05", 2019), points("saves", "N05", 2019)
    assert after["co2_reduction"] == before["co2_reduction"] + 300  # 42 kWh, 15.7 kg: 16; 82 kWh, 30.7 kg: 31
    assert all(after[award] >= value for award, value in before.items())
    others = "participant_id <> 'N05' and award_type <> 'top_performer'"
    assert _rows(query, "int_application_awards", "saves", others) == _rows(
        query, "int_application_awards", "base", others
    )


@pytest.mark.parametrize("program_id", [*WORLDS, "places", "changed_rule", "yardsticks"])
def test_accounts_add_up(query, program_id):
    balances = query(
        "select participant_id, period_id, opening_points, expired_points, earned_points, redeemed_points,"
        " closing_points from marts.fct_point_balances where program_id = ? order by participant_id, period_id",
        program_id,
    )
    assert balances
    closing_of: dict[str, int] = {}
    for participant, period, opening, expired, earned, redeemed, closing in balances:
        assert closing == opening - expired + earned - redeemed, (participant, period)
        assert min(opening, expired, earned, redeemed, closing) >= 0 and expired <= opening
        assert opening == closing_of.get(participant, opening)
        closing_of[participant] = closing


def test_no_award_is_without_points_or_without_an_accepted_application(query):
    assert query("select count(*) from intermediate.int_application_awards where points <= 0") == [(0,)]
    assert query(
        "select count(*) from intermediate.int_application_awards as w anti join marts.fct_applications as a"
        " on a.program_id = w.program_id and a.period_id = w.period_id and a.participant_id = w.participant_id"
        " and a.status = 'accepted'"
    ) == [(0,)]
