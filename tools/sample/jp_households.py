"""Households of the Japanese sample: when they registered, how they live and save. All invented."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from tools.sample.files import words

SURNAMES = words("見本 例示 仮名 試作 架空 空想 若葉 朝日 髙草 虹野")
GIVEN = words("太郎 花子 一郎 さくら 健太 みどり 次郎 あおい ひかる 節子 空 緑")
NICKNAMES = words(
    "エコ丸 みどりの風 節電ママ 中野のカッパ そらまめ もったいない隊 ひまわり リサイクル王 風鈴 ゴーヤ日和"
)
REGISTRATIONS = words(
    "参加者番号 氏名 ニックネーム 郵便番号 住所 登録日 転出日 旧制度申請日 ガス使用 登録前年度CO2排出量"
)
SUMMER, WINTER = (7, 8, 9), (12, 13, 14)  # months counted from January of the fiscal year
# Permille of the year's mean.
SEASONS = {
    "電気": {7: 1050, 8: 1200, 9: 980, 12: 1080, 13: 1250, 14: 1180},
    "ガス": {7: 500, 8: 430, 9: 520, 12: 1300, 13: 1600, 14: 1550},
}


@dataclass
class Household:
    number: str
    name: str
    nickname: str
    registered: date
    former_applied: date | None
    has_gas: bool
    bases: dict[str, int]  # kind of slip -> last year's usual month, in whole units
    level: int  # permille of last year
    moved_out: date | None = None
    former_co2: str = ""  # pre-enrolment CO2 as the ward noted it
    levels: dict[int, int] = field(default_factory=dict)  # fiscal year -> its level, where it is not left to chance
    skips: frozenset[int] = frozenset()  # fiscal years without an application

    def slip(self, kind: str, month: int, year: int = 2018) -> tuple[int, int]:
        """(this year's, last year's) usage of a month."""
        return self._usage(kind, month, year), self._usage(kind, month, year - 1)

    def _usage(self, kind: str, month: int, year: int) -> int:
        """Of the year before the first one by season; of every later one by its level, a permille of that."""
        noise = random.Random(f"slip {self.number} {kind} {month}")
        first = self.bases[kind] * SEASONS[kind][month] * noise.randint(950, 1050) // 10**6
        if year < 2018:
            return first
        if year > 2018:
            noise = random.Random(f"slip {self.number} {kind} {month} {year}")
        return first * self.level_of(year) * noise.randint(970, 1030) // 10**6

    def level_of(self, year: int) -> int:
        """Permille of 2017: what was saved in the first year mostly stays, and drifts."""
        if year == 2018:
            return self.level
        drift = random.Random(f"level {self.number} {year}").choice([-70, -40, -20, 0, 20])
        return self.levels.get(year, self.level + drift)

    @property
    def slip_months(self) -> tuple[int, ...]:
        """Months whose slips the household has a reason to send."""
        return SUMMER + WINTER if self.registered <= date(2018, 7, 31) else WINTER

    def months(self, year: int) -> tuple[int, ...]:
        """The same of a later fiscal year: from the registration on, and until the household leaves."""
        begun = SUMMER + WINTER if self.registered <= date(year, 7, 31) else WINTER
        if self.registered > date(year, 12, 31):
            return ()
        left = self.moved_out or date.max
        return tuple(month for month in begun if date(year + (month > 12), (month - 1) % 12 + 1, 28) < left)


def era(day: date, style: int) -> str:
    """A date as the ward's clerks write it: three ways with the era, one without."""
    name, letter, year = ("令和", "R", day.year - 2018) if day >= date(2019, 5, 1) else ("平成", "H", day.year - 1988)
    return [
        f"{day:%Y/%m/%d}",
        f"{letter}{year}.{day.month}.{day.day}",
        f"{name}{'元' if year == 1 else year}年{day.month}月{day.day}日",
        f"{day:%Y-%m-%d}",
    ][style % 4]


def registration_row(home: Household, serial: int, snapshot: date) -> list[str]:
    left = home.moved_out if home.moved_out and home.moved_out <= snapshot else None
    return [
        home.number,
        home.name,
        home.nickname,
        f"164-{serial:04d}",
        f"東京都中野区見本{1 + serial % 6}丁目{1 + serial % 20}番{1 + serial % 9}号",
        era(home.registered, serial),
        era(left, serial) if left else "",
        era(home.former_applied, serial + 1) if home.former_applied else "",
        "有" if home.has_gas and serial % 10 else ("" if home.has_gas else "無"),
        home.former_co2,
    ]


def households() -> list[Household]:
    """150 households: 60 from the former scheme, 60 of spring, 20 of autumn, 10 of the next year's start."""
    found = []
    for serial in range(1, 151):
        rng = random.Random(f"nakano {serial}")
        if serial <= 60:
            registered = date(2014, 4, 1) + timedelta(rng.randrange(1460))
        elif serial <= 120:
            registered = date(2018, 4, 1) + timedelta(rng.randrange(122))
        elif serial <= 140:
            registered = date(2018, 8, 1) + timedelta(rng.randrange(150))
        else:
            registered = date(2019, 1, 7) + timedelta(rng.randrange(70))
        found.append(
            Household(
                number=f"N{serial:04d}",
                name=f"{SURNAMES[serial % len(SURNAMES)]} {GIVEN[serial * 5 % len(GIVEN)]}",
                nickname="" if serial % 9 == 0 else f"{NICKNAMES[serial % len(NICKNAMES)]}{serial}",
                registered=registered,
                former_applied=date(2018, 3, 1) + timedelta(rng.randrange(115)) if serial <= 60 else None,
                has_gas=serial % 8 != 3,
                bases={"電気": rng.randint(210, 430), "ガス": rng.randint(18, 42)},
                level=rng.choices([800, 870, 920, 960, 1000, 1050], [8, 14, 24, 22, 18, 14])[0],
            )
        )
    _single_cases({household.number: household for household in found})
    return found


def newcomers() -> list[Household]:
    """20 households that registered later: 12 in spring and 4 in autumn 2019, 4 in spring 2020."""
    found = []
    for serial in range(151, 171):
        rng = random.Random(f"nakano {serial}")
        if serial <= 162:
            registered = date(2019, 4, 1) + timedelta(rng.randrange(122))
        elif serial <= 166:
            registered = date(2019, 8, 1) + timedelta(rng.randrange(150))
        else:
            registered = date(2020, 4, 1) + timedelta(rng.randrange(122))
        found.append(
            Household(
                number=f"N{serial:04d}",
                name=f"{SURNAMES[serial % len(SURNAMES)]} {GIVEN[serial * 5 % len(GIVEN)]}",
                nickname=f"{NICKNAMES[serial % len(NICKNAMES)]}{serial}",
                registered=registered,
                former_applied=None,
                has_gas=serial % 8 != 3,
                bases={"電気": rng.randint(210, 430), "ガス": rng.randint(18, 42)},
                level=rng.choice([870, 920, 960, 1000]),
            )
        )
    return found


def _single_cases(of: dict[str, Household]) -> None:
    of["N0001"].registered, of["N0002"].registered = date(2018, 3, 31), date(2014, 4, 1)
    of["N0061"].registered, of["N0062"].registered = date(2018, 4, 1), date(2018, 7, 31)
    of["N0121"].registered, of["N0122"].registered = date(2018, 8, 1), date(2018, 12, 31)
    for number in ("N0010", "N0020", "N0030"):
        of[number].former_applied = None  # the ward has no date: all six months count, and are listed
    of["N0015"].former_applied = date(2018, 8, 10)
    of["N0025"].former_applied = date(2018, 10, 2)
    # who left the ward: on December's last day, on New Year's, after the last evaluated month, before the first
    of["N0070"].moved_out, of["N0071"].moved_out = date(2018, 12, 31), date(2019, 1, 1)
    of["N0072"].moved_out, of["N0073"].moved_out = date(2019, 3, 20), date(2018, 7, 31)
    of["N0004"].nickname, of["N0005"].nickname = "=^.^=にゃん", "@エコ夫婦"
    of["N0004"].level, of["N0005"].level = 760, 770
    of["N0064"].level = 780
    of["N0065"].bases["ガス"] = 0  # the meter is there, nobody cooks
    # continuity: every year below the CO2 of before (the fourth pays nothing); a year skipped; one above in between
    of["N0063"].level, of["N0063"].levels = 1000, {2019: 950, 2020: 930, 2021: 910, 2022: 890}
    of["N0064"].levels, of["N0064"].skips = {2019: 760, 2021: 750, 2022: 740}, frozenset({2020})
    of["N0068"].level, of["N0068"].levels = 1000, {2019: 940, 2020: 1100, 2021: 930, 2022: 920}
    of["N0083"].skips = frozenset({2019, 2020})  # what was left of the first year expires
    # who leaves in the middle of a later year, and applies in time, or not
    of["N0075"].moved_out, of["N0078"].moved_out = date(2020, 10, 20), date(2020, 12, 31)
    for serial in range(3, 60, 6):
        of[f"N{serial:04d}"].former_co2 = f"{700 + serial * 7}.{serial % 10}"
