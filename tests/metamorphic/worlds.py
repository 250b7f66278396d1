"""Generated worlds: a few members with usage around the edges of the rules, and what may be done to a world."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_DOWN, Decimal

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.dbt_project.metered.world import Programme, months

LAST_PERIOD = "2022H2"
LAST_MONTHS = {month[:7] for month in months("2022-07", 6)}
_BEFORE, _AFTER = months("2018-07", 24), months("2020-07", 30)  # two years before anybody joins; five half-years after
_SEASONS = [
    Decimal(share) for share in ("1.3", "1.2", "1.05", "0.9", "0.8", "0.75", "1", "1.1", "0.9", "0.8", "1", "1.2")
]
# Around every edge of the tiers, and beyond.
_RATES = [
    Decimal(rate) for rate in ("-0.2", "0", "0.001", "0.03", "0.0499", "0.05", "0.07", "0.0999", "0.1", "0.15", "0.6")
]


@dataclass(frozen=True)
class Meter:
    """Usage by month (YYYY-MM); months without a reading are not in it."""

    utility: str
    usage: dict[str, Decimal]
    tariff: str | None = None

    def changed(self, change: Callable[[str, Decimal], Decimal]) -> Meter:
        return replace(self, usage={month: change(month, usage) for month, usage in self.usage.items()})


@dataclass(frozen=True)
class Member:
    name: str
    values: dict[str, object]  # columns of the lake's participants
    meters: tuple[Meter, ...]


World = tuple[Member, ...]


@st.composite
def meters(draw, utility: str) -> Meter:
    level = Decimal(draw(st.integers(1, 400_000))) / 1000
    rates = draw(st.lists(st.sampled_from(_RATES), min_size=5, max_size=5))
    dropped = draw(st.sets(st.sampled_from(_BEFORE + _AFTER), max_size=3))
    usage = {}
    for month in _BEFORE + _AFTER:
        since = _AFTER.index(month) // 6 if month in _AFTER else None
        saved = rates[since] if since is not None else Decimal(0)
        if month not in dropped:
            exact = level * _SEASONS[int(month[5:7]) - 1] * (1 - saved)
            usage[month[:7]] = exact.quantize(Decimal("0.001"))
    excluded = utility == "electricity" and draw(st.integers(0, 9)) == 0
    return Meter(utility, usage, "농사용(을)" if excluded else None)


@st.composite
def members(draw, name: str) -> Member:
    utilities = draw(st.sampled_from([("electricity",), ("electricity", "water"), ("electricity", "gas")]))
    kind = draw(st.sampled_from(["individual", "individual", "individual_minor", "commercial"]))
    values = {
        "participant_type": kind,
        "region_code": draw(st.sampled_from(["48170", "48171"])),
        "joined_on": str(draw(st.dates(date(2020, 7, 1), date(2020, 8, 31)))),
        "moved_in_on": str(draw(st.dates(date(2018, 6, 1), date(2019, 6, 30)))) if draw(st.booleans()) else None,
        "withdrawn_on": draw(st.sampled_from([None, None, None, "2022-06-30", "2023-01-01"])),
        "incentive_type": draw(st.sampled_from(["cash", "voucher", None])),
    }
    return Member(name, values, tuple(draw(meters(utility)) for utility in utilities))


def generated(count: int) -> list[World]:
    """``count`` worlds of six members and a twin of the first (they tie), always the same ones."""
    found: list[World] = []

    @settings(
        max_examples=count, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.tuples(*(members(f"P{number}") for number in range(1, 7))))
    def collect(world: World) -> None:
        found.append((*world, replace(world[0], name="P10")))

    collect()
    return found


def programme(program_id: str, world: World, order: random.Random | None = None) -> Programme:
    """The world as a programme; ``order`` shuffles the rows of every table."""
    made = Programme(program_id)
    made.region("48170")
    made.region("48171", budget_won="20000", incentive_types="cash")
    for member in world:
        made.person(member.name, [meter.utility for meter in member.meters], **member.values)
        for meter in member.meters:
            for month, usage in meter.usage.items():
                tariffs = {month: meter.tariff} if meter.tariff else None
                made.use(member.name, month, [usage], meter.utility, tariffs=tariffs)
    if order:
        for rows in made.rows.values():
            order.shuffle(rows)
    return made


def scaled(world: World) -> World:
    """Every member's usage times a number of their own."""
    return tuple(
        replace(member, meters=tuple(meter.changed(lambda _, usage, by=by: usage * by) for meter in member.meters))
        for by, member in enumerate(world, start=2)
    )


def saving_more(world: World, share: str) -> World:
    """The first member uses that share of their usage in the last period."""
    first, *others = world

    def less(month: str, usage: Decimal) -> Decimal:
        return (usage * Decimal(share)).quantize(Decimal("0.001"), ROUND_DOWN) if month in LAST_MONTHS else usage

    return (replace(first, meters=tuple(meter.changed(less) for meter in first.meters)), *others)


def joined_by(world: World, stranger: Member) -> World:
    return (replace(stranger, name="P0"), *world)
