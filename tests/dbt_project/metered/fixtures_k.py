"""The worked examples K1 to K12 as rows of the lake."""

from __future__ import annotations

from tests.dbt_project.metered.world import ELECTRICITY, WATER, Programme

SEP = "\x1f"  # between complex, building and unit in a meter key


def k1() -> Programme:
    k = Programme("k1")
    for who, used in {"E1": [380] * 6, "E2": [380] * 5 + ["380.001"]}.items():
        k.person(who).use(who, "2018-07", [410] * 6).use(who, "2019-07", [390] * 6).use(who, "2020-07", used)
    return k


def k2(anchor: str) -> Programme:
    k = Programme(f"k2_{anchor}")
    k.changes["baseline_policies"] = {"baseline_anchor": anchor}
    people = {"A1": None, "A3": "2020-01-31", "A4": "2020-02-15"} if anchor == "enrolment" else {"A2": None}
    for who, moved_in_on in people.items():
        k.person(who, joined_on="2021-02-17", moved_in_on=moved_in_on)
        for year, usage in {2019: 320, 2020: 300, 2021: 260, 2022: 250, 2023: 240}.items():
            k.use(who, f"{year}-01", [usage] * 6)
    return k


def k3() -> Programme:
    k = Programme("k3")
    for who, moved_in_on in {"M1": "2018-09-01", "M2": "2018-08-31", "M3": None}.items():
        k.person(who, moved_in_on=moved_in_on)
        k.use(who, "2018-07", [480, 480, 340, 220, 220, 220]).use(who, "2019-07", [240] * 6)
        k.use(who, "2020-07", [216] * 6)
    return k


def k4() -> Programme:
    k = Programme("k4")
    k.person("G1", ["gas"], joined_on="2021-05-06")
    k.use("G1", "2019-12", ["60.120"], "gas").use("G1", "2020-09", ["18.301", "25.333", "41.087", "58.275"], "gas")
    k.use("G1", "2021-07", ["26.750"] * 6, "gas")
    k.person("CX1", ["gas"], joined_on="2020-03-12", participant_type="complex_apartment", households=100)
    k.use("CX1", "2019-08", [1000] * 6 + ["1000.1"], "gas").use("CX1", "2020-07", [950] * 12, "gas")
    return k


def k5() -> Programme:
    k = Programme("k5")

    def member(who, used=(200,) * 6, baseline=(210,) * 6, tariff=None, **values):
        k.person(who, **values).use(who, "2018-07", baseline)
        k.use(who, "2020-07", used, tariffs={"2020-09": tariff} if tariff else None)

    december_missing = [200] * 5 + [None]
    member("S1", december_missing, withdrawn_on="2020-12-31")
    member("S2", tariff="심야전력", joined_on="2020-07-01")
    member("S3", december_missing, tariff="심야전력(을)")
    member("S4", december_missing, [210] * 2)
    member("S5", baseline=[210] * 2)
    member("S6", baseline=[0] * 3)
    member("S7", withdrawn_on="2021-01-01")
    member("S8", withdrawn_on="2020-06-30")
    member("other")
    k.use("other", "2021-01", [200])
    return k


def k6() -> Programme:
    k = Programme("k6")
    histories = {
        "T1": ("individual", ["190", "188", "190", "186", "194", "194"]),
        "T2": ("individual", ["190.2", "188", "190", "186", "194", "192"]),
        "T3": ("individual", ["196", "192", "200", "190", "184", "194"]),
        "T4": ("commercial", ["196", "192", "200", "190", "184", "194"]),
        "T5": ("commercial", ["196", "190", "188", "190", "184", "194"]),
    }
    for who, (kind, used) in histories.items():
        k.person(who, joined_on="2019-12-03", participant_type=kind).use(who, "2018-01", [200] * 12)
        k.use(who, "2020-01", [usage for half_year in used for usage in [half_year] * 6])
    return k


def k7(program_id: str, w1_december: str) -> Programme:
    k = Programme(program_id)

    def member(who, before, used, **values):
        k.person(who, ["water"], joined_on="2022-03-02", **values)
        k.use(who, "2021-07", [before] * 6, "water").use(who, "2022-07", used, "water")

    member("W1", 5, [6] * 5 + [w1_december])
    member("W2", 13, [12] * 6)
    member("W3", 16, [15] * 6, region_code="43110", participant_type="individual_minor")
    member("W4", 10, [15] * 6)
    member("W5", 10, [1] * 5 + [None])
    member("W6", 8, [4] * 6, participant_type="commercial")
    return k


def k8() -> Programme:
    """The same three members in a region each of the three budgets."""
    k = Programme("k8")
    for region, budget in {"48171": "73500", "48172": "73499", "48173": "61000"}.items():
        k.region(region, budget_won=budget)
        used = {
            "B1": {"electricity": 80, "water": 80, "gas": 80},
            "B2": {"electricity": 95, "water": 95},
            "B3": {"gas": 90},
        }
        for who, utilities in used.items():
            chosen = None if who == "B3" else "cash"
            k.person(f"{who}-{budget}", utilities, region_code=region, incentive_type=chosen)
            for utility, usage in utilities.items():
                k.use(f"{who}-{budget}", "2019-07", [100] * 6, utility)
                k.use(f"{who}-{budget}", "2021-07", [usage] * 6, utility)
    return k


def k9() -> Programme:
    k = Programme("k9")
    k.region("48170", incentive_types="cash voucher")
    k.region("48171", incentive_types="cash green_card", default_incentive_type="green_card")
    cases = {
        "H1": {"incentive_type": None},
        "H2": {"incentive_type": "green_card"},
        "H3": {"has_bank_account": False, "holder_matches": False, "account_key": None},
        "H4": {"has_bank_account": False, "account_key": None},
        "H5": {"holder_matches": False},
        "H6": {},
        "H7": {"incentive_type": None, "region_code": "48171"},
        "unknown type": {"incentive_type": "unknown"},
    }
    for who, values in cases.items():
        k.person(who, **values).use(who, "2019-07", [200] * 6).use(who, "2020-07", [176] * 6)
    return k


def k10() -> Programme:
    k = Programme("k10")
    k.person("U1", []).person("U2", [])
    flat1, flat2 = SEP.join(["K305", "2", "101"]), SEP.join(["K305", "21", "01"])
    k.meter("U1", "electricity", "이지스", flat1)
    k.meter("U1", "water", WATER, "U1")
    k.meter("U2", "electricity", "이지스", flat2)
    k.meter("U2", "water", "이지스", flat2)
    figures = [
        (flat1, "electricity", "이지스", 250, 200),
        (flat1, "water", "이지스", 11, 11),
        (flat2, "electricity", "이지스", 300, 294),
        (flat2, "water", "이지스", 20, 19),
        ("U1", "water", WATER, 15, 14),
        ("U1", "electricity", ELECTRICITY, 1, 1),
    ]
    for key, utility, provider, before, used in figures:
        k.use(key, "2019-07", [before] * 6, utility, provider).use(key, "2021-07", [used] * 6, utility, provider)
    return k


def k11() -> Programme:
    k = Programme("k11")
    for who, last in {"X1": "1933.336", "X2": "1933.426"}.items():
        values = {"participant_type": "complex_apartment", "households": 90, "complex_code": f"K-{who}"}
        k.person(who, **values).use(who, "2019-04", [2250] * 12)
        k.use(who, "2020-07", ["1933.334"] * 11 + [last])
        for number in range(70):
            k.person(f"{who}-{number:02}", [], complex_code=f"K-{who}")
        k.person(f"{who}-last day", [], complex_code=f"K-{who}", joined_on="2021-06-30")
        k.person(f"{who}-gone", [], complex_code=f"K-{who}", withdrawn_on="2021-06-30")
        k.person(f"{who}-late", [], complex_code=f"K-{who}", joined_on="2021-07-01")
    return k


def k12() -> Programme:
    k = Programme("k12")
    for who, (baseline, saved) in {"C7": (250, 21), "C8": (400, 20), "C9": (250, 20), "C10": (250, 20)}.items():
        k.person(who).use(who, "2019-01", [baseline] * 12).use(who, "2022-01", [baseline - saved] * 12)
    return k


EXAMPLES = [
    k1(), k2("enrolment"), k2("period_start"), k3(), k4(), k5(), k6(), k7("k7", "6"), k7("k7_over", "6.001"),
    k8(), k9(), k10(), k11(), k12(),
]  # fmt: skip
