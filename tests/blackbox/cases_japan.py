"""The worked examples J1 to J9 as slips, applications and actions. Participants are named ``J1-N1``.

Rankings are by everybody of a programme, and rounding and netting are policy: those cases have programmes of their own.
"""

from __future__ import annotations

from tests.blackbox.japan import Japan

# programme of its own -> (prefix of its sources, changes of point_rules)
VARIANTS = {
    "ranking": ("r_", {}),
    "per_utility": ("u_", {"netting": "per_utility"}),
    "floor": ("f_", {"kg_rounding": "floor"}),
    "none": ("n_", {"kg_rounding": "none"}),
}
J7 = [
    ("2018-06-14", "oil_ward_office", 1, "before_registration", 0),
    ("2018-06-15", "oil_ward_office", 2, "accepted", 200),
    ("2018-06-16", "oil_ward_office", 1, "outside_action_period", 0),
    ("2018-10-13", "advice_flower_festival_autumn", 4, "accepted", 500),
    ("2018-10-14", "advice_flower_festival_autumn", 1, "household_once", 0),
    ("2018-11-10", "advice_eco_fair", 1, "accepted", 500),
    ("2018-11-10", "eco_fair", 4, "accepted", 200),
    ("2019-03-19", "green_class", 1, "after_application", 0),
]


def examples() -> Japan:
    world = Japan()
    for case in (j1, j2, j3, j4, j5, j6, j7, j9):
        case(world)
    return world


def variant(name: str) -> Japan:
    world = Japan(VARIANTS[name][0])
    {"ranking": j8, "per_utility": j3, "floor": j4, "none": j4}[name](world)
    return world


def j1(j: Japan) -> None:
    j.person("J1-N1", "2018-07-31").person("J1-N2", "平成30年8月1日").person("J1-N3", "H30.12.31")
    j.person("J1-N4", "H31.1.1").person("J1-N5", "2016-05-10", former="2018/08/10")
    for who in ("J1-N1", "J1-N2", "J1-N3", "J1-N4", "J1-N5"):
        for year in (2018, 2019):
            j.slips(who, year, 300, 290).apply(who, year, reports=6)


J2 = {
    "N1": ("2018-12-31", "2019-03-31"),
    "N2": ("2019.01.01", "H31.4.1"),
    "N3": ("20181231", "2018-12-01"),
    "N4": ("平成30年12月31日", "2019-04-01"),
    "N5": ("2019-03-01", "令和元年5月31日"),
    "N6": ("2018-07-31", "2018-08-02"),
}


def j2(j: Japan) -> None:
    for name, (moved_out, received) in J2.items():
        who = f"J2-{name}"
        j.person(who, moved_out=moved_out).slips(who, 2018, 300, 280).apply(who, on=received, reports=6)
    j.person("J2-N7").slips("J2-N7", 2018, 300, 280)
    j.apply("J2-N7", on="2019-02-27").apply("J2-N7", electricity="無")
    j.apply("J2-N7", on="2019-03-25").apply("J2-N7", on="2019-04-02")


def j3(j: Japan) -> None:
    j.person("J3-N1", gas="有").slips("J3-N1", 2018, 300, 275).slips("J3-N1", 2018, 40, 42, "ガス")
    j.apply("J3-N1", gas="有")


def j4(j: Japan) -> None:
    for who, july in {"J4-N1": 295, "J4-N2": "295.001"}.items():
        j.person(who, gas="有").slips(who, 2018, 300, [july, *[300] * 5])
        j.slips(who, 2018, 40, [37, *[40] * 5], "ガス").apply(who, gas="有")


def j5(j: Japan) -> None:
    for who, (last, this) in {"J5-N1": (20, 18), "J5-N2": ([20] * 5 + [None], 18), "J5-N3": (0, 0)}.items():
        j.person(who, gas="").slips(who, 2018, 280, 240).slips(who, 2018, last, this, "ガス").apply(who, gas="有")


def j6(j: Japan) -> None:
    n1 = {2018: 318, 2019: 315, 2020: 319, 2021: 310, 2022: 300}
    n2 = n1 | {2020: 320}
    people = {"J6-N1": ("2018-06-01", n1), "J6-N2": ("2018-06-01", n2), "J6-N3": ("2018-03-31", n1)}
    for who, (joined, years) in people.items():
        j.person(who, joined)
        for year, this in years.items():
            last = [None, *[320] * 5] if (who, year) == ("J6-N2", 2021) else 320
            j.slips(who, year, last, this).apply(who, year)


def j7(j: Japan) -> None:
    j.person("J7-N1", "2018-06-15").apply("J7-N1")
    for on, code, quantity, _, _ in J7:
        j.act("J7-N1", on, code, quantity)


def j8(j: Japan) -> None:
    for name, last, saved, received, marks in [
        ("N09", 300, 151, "2019-05-31", ""),
        ("N11", 250, 150, "2019-03-04", ""),
        ("N02", 250, 150, "2019-03-20", ""),
        ("N07", 250, 150, "2019-03-20", ""),
        ("N03", 300, 150, "2019-03-01", ""),
        ("N01", 250, 0, "2019-03-01", "５０"),
    ]:
        who = f"J8-{name}"
        j.person(who).slips(who, 2018, last, [last - saved, *[last] * 5]).apply(who, on=received, marks=marks)


def j9(j: Japan) -> None:
    """740 = 2 reports and 48 marks; 430 = 1 and 36; 600 = 2 and 20."""
    j.person("J9-N1", "2016-05-10").opening("J9-N1", "2017-04-14", 400).opening("J9-N1", "平成30年5月15日", 320)
    j.apply("J9-N1", 2018, "2019-04-15", reports=2, marks=48)
    j.apply("J9-N1", 2019, "2020-05-29", reports=1, marks=36)
    j.apply("J9-N1", 2020, "2021-05-16", reports=2, marks=20)
