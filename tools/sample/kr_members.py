"""Members of the Korean sample: who they are, what meters they have, how they save. All invented."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tools.sample.files import words

HEADER = words(
    "참여자번호 참여자명 아이디 참여유형 행정구역코드 시도 시군구 우편번호 도로명주소 상세주소 단지코드 동 호 "
    "세대수 세대주명 가입일자 탈퇴일자 전입일자 면적 필수동의 선택동의 인센티브유형 은행코드 계좌번호 "
    "예금주 그린카드번호 휴대전화 이메일 추천인아이디 전기업체 전기납부방식 전기고객번호 "
    "상수도업체 상수도납부방식 상수도고객번호 도시가스업체 도시가스납부방식 도시가스고객번호"
)
COLUMNS = {"electricity": "전기", "water": "상수도", "gas": "도시가스"}
PROVIDERS = {"electricity": "한국전력", "water": "수도사업소", "gas": "도시가스"}
AGGREGATOR = "이지스"
REGIONS = {"JJ": ("48170", "경상남도", "진주시", "52600"), "CJ": ("43110", "충청북도", "청주시", "28500")}
# code -> region, building name, households, members to enrol, flats supplied with gas through the complex
COMPLEXES = {
    "K305": ("JJ", "가온아파트", 62, 50, False),
    "K112": ("JJ", "다솜아파트", 150, 34, True),
    "C207": ("CJ", "누리아파트", 95, 48, False),
}
SURNAMES = words("김 이 박 최 정 강 조 윤 장 임 한 오 서 신 권 황 안 송 류 홍")
GIVEN = words(
    "가온 가람 누리 다솜 다온 도담 두리 라온 마루 미르 보람 빛나 새롬 소담 슬기 아람 아리 여울 예솔 온유 "
    "은솔 이든 잔디 찬솔 초롱 푸름 하늘 한별 해솔 흰샘 나래"
)
ROADS = words("표본로 보기길 예시대로 가상로 연습길")

# Usage in permille of before joining, per half-year since joining (the last one goes on).
SHAPES = {
    "strong": [830, 810, 800, 790, 800, 795],
    "medium": [890, 880, 875, 885, 870, 880],
    "slight": [930, 935, 925, 930, 928, 932],
    "fading": [925, 920, 930, 922, 925, 968, 972, 985],
    "flat": [1000, 985, 992, 1010, 978, 990],
    "rising": [1030, 1050, 1060, 1080, 1090],
    "erratic": [900, 1050, 940, 1010, 860, 985],
}
SHARES = [("strong", 14), ("medium", 18), ("slight", 20), ("fading", 16), ("flat", 14), ("rising", 9), ("erratic", 9)]


@dataclass
class Meter:
    utility: str
    number: str | tuple[str, str, str]  # customer number, or complex, dong, ho
    base: int  # usual use of a month, in thousandths of the unit
    tariff: str = ""
    in_mj: bool = False
    first_month: int = 0  # year * 12 + month - 1; 0: since ever
    missing: frozenset[int] = frozenset()  # months without a bill
    zero_until: int = 0


@dataclass
class Member:
    number: str
    row: dict[str, str]
    shape: str
    meters: list[Meter] = field(default_factory=list)

    @property
    def joined(self) -> int:
        return month_no(int(self.row["가입일자"][:4]), int(self.row["가입일자"][5:7]))

    def meter(self, utility: str) -> Meter:
        return next(meter for meter in self.meters if meter.utility == utility)


def month_no(year: int, month: int) -> int:
    return year * 12 + month - 1


def _joined(rng: random.Random) -> str:
    """Mostly 2019 and 2020, some before and after."""
    year, months = rng.choices(
        [(2018, (9, 12)), (2019, (1, 12)), (2020, (1, 12)), (2021, (1, 12)), (2022, (1, 5))], [10, 36, 38, 10, 6]
    )[0]
    return f"{year}-{rng.randint(*months):02d}-{rng.randint(1, 28):02d}"


def _customer_no(text: str, serial: int, hyphen_at: tuple[int, ...]) -> str:
    """As members type it: mostly plain, some with hyphens, a few in full width."""
    if serial % 41 == 0:
        return text.translate({ord("0") + digit: ord("０") + digit for digit in range(10)})
    if serial % 4 == 0:
        cuts = [0, *hyphen_at, len(text)]
        return "-".join(text[start:end] for start, end in zip(cuts, cuts[1:], strict=False))
    return text


def _person(prefix: str, serial: int, kind: str, rng: random.Random) -> dict[str, str]:
    region_code, sido, sigungu, zip_from = REGIONS[prefix]
    name = SURNAMES[serial % len(SURNAMES)] + GIVEN[(serial * 7 + len(prefix)) % len(GIVEN)]
    row = dict.fromkeys(HEADER, "")
    row.update(
        참여자번호=f"{prefix}{serial:04d}",
        참여자명=name,
        아이디=f"{prefix.lower()}green{serial:04d}",
        참여유형=kind,
        행정구역코드=region_code,
        시도=sido,
        시군구=sigungu,
        우편번호=f"{int(zip_from) + serial % 90}",
        도로명주소=f"{sido} {sigungu} {ROADS[serial % len(ROADS)]} {serial} (가상동)",
        상세주소="" if serial % 3 else f"{1 + serial % 4}층",
        세대주명=name,
        가입일자=_joined(rng),
        면적=str(rng.choice([49.5, 59.94, 84.97, 101.2])) if serial % 6 else "",
        필수동의="Y",
        선택동의="Y" if serial % 5 else rng.choice(["N", ""]),
        휴대전화=f"010-0000-{serial:04d}",
        이메일=f"{prefix.lower()}{serial:04d}@example.com" if serial % 2 else "",
        추천인아이디=f"{prefix.lower()}green{serial - 1:04d}" if serial % 25 == 0 else "",
    )
    incentive = rng.choices(["현금", "상품권", "그린카드", "기부"], [50, 22, 20, 8])[0]
    row["인센티브유형"] = "그린카드포인트" if incentive == "그린카드" and serial % 2 else incentive
    if incentive == "현금":
        row.update(은행코드=rng.choice(["004", "011", "088", "090"]), 계좌번호=f"999-000-{serial:06d}", 예금주=name)
    if incentive == "그린카드":
        row["그린카드번호"] = f"0000-0000-{1 if prefix == 'JJ' else 2:04d}-{serial:04d}"
    return row


def add_meter(member: Member, utility: str, base: int, serial: int, tariff: str = "") -> None:
    """An own meter of the member, entered in the row."""
    lead = 1 if member.number.startswith("JJ") else 2
    number, hyphen_at = {
        "electricity": (f"0{lead}{serial:08d}", (2, 6)),
        "water": (f"{member.row['행정구역코드']}{serial:06d}", (5,)),
        "gas": (f"7{lead}{serial:08d}", (4,)),
    }[utility]
    column = COLUMNS[utility]
    member.row[f"{column}업체"] = PROVIDERS[utility]
    member.row[f"{column}납부방식"] = "개별납부"
    member.row[f"{column}고객번호"] = _customer_no(number, serial, hyphen_at)
    member.meters.append(Meter(utility, number, base, tariff, in_mj=utility == "gas" and serial % 23 == 0))


def _shape(rng: random.Random) -> str:
    return rng.choices([name for name, _ in SHARES], [weight for _, weight in SHARES])[0]


def household(prefix: str, serial: int, kind: str) -> Member:
    rng = random.Random(f"household {prefix} {serial}")
    row = _person(prefix, serial, kind, rng)
    member = Member(row["참여자번호"], row, _shape(rng))
    thrift = 38 if serial % 8 == 0 else 100  # some live on little: at most half of the average
    tariff = "주택용(저압)" if serial % 3 else "주택용 전력"
    add_meter(member, "electricity", rng.randint(230, 380) * 10 * thrift, serial, tariff)
    if rng.randrange(100) < 80:
        add_meter(member, "water", rng.randint(120, 220) * thrift, serial)
    if rng.randrange(100) < 68:
        add_meter(member, "gas", rng.randint(300, 600) * thrift, serial, rng.choice(["난방용", "취사난방용"]))
    return member


def _flat(code: str, index: int, serial: int) -> Member:
    prefix, building, _, _, with_gas = COMPLEXES[code]
    rng = random.Random(f"flat {code} {index}")
    row = _person(prefix, serial, "개인(만14세이상)" if index % 9 else "개인 (만14세 이상)", rng)
    dong, ho = str(101 + index // 20), f"{1 + index % 20 // 2}0{1 + index % 2}"
    road = f"{row['시도']} {row['시군구']} 표본대로 {len(building) * 10 + int(code[1:])} ({building})"
    row.update(도로명주소=road, 상세주소="", 단지코드=code, 동=dong, 호=ho)
    member = Member(row["참여자번호"], row, _shape(rng))
    bases = {"electricity": rng.randint(180, 340) * 1000, "water": rng.randint(9, 19) * 1000}
    if with_gas:
        bases["gas"] = rng.randint(25, 50) * 1000
    for utility, base in bases.items():
        row[f"{COLUMNS[utility]}업체"] = AGGREGATOR
        row[f"{COLUMNS[utility]}납부방식"] = "관리비합산" if index % 11 else "관리자합산"
        member.meters.append(Meter(utility, (code, dong, ho), base))
    if not with_gas and index % 2:
        add_meter(member, "gas", rng.randint(25, 50) * 1000, serial, "난방용")
    return member


def _organisation(prefix: str, serial: int, kind: str, name: str) -> Member:
    rng = random.Random(f"organisation {prefix} {serial}")
    row = _person(prefix, serial, kind, rng)
    row.update(참여자명=name, 세대주명="", 면적=str(rng.randint(80, 2400)))
    if row["예금주"]:
        row["예금주"] = name
    member = Member(row["참여자번호"], row, _shape(rng))
    size = {"상업시설": 1, "학교": 14, "공공기관": 9}[kind]
    tariff = {"상업시설": "일반용(갑)저압", "학교": "교육용(갑)", "공공기관": "일반용(갑)고압"}[kind]
    add_meter(member, "electricity", rng.randint(700, 1900) * 1000 * size, serial, tariff)
    add_meter(member, "water", rng.randint(20, 70) * 1000 * size, serial)
    if kind != "상업시설" or serial % 2:
        add_meter(member, "gas", rng.randint(60, 180) * 1000 * size, serial, "영업용1")
    return member


def _complex(code: str, serial: int) -> Member:
    prefix, building, households, _, with_gas = COMPLEXES[code]
    row = _person(prefix, serial, "단지(아파트)", random.Random(f"complex {code}"))
    row.update(
        참여자명=building,
        세대주명="",
        단지코드=code,
        세대수=str(households),
        가입일자="2019-05-20",
        상세주소="관리사무소",
    )
    row.update(인센티브유형="현금", 은행코드="004", 계좌번호=f"999000{serial:06d}", 예금주=building, 그린카드번호="")
    shape = {"K305": "strong", "K112": "medium", "C207": "fading"}[code]
    member = Member(row["참여자번호"], row, shape)
    add_meter(member, "electricity", households * 90 * 1000, serial, "주택용(고압)")
    add_meter(member, "water", households * 1100, serial)
    if with_gas:
        add_meter(member, "gas", households * 3000, serial, "난방용")
    return member


def members() -> list[Member]:
    """About 400 members, in order of their number."""
    found: list[Member] = []
    for prefix, households in (("JJ", 128), ("CJ", 104)):
        serial = 0
        for _ in range(households):
            serial += 1
            kind = "개인(만14세이상)"
            if serial % 19 == 0:
                kind = "개인(만14세미만)"
            elif serial % 17 == 0:
                kind = "국내거주외국인"
            found.append(household(prefix, serial, kind))
        shops = [("상업시설", f"{GIVEN[index]}상회") for index in range(10 if prefix == "JJ" else 8)]
        for kind, name in [*shops, ("학교", "표본초등학교"), ("공공기관", "예시도서관")]:
            serial += 1
            found.append(_organisation(prefix, serial, kind, name))
        for code, (region, _, _, enrolled, _) in COMPLEXES.items():
            if region != prefix:
                continue
            for index in range(enrolled):
                serial += 1
                found.append(_flat(code, index, serial))
            serial += 1
            found.append(_complex(code, serial))
    return sorted(found, key=lambda member: member.number)
