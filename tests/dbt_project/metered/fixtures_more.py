"""What the worked examples leave out: totals by region, what is reported, what batches have paid."""

from __future__ import annotations

from tests.dbt_project.metered.world import Programme


def totals() -> Programme:
    k = Programme("totals")
    k.person("A1").use("A1", "2019-07", [100] * 6).use("A1", "2020-07", [90] * 6).use("A1", "2022-07", [10])
    k.person("A2", ["electricity", "gas"]).use("A2", "2019-07", [100] * 6).use("A2", "2020-07", [98] * 6)
    k.use("A2", "2019-07", [50] * 6, "gas").use("A2", "2020-07", [60] * 6, "gas")
    k.person("A3").use("A3", "2020-07", [100] * 5)
    # a tenant's readings before the move count for nothing, but are the meter's
    k.person("A4", region_code="43110", moved_in_on="2020-08-15").use("A4", "2020-07", [1, 2, 3, 4, 5, 6])
    return k


def reported() -> Programme:
    k = Programme("reported")
    k.region("48170", utilities="electricity water")
    k.region("48171", valid_from="2021H1")
    k.source("electricity", "한국전력")
    k.source("gas", "도시가스")
    k.person("matched", ["electricity", "gas"]).use("matched", "2020-07", [1]).use("matched", "2021-01", [1])
    k.person("no reading")
    k.person("gone without reading", withdrawn_on="2021-01-05")
    k.person("unknown provider", [])
    k.meter("unknown provider", "electricity", "다른전력", "unknown provider")
    k.person("provider of another utility", [])
    k.meter("provider of another utility", "gas", "한국전력", "provider of another utility")
    k.person("late region", region_code="48171")
    k.person("no region", region_code="99999")
    k.person("left before", region_code="99999", withdrawn_on="2020-06-30")
    k.person("joined after", region_code="99999", joined_on="2021-02-01")
    k.person("complex", region_code="99999", participant_type="complex_apartment")
    return k


def paid() -> Programme:
    """Each saves 12 % of 1,200 kWh: 10,000 points, in 48171 of a budget that is too small by now."""
    k = Programme("paid")
    k.region("48170")
    k.region("48171", budget_won="1000")

    def member(who, **values):
        k.person(who, **values).use(who, "2019-07", [200] * 6).use(who, "2020-07", [176] * 6)

    for who in ("paid", "sent back", "new account since", "one of two sent back"):
        member(who)
    member("rate is fixed", region_code="48171")
    k.issue("2020H2", 1, "paid", 20000)
    k.issue("2020H2", 2, "sent back", 20000)
    k.issue("2020H2", 3, "new account since", 20000, payee_key="the old account")
    k.issue("2020H2", 4, "one of two sent back", 12000, payee_key="an old account")
    k.issue("2020H2", 1, "one of two sent back", 8000, batch_id="2020H2-002")
    k.issue("2020H2", 5, "rate is fixed", 9000, region_code="48171", won_per_point="1.80")
    member("moved here since it was paid")
    k.issue("2020H2", 6, "moved here since it was paid", 18000, region_code="48171", won_per_point="1.80")
    member("named before it was issued")
    k.issue("2020H2", 7, "named before it was issued", 20000)
    k.send_back("2020H2-001", 7, received_at="2021-11-30 23:59:59")
    for line_no in (2, 3, 4):
        k.send_back("2020H2-001", line_no)
    return k


def sentences() -> Programme:
    """Figures of policy that sentences name, each another than the shipped one."""
    k = Programme("sentences")
    k.changes["maintenance_rules"] = {"streak_rate": "0.04"}
    k.changes["standard_usage_rules"] = {"share_of_average": "0.6"}
    k.changes["complex_rules"] = {"reduction_weight": "0.7", "participation_weight": "0.3"}
    k.person("streak", joined_on="2019-12-03").use("streak", "2018-01", [200] * 12)
    k.use("streak", "2021-07", [192] * 12).use("streak", "2022-07", [194] * 6)
    for who, before, used in [("little", 5, 6), ("much", 16, 14)]:
        k.person(who, ["water"], joined_on="2022-03-02").use(who, "2021-07", [before] * 6, "water")
        k.use(who, "2022-07", [used] * 6, "water")
    k.person("block", participant_type="complex_apartment", households=10, complex_code="K-block")
    k.use("block", "2019-04", [100] * 12).use("block", "2020-07", [90] * 12)
    for number in range(5):
        k.person(f"block-{number}", [], complex_code="K-block")
    return k


MORE = [totals(), reported(), paid(), sentences()]
