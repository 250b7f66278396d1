"""The worked examples K1 to K12 as members and readings. Participants are named ``K1-E1``.

Where the outcome depends on the region (budget, incentive types offered, rankings) the case has a region of its own, in
``REGIONS``; where it depends on the programme's policy, or on all of its participants, it is in ``other_anchor``.
"""

from __future__ import annotations

from tests.blackbox.korea import Korea, aggregated

# region -> what its policy row differs in
REGIONS: dict[str, dict[str, str]] = {
    "48011": {"budget_won": "73500"},
    "48012": {"budget_won": "73499"},
    "48013": {"budget_won": "61000"},
    "48021": {"incentive_types": "cash voucher"},
    "48022": {"incentive_types": "cash green_card", "default_incentive_type": "green_card"},
    "48031": {},  # complexes
    "48041": {},  # ranking
    "48051": {},  # refusals and snapshots
}
BUDGETS = {"73500": "48011", "73499": "48012", "61000": "48013"}


def add_regions(rows: list[dict[str, str]]) -> None:
    """A change of ``region_policies``."""
    shipped = next(row for row in rows if row["region_code"] == "48170")
    for region, differs in REGIONS.items():
        rows.append(shipped | {"region_code": region, "region_name": f"시험 {region}"} | differs)


def examples() -> Korea:
    world = Korea()
    for case in (k1, k2, k3, k4, k5, k6, k7, k8, k9, k10, k11, k12):
        case(world)
    return world


def other_anchor(prefix: str) -> Korea:
    """For a programme whose anchor is ``period_start``; W1 of K7 uses a little more."""
    world = Korea(prefix, first_meter=5001)
    _k2_member(world, "K2-A2", "")
    k7(world, w1_december="6.001")
    return world


def k1(k: Korea) -> None:
    for who, used in {"K1-E1": [380] * 6, "K1-E2": [380] * 5 + ["380.001"]}.items():
        k.person(who).use(who, "2018-07", [410] * 6).use(who, "2019-07", [390] * 6).use(who, "2020-07", used)


def _k2_member(k: Korea, who: str, moved_in: str) -> None:
    k.person(who, 가입일자="2021.02.17", 전입일자=moved_in)
    for year, usage in {2019: 320, 2020: 300, 2021: 260, 2022: 250, 2023: 240}.items():
        k.use(who, f"{year}-01", [usage] * 6)


def k2(k: Korea) -> None:
    for who, moved_in in {"K2-A1": "", "K2-A3": "20200131", "K2-A4": "2020/02/15"}.items():
        _k2_member(k, who, moved_in)


def k3(k: Korea) -> None:
    for who, moved_in in {"K3-M1": "2018-09-01", "K3-M2": "2018-08-31", "K3-M3": ""}.items():
        k.person(who, 전입일자=moved_in).use(who, "2018-07", [480, 480, 340, 220, 220, 220])
        k.use(who, "2019-07", [240] * 6).use(who, "2020-07", [216] * 6)


def k4(k: Korea) -> None:
    """September 2020 comes in MJ: 796.0935 / 43.5 = 18.301."""
    k.person("K4-G1", "gas", 가입일자="2021-05-06").use("K4-G1", "2019-12", ["60.120"], "gas")
    k.use("K4-G1", "2020-09", [("796.0935", "", "MJ"), "25.333", "41.087", "58.275"], "gas")
    k.use("K4-G1", "2021-07", ["26.750"] * 6, "gas")
    k.person("K4-CX1", "gas", 참여유형="단지(아파트)", 가입일자="2020-03-12", 세대수="100", 단지코드="KCX1")
    k.use("K4-CX1", "2019-08", ["1,000"] * 6 + ["1,000.1"], "gas").use("K4-CX1", "2020-07", [950] * 12, "gas")


def k5(k: Korea) -> None:
    def member(who: str, used=(200,) * 6, baseline=(210,) * 6, tariff: str = "", **values: str) -> None:
        months = [(usage, tariff if n == 2 else "") if usage is not None else None for n, usage in enumerate(used)]
        k.person(who, **values).use(who, "2018-07", list(baseline)).use(who, "2020-07", months)

    december_missing = [200] * 5 + [None]
    member("K5-S1", december_missing, 탈퇴일자="2020-12-31")
    member("K5-S2", tariff="심야전력", 가입일자="2020-07-01")
    member("K5-S3", december_missing, tariff="심야 전력(을)")
    member("K5-S4", december_missing, [210] * 2)
    member("K5-S5", baseline=[210] * 2)
    member("K5-S6", baseline=[0] * 3)
    member("K5-S7", 탈퇴일자="2021-01-01")
    member("K5-S8", 탈퇴일자="2020-06-30")
    member("K5-other")
    k.use("K5-other", "2021-01", [200])


def k6(k: Korea) -> None:
    """5 % of 200 are 10: 6×190."""
    histories = {
        "K6-T1": ("개인(만14세이상)", ["190", "188", "190", "186", "194", "194"]),
        "K6-T2": ("국내거주외국인", ["190.2", "188", "190", "186", "194", "192"]),
        "K6-T3": ("개인 (만14세이상)", ["196", "192", "200", "190", "184", "194"]),
        "K6-T4": ("상업시설", ["196", "192", "200", "190", "184", "194"]),
        "K6-T5": ("공공기관", ["196", "190", "188", "190", "184", "194"]),
    }
    for who, (kind, used) in histories.items():
        k.person(who, 참여유형=kind, 가입일자="2019-12-03").use(who, "2018-01", [200] * 12)
        k.use(who, "2020-01", [usage for half_year in used for usage in [half_year] * 6])


def k7(k: Korea, w1_december: str = "6") -> None:
    def member(who: str, before: int, used: list, **values: str) -> None:
        k.person(who, "water", 가입일자="2022-03-02", **values)
        k.use(who, "2021-07", [before] * 6, "water").use(who, "2022-07", used, "water")

    member("K7-W1", 5, [6] * 5 + [w1_december])
    member("K7-W2", 13, [12] * 6)
    member("K7-W3", 16, [15] * 6, 행정구역코드="43110", 참여유형="개인(만14세미만)")
    member("K7-W4", 10, [15] * 6)
    member("K7-W5", 10, [1] * 5 + [None])
    member("K7-W6", 8, [4] * 6, 참여유형="상업시설")


def k8(k: Korea) -> None:
    members = {
        "B1": {"electricity": 80, "water": 80, "gas": 80},
        "B2": {"electricity": 95, "water": 95},
        "B3": {"gas": 90},
    }
    for budget, region in BUDGETS.items():
        for name, used in members.items():
            who = f"K8-{budget}-{name}"
            chosen = "" if name == "B3" else "현금"
            k.person(who, " ".join(used), 행정구역코드=region, 인센티브유형=chosen)
            for utility, usage in used.items():
                k.use(who, "2019-07", [100] * 6, utility).use(who, "2021-07", [usage] * 6, utility)


def k9(k: Korea) -> None:
    cases = {
        "H1": {"인센티브유형": ""},
        "H2": {"인센티브유형": "그린카드"},
        "H3": {"은행코드": "88", "예금주": "김철수"},
        "H4": {"계좌번호": "123-456-789"},
        "H5": {"예금주": "김철수"},
        "H6": {"예금주": "홍 길 동"},
        "H7": {"인센티브유형": "", "행정구역코드": "48022"},
        "H8": {"인센티브유형": "현물"},
    }
    for who, values in cases.items():
        who = f"K9-{who}"
        k.person(who, **({"행정구역코드": "48021"} | values))
        k.use(who, "2019-07", [200] * 6).use(who, "2020-07", [176] * 6)


def k10(k: Korea) -> None:
    k.person("K10-U1", "electricity water", 단지코드="K305", 동="2", 호="101", **aggregated("electricity"))
    both = aggregated("electricity") | aggregated("water") | {"상수도납부방식": "관리자합산"}
    k.person("K10-U2", "electricity water", 단지코드="K305", 동="21", 호="01", **both)
    for year, own, u1, u2 in [(2019, 15, (250, 11), (300, 20)), (2021, 14, (200, 11), (294, 19))]:
        for month in range(7, 13):
            k.flat("K305", "２", "１０１", f"{year}{month:02}", *u1, "")
            k.flat("K305", "21", "01", f"{year}{month:02}", *u2, "")
        k.use("K10-U1", f"{year}-07", [own] * 6, "water")


def k11(k: Korea) -> None:
    for name, last in {"X1": "1933.336", "X2": "1933.426"}.items():
        who, complex_code = f"K11-{name}", f"KC{name}"
        where = {"단지코드": complex_code, "행정구역코드": "48031"}
        k.person(who, 참여유형="단지(아파트)", 세대수="90", **where)
        k.use(who, "2019-04", [2250] * 12).use(who, "2020-07", ["1,933.334"] * 11 + [last])
        for number in range(70):
            k.person(f"{who}-{number:02}", **where)
        k.person(f"{who}-last-day", 가입일자="2021-06-30", **where)
        k.person(f"{who}-gone", 탈퇴일자="2021-06-30", **where)
        k.person(f"{who}-late", 가입일자="2021-07-01", **where)


def k12(k: Korea) -> None:
    for who, (baseline, saved) in {"C7": (250, 21), "C8": (400, 20), "C9": (250, 20), "C10": (250, 20)}.items():
        who = f"K12-{who}"
        k.person(who, 행정구역코드="48041").use(who, "2019-01", [baseline] * 12)
        k.use(who, "2022-01", [baseline - saved] * 12)
