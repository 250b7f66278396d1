"""Edges of the rules that the worked examples leave out: one programme per rule."""

from __future__ import annotations

from tests.dbt_project.metered.world import Programme


def baseline_policy_changes() -> Programme:
    """Anchored at enrolment to 2022H2, at the period's start from 2023H1 on; complex years have rows of their own."""
    k = Programme("anchor_changes")
    row = {"baseline_years": "2", "gap_fill": "mean_of_present"}
    k.policy["baseline_policies"] = [
        row | {"valid_from": "2009H2", "baseline_anchor": "enrolment", "baseline_min_months": "3"},
        row | {"valid_from": "2023H1", "baseline_anchor": "period_start", "baseline_min_months": "3"},
        row | {"valid_from": "2010C", "baseline_anchor": "enrolment", "baseline_min_months": "6"},
        row | {"valid_from": "2024C", "baseline_anchor": "period_start", "baseline_min_months": "6"},
    ]
    k.person("A", joined_on="2021-02-17")
    for year, usage in {2019: (320, 200), 2020: (300, 100), 2021: (260, 90), 2022: (250, 80), 2023: (240, 70)}.items():
        k.use("A", f"{year}-01", [usage[0]] * 6 + [usage[1]] * 6)
    k.person("CX", joined_on="2021-02-17", participant_type="complex_apartment", households=10)
    for year, usage in {2019: 320, 2020: 300, 2021: 260, 2022: 250, 2023: 240}.items():
        k.use("CX", f"{year}-01", [usage] * 12)
    k.use("CX", "2024-01", [240] * 6)
    return k


def tariffs() -> Programme:
    k = Programme("tariffs")
    farm = {f"2018-{month:02}": "농사용(갑)" for month in range(7, 13)}
    k.person("was a farm").use("was a farm", "2018-07", [100] * 6, tariffs=farm)
    k.use("was a farm", "2019-07", [120] * 6).use("was a farm", "2020-07", [114] * 6)
    for who, tariff in {"cooks": "취사용", "heats and cooks": "취사난방용", "heats": "난방용"}.items():
        k.person(who, ["gas"]).use(who, "2019-07", [100] * 6, "gas")
        k.use(who, "2020-07", [90] * 6, "gas", tariffs={"2020-09": tariff})
    return k


def memberships() -> Programme:
    k = Programme("memberships")
    dates = {
        "in and out": ("2020-07-15", "2020-12-01"),
        "out on the first day": ("2020-04-08", "2020-07-01"),
        "in on the last day": ("2020-12-31", None),
        "in the day before": ("2020-06-30", None),
        "in the day after": ("2021-01-01", None),
    }
    for who, (joined_on, withdrawn_on) in dates.items():
        k.person(who, joined_on=joined_on, withdrawn_on=withdrawn_on)
        k.use(who, "2019-07", [100] * 6).use(who, "2020-07", [90] * 6)
    return k


def stays() -> Programme:
    """Moved in after joining: no month before joining counts, so the period's start is the anchor."""
    k = Programme("stays")
    k.person("late", moved_in_on="2020-10-05").use("late", "2020-07", [200] * 4 + [100] * 2)
    k.use("late", "2021-07", [110] * 4 + [120] * 2).use("late", "2022-07", [99] * 6)
    return k


def complexes() -> Programme:
    """Complex years fill gaps from 6 months on, and take the region's row in force when they begin."""
    k = Programme("complexes")
    k.region("48170", budget_won="1")
    k.region("48170", valid_from="2021H1", budget_won="1", incentive_types="voucher")
    for months in (5, 6):
        who = f"{months} months"
        k.person(who, participant_type="complex_apartment", households=0).use(who, "2019-07", [1000] * months)
        k.use(who, "2020-07", [900] * 12)
    k.person("11 months", participant_type="complex_apartment").use("11 months", "2019-04", [1000] * 12)
    k.use("11 months", "2020-07", [900] * 11)
    return k


def published() -> Programme:
    """One member each who uses what a whole municipality did."""
    k = Programme("published")
    utilities = ["electricity", "water", "gas"]
    k.person("Cheongdo 2023H2", utilities, joined_on="2021-05-03")
    for utility, before, used in (
        ("electricity", 500_000, [455_000] * 5 + [453_000]),  # 272,000 saved
        ("water", 1000, [967] * 5 + [969]),  # 196
        ("gas", 1000, [926] * 5 + [927]),  # 443
    ):
        k.use("Cheongdo 2023H2", "2020-07", [before] * 6, utility).use("Cheongdo 2023H2", "2023-07", used, utility)
    k.person("Changwon 2018H1", utilities[:2], joined_on="2017-05-02", region_code="43110")
    for utility, before, used in (
        ("electricity", 10_000_000, [7_000_000] * 5 + [7_178_000]),  # 17,822,000
        ("water", 500_000, [350_000] * 5 + [322_000]),  # 928,000
    ):
        k.use("Changwon 2018H1", "2016-01", [before] * 6, utility).use("Changwon 2018H1", "2018-01", used, utility)
    return k


def caps() -> Programme:
    """A fifth less of everything, all the time."""
    k = Programme("caps")
    for kind in ("individual", "commercial"):
        utilities = ["electricity", "water", "gas"]
        k.person(kind, utilities, participant_type=kind, joined_on="2017-05-02")
        for utility in utilities:
            k.use(kind, "2016-01", [100] * 12, utility).use(kind, "2018-01", [80] * 72, utility)
    return k


EDGES = [baseline_policy_changes(), tariffs(), memberships(), stays(), complexes(), published(), caps()]
