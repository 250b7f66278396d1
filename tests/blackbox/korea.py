"""Korean extracts from compact cases: members, their meters and what they used."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.blackbox.files import months_from, write_csv, write_xlsx

ENROLMENTS = [
    "참여자번호", "참여자명", "아이디", "참여유형", "행정구역코드", "시도", "시군구", "우편번호", "도로명주소",
    "상세주소", "단지코드", "동", "호", "세대수", "세대주명", "가입일자", "탈퇴일자", "전입일자", "면적",
    "필수동의", "선택동의", "인센티브유형", "은행코드", "계좌번호", "예금주", "그린카드번호", "휴대전화", "이메일",
    "추천인아이디", "전기업체", "전기납부방식", "전기고객번호", "상수도업체", "상수도납부방식", "상수도고객번호",
    "도시가스업체", "도시가스납부방식", "도시가스고객번호",
]  # fmt: skip
KEPCO = ["고객번호", "청구년월", "검침시작일", "검침종료일", "사용량", "계약종별", "검침구분"]
WATERWORKS = ["수용가번호", "사용년월", "사용량(㎥)", "검침구분"]
CITYGAS = ["사용계약번호", "사용년월", "사용량", "단위", "용도", "검침구분"]
APARTMENTS = ["단지코드", "동", "호", "부과년월", "전기", "수도", "가스"]
RETURNS = ["배치번호", "순번", "반송사유"]
HEADS = {"electricity": "전기", "water": "상수도", "gas": "도시가스"}
PROVIDERS = {"electricity": "한국전력", "water": "수도사업소", "gas": "도시가스"}
AGGREGATOR = "이지스"


def aggregated(utility: str) -> dict[str, str]:
    """Billed with the management fee."""
    head = HEADS[utility]
    return {f"{head}업체": AGGREGATOR, f"{head}납부방식": "관리비합산", f"{head}고객번호": ""}


class Korea:
    """Members and readings of one inbox; ``write`` puts the files there."""

    def __init__(self, prefix: str = "", first_meter: int = 1) -> None:
        self.prefix = prefix
        self.members: dict[str, dict[str, str]] = {}
        self.readings: dict[str, dict[str, list[tuple]]] = {key: defaultdict(list) for key in PROVIDERS}
        self.flats: list[tuple] = []
        self._next = first_meter

    def person(self, who: str, utilities: str = "electricity", **values: str) -> Korea:
        """A member of region 48170 who joined 2020-04-08 and takes cash; ``values`` by header override it."""
        number = self._next
        self._next += 1
        row = dict.fromkeys(ENROLMENTS, "")
        row |= {
            "참여자번호": who,
            "참여자명": "홍길동",
            "아이디": f"member{number:05}",
            "참여유형": "개인(만14세이상)",
            "행정구역코드": "48170",
            "우편번호": "52700",
            "도로명주소": f"진주대로 {number}",
            "가입일자": "2020-04-08",
            "필수동의": "Y",
            "인센티브유형": "현금",
            "은행코드": "088",
            "계좌번호": "110-222-333333",
            "예금주": "홍길동",
            "휴대전화": "010-1234-5678",
        }
        for utility, head in HEADS.items():
            used = utility in utilities.split()
            row[f"{head}납부방식"] = "개별납부" if used else "사용안함"
            if used:
                row |= {f"{head}업체": PROVIDERS[utility], f"{head}고객번호": self.number(utility, number)}
        # Electricity is required: a case without it has a meter that nobody reads.
        if "electricity" not in utilities:
            row |= {"전기납부방식": "개별납부", "전기업체": "한국전력", "전기고객번호": f"9{number:09}"}
        self.members[who] = row | values
        return self

    @staticmethod
    def number(utility: str, number: int) -> str:
        if utility == "electricity":
            return f"{number:010}"[:2] + "-" + f"{number:010}"[2:6] + "-" + f"{number:010}"[6:]
        return f"{'W' if utility == 'water' else 'G'}-{number:06}"

    def use(self, who: str, first: str, values: list, utility: str = "electricity", tariff: str = "") -> Korea:
        """Readings of consecutive months; a value may be (value, tariff) or, for gas, (value, tariff, unit)."""
        customer = self.members[who][f"{HEADS[utility]}고객번호"]
        for month, value in months_from(first, values):
            usage, *more = value if isinstance(value, tuple) else (value,)
            self.readings[utility][month[:4]].append((customer, month, usage, more[0] if more else tariff, *more[1:]))
        return self

    def flat(self, complex_code: str, dong: str, ho: str, month: str, *usages: Any) -> None:
        self.flats.append((complex_code, dong, ho, month, *usages))

    def rows(self) -> list[list[str]]:
        return [[row[head] for head in ENROLMENTS] for row in self.members.values()]

    def write(self, inbox: Path, snapshot: str = "20240630", readings: str = "") -> None:
        """``readings`` goes into the names of the readings' files, so that a later one can correct."""
        if self.members:
            path = inbox / f"{self.prefix}kr_enrolments" / f"enrolments_{snapshot}.csv"
            write_csv(path, ENROLMENTS, self.rows(), "utf-8-sig")
        for year, rows in self.readings["electricity"].items():
            # The number with and without hyphens, full-width now and then; months in every form.
            forms = ["{}{}", "{}-{}", "{}/{}", "{}.{}"]
            out = [
                [
                    customer if n % 2 else customer.replace("-", "").translate(_WIDE if n % 3 == 0 else {}),
                    forms[n % 4].format(*month.split("-")),
                    *_reading_dates(month, n),
                    f"{usage:,}" if isinstance(usage, int) else usage,
                    tariff or "주택용전력",
                    "인정" if n % 7 == 0 else "실측",
                ]
                for n, (customer, month, usage, tariff) in enumerate(rows)
            ]
            write_csv(inbox / f"{self.prefix}kr_kepco" / f"kepco_{year}{readings}.csv", KEPCO, out, "cp949")
        for year, rows in self.readings["water"].items():
            out = [
                [customer, int(month.replace("-", "")) if n % 2 else month, _number(usage), "실측"]
                for n, (customer, month, usage, _) in enumerate(rows)
            ]
            write_xlsx(inbox / f"{self.prefix}kr_waterworks" / f"water_{year}{readings}.xlsx", WATERWORKS, out)
        for year, rows in self.readings["gas"].items():
            out = [
                [customer, month, usage, unit[0] if unit else ("m3", "㎥")[n % 2], tariff or "난방용", "실측"]
                for n, (customer, month, usage, tariff, *unit) in enumerate(rows)
            ]
            write_csv(inbox / f"{self.prefix}kr_citygas" / f"gas_{year}{readings}.csv", CITYGAS, out, "utf-8")
        if self.flats:
            path = inbox / f"{self.prefix}kr_apartments" / f"apt_all{readings}.csv"
            write_csv(path, APARTMENTS, self.flats, "cp949")


_WIDE = {ord(digit): chr(ord("０") + n) for n, digit in enumerate("0123456789")}


def _reading_dates(month: str, n: int) -> tuple[str, str]:
    return [("", ""), (f"{month}-01", f"{month}-28"), ("?", f"{month}-28")][n % 3]


def _number(usage: Any) -> Any:
    """Numbers as number cells."""
    return usage if isinstance(usage, int) else float(usage)
