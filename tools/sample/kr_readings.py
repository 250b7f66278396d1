"""Usage of the Korean sample's meters, and the bills of the four providers with their dirt."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tools.sample.files import Extract, Sample
from tools.sample.kr_members import SHAPES, Member, Meter, month_no

FIRST, LAST = month_no(2017, 7), month_no(2022, 12)
HISTORY_MONTHS = 26  # what a provider sends of a meter from before its member joined
# Permille of the year's mean, January to December.
SEASONS = {
    "electricity": [1010, 950, 920, 890, 870, 930, 1150, 1260, 1020, 900, 930, 1010],
    "water": [960, 940, 960, 980, 1000, 1030, 1080, 1090, 1020, 990, 970, 970],
    "gas": [2200, 2000, 1400, 850, 480, 300, 230, 210, 280, 560, 1200, 1950],
}
STEPS = {"electricity": 1000, "water": 1000, "gas": 100}  # bills are in whole kWh and m3; gas has a decimal


def usage(member: Member, meter: Meter, month: int) -> int:
    """Thousandths of kWh or m3 billed for a month."""
    if month < meter.zero_until:
        return 0
    level = 1000
    if month > member.joined:
        levels = SHAPES[member.shape]
        level = levels[min(max(month // 6 - member.joined // 6 - 1, 0), len(levels) - 1)]
        level += random.Random(f"tilt {member.number} {meter.utility}").randint(-18, 18)
    weather = random.Random(f"weather {meter.utility} {month}").randint(988, 1012)
    noise = random.Random(f"noise {member.number} {meter.utility} {month}").randint(975, 1025)
    exact = meter.base * SEASONS[meter.utility][month % 12] * level * weather * noise // 10**12
    step = STEPS[meter.utility]
    return (exact + step // 2) // step * step


def bills(members: list[Member], first: int, last: int) -> Iterator[tuple[Member, Meter, int, int]]:
    """(member, meter, month, thousandths) in the order of months, members, meters."""
    for month in range(first, last + 1):
        for member in members:
            left = member.row["탈퇴일자"]
            gone = month_no(int(left[:4]), int(left[5:7])) + 2 if left else LAST
            for meter in member.meters:
                begins = meter.first_month or max(FIRST, member.joined - HISTORY_MONTHS)
                if begins <= month <= gone and month not in meter.missing:
                    yield member, meter, month, usage(member, meter, month)


def number_text(thousandths: int, separators: bool = False) -> str:
    whole, rest = divmod(thousandths, 1000)
    text = f"{whole:,}" if separators else str(whole)
    return f"{text}.{rest:03d}".rstrip("0") if rest else text


def full_width(text: str) -> str:
    return text.translate({ord("0") + digit: ord("０") + digit for digit in range(10)})


def _ym(month: int, separator: str = "") -> str:
    return f"{month // 12}{separator}{month % 12 + 1:02d}"


def _half_years() -> Iterator[tuple[int, int, str]]:
    for first in range(FIRST, LAST, 6):
        yield first, first + 5, f"{_ym(first)}-{_ym(first + 5)}"


def _estimated(*key: object) -> bool:
    return random.Random(f"estimated {key}").randrange(60) == 0


def _kepco_row(number: str, month: int, usage_text: str, tariff: str, kind: str = "정상") -> list[str]:
    # read on the 15th; the month after next's clerk leaves the dates out
    year, before = divmod(month - 1, 12)
    dates = [f"{year}{before + 1:02d}16", f"{_ym(month)}15"] if month % 17 else ["", ""]
    return [number, _ym(month), *dates, usage_text, tariff, kind]


def kepco(sample: Sample, members: list[Member]) -> None:
    header = ["고객번호", "청구년월", "검침시작일", "검침종료일", "사용량", "계약종별", "검침구분"]
    for first, last, label in _half_years():
        rng = random.Random(f"kepco {label}")
        extract = Extract("kr_kepco", f"kepco_{label}.csv", header)
        for member, meter, month, amount in bills(members, first, last):
            if meter.utility != "electricity" or not isinstance(meter.number, str):
                continue
            number = f"{meter.number[:2]}-{meter.number[2:6]}-{meter.number[6:]}" if month % 5 == 0 else meter.number
            kind = "인정" if _estimated(meter.number, month) else "정상"
            row = _kepco_row(number, month, number_text(amount, separators=True), meter.tariff, kind)
            if (member.number, month) == ("JJ0045", month_no(2021, 3)):
                # billed twice, differently: refused until the correction comes
                extract.bad("conflicting_duplicate", *row)
                row = _kepco_row(number, month, number_text(amount + 40_000), meter.tariff)
                extract.bad("conflicting_duplicate", *row)
                continue
            extract.add(*row)
        good = len(extract.rows)
        for repeated in rng.sample(range(good), 3):
            if extract.rows[repeated][0].replace("-", "") != "0100000045":
                extract.duplicate(*extract.rows[repeated])
        stray = f"09{rng.randrange(10**4):08d}"  # meters of nobody in the programme
        extract.bad("bad_number", *_kepco_row(stray, first, "2４O", "주택용(저압)"))
        extract.bad("negative_usage", *_kepco_row(stray, first + 1, "-35", "주택용(저압)"))
        extract.bad("missing_value", *_kepco_row(stray, first + 2, "", "주택용(저압)"))
        if label >= "202001":
            extract.bad("bad_customer_no", *_kepco_row("091234567", first, "211", "주택용(저압)"))
            extract.bad("bad_month", stray, f"{first // 12}13", "", "", "198", "주택용(저압)", "정상")
            extract.bad("usage_out_of_range", *_kepco_row(stray, first + 3, "100,001", "일반용(갑)저압"))
            reversed_dates = [f"{_ym(first + 4)}15", f"{_ym(first + 4)}01"]
            extract.bad("period_reversed", stray, _ym(first + 4), *reversed_dates, "187", "주택용(저압)", "정상")
        extract.scatter(len(extract.rows) - good, rng)
        sample.write(extract, extract.csv_bytes("cp949"))
        if label == "202101-202106":
            _kepco_correction(sample, members, header)


def _kepco_correction(sample: Sample, members: list[Member], header: list[str]) -> None:
    """Months already paid for are billed anew: one conflict resolved, two estimates replaced by what was read."""
    extract = Extract("kr_kepco", "kepco_202101-202106_correction.csv", header)
    change = {"JJ0045": (3, 0), "JJ0012": (5, 60_000), "CJ0040": (4, -45_000)}
    for member in members:
        if member.number not in change:
            continue
        month, difference = change[member.number]
        meter = member.meter("electricity")
        amount = usage(member, meter, month_no(2021, month)) + difference
        extract.add(*_kepco_row(str(meter.number), month_no(2021, month), number_text(amount), meter.tariff))
    sample.write(extract, extract.csv_bytes("cp949"))


def waterworks(sample: Sample, members: list[Member]) -> None:
    header = ["수용가번호", "사용년월", "사용량(㎥)", "검침구분"]
    note = "지어낸 자료입니다. 실제 수용가와 관계가 없습니다."
    for year in range(2017, 2023):
        rng = random.Random(f"water {year}")
        extract = Extract("kr_waterworks", f"water_{year}.xlsx", header)
        for _, meter, month, amount in bills(members, max(FIRST, month_no(year, 1)), month_no(year, 12)):
            if meter.utility != "water" or not isinstance(meter.number, str):
                continue
            # a number in some cells, text in others, as spreadsheets are
            number = f"{meter.number[:5]}-{meter.number[5:]}" if month % 4 == 0 else int(meter.number)
            when = int(_ym(month)) if year % 2 else _ym(month, "-")
            extract.add(number, when, amount // 1000, "인정" if _estimated(meter.number, month) else "정상")
        good = len(extract.rows)
        for repeated in rng.sample(range(good), 2):
            extract.duplicate(*extract.rows[repeated])
        stray, month = "48170-990001", _ym(month_no(year, 9))
        extract.bad("bad_customer_no", "-----", month, 12, "정상")
        extract.bad("missing_value", stray, month, None, "정상")
        extract.bad("bad_number", stray, month, "십이", "정상")
        if year >= 2019:
            extract.bad("bad_month", stray, f"{year}-00", 14, "정상")
            extract.bad("negative_usage", stray, month, -3, "정상")
            extract.bad("usage_out_of_range", stray, month, 10_001, "정상")
            extract.bad("conflicting_duplicate", stray, _ym(month_no(year, 10)), 14, "정상")
            extract.bad("conflicting_duplicate", stray, _ym(month_no(year, 10)), 41, "정상")
        extract.scatter(len(extract.rows) - good, rng)
        sample.write(extract, extract.xlsx_bytes("검침내역", note))
    refused = Extract("kr_waterworks", "water_2023.xlsx", ["수용가번호", "사용년월", "요금", "검침구분"])
    for member in members[:30]:
        refused.add(f"48170{int(member.number[2:]):06d}", 202301, 11_200, "정상")
    sample.write_rejected(refused, refused.xlsx_bytes("요금내역", note), "schema_mismatch")


def citygas(sample: Sample, members: list[Member]) -> None:
    header = ["사용계약번호", "사용년월", "사용량", "단위", "용도", "검침구분"]
    for first, last, label in _half_years():
        rng = random.Random(f"gas {label}")
        extract = Extract("kr_citygas", f"gas_{label}.csv", header)
        for member, meter, month, amount in bills(members, first, last):
            if meter.utility != "gas" or not isinstance(meter.number, str):
                continue
            text, unit = number_text(amount), "m3" if month % 2 else "㎥"
            if meter.in_mj:
                text, unit = number_text(amount * 87 // 2, separators=True), "MJ"
            number = full_width(meter.number) if member.number.endswith("7") and month % 6 == 0 else meter.number
            kind = "인정" if _estimated(meter.number, month) else "정상"
            extract.add(number, _ym(month, "-"), text, unit, meter.tariff, kind)
        good = len(extract.rows)
        for repeated in rng.sample(range(good), 2):
            extract.duplicate(*extract.rows[repeated])
        stray, month = "7900000001", _ym(first, "-")
        extract.bad("unknown_unit", stray, month, "312", "kWh", "난방용", "정상")
        extract.bad("missing_value", stray, month, "31.2", "", "난방용", "정상")
        extract.bad("bad_customer_no", "-", month, "31.2", "m3", "난방용", "정상")
        if label >= "201901":
            extract.bad("bad_month", stray, "2020/13", "12.5", "m3", "난방용", "정상")
            extract.bad("bad_number", stray, month, "1.234,5", "m3", "난방용", "정상")
            extract.bad("negative_usage", stray, month, "-0.4", "m3", "난방용", "정상")
            extract.bad("usage_out_of_range", stray, month, "435,435", "MJ", "영업용1", "정상")  # 10,010 m3
            extract.bad("conflicting_duplicate", stray, _ym(first + 1, "-"), "20.1", "m3", "난방용", "정상")
            extract.bad("conflicting_duplicate", stray, _ym(first + 1, "-"), "21", "m3", "난방용", "정상")
        extract.scatter(len(extract.rows) - good, rng)
        sample.write(extract, extract.csv_bytes("utf-8-sig" if first % 12 else "utf-8", "\n"))
    sample.write_copy("kr_citygas", "gas_202001-202006.csv", "gas_202001-202006_copy.csv")


def apartments(sample: Sample, members: list[Member]) -> None:
    header = ["단지코드", "동", "호", "부과년월", "전기", "수도", "가스"]
    columns = {"electricity": 4, "water": 5, "gas": 6}
    for year in range(2017, 2023):
        rng = random.Random(f"apt {year}")
        extract = Extract("kr_apartments", f"apt_{year}.csv", header)
        rows: dict[tuple[tuple[str, str, str], int], list[str]] = {}
        for _, meter, month, amount in bills(members, max(FIRST, month_no(year, 1)), month_no(year, 12)):
            if isinstance(meter.number, tuple):
                code, dong, ho = meter.number
                wide = month % 7 == 0 and code == "K112"
                unit = [code, full_width(dong), full_width(ho)] if wide else [code, dong, ho]
                row = rows.setdefault((meter.number, month), [*unit, _ym(month, "."), "", "", ""])
                row[columns[meter.utility]] = number_text(amount)
        for row in rows.values():
            extract.add(*row)
        good = len(extract.rows)
        for repeated in rng.sample(range(good), 2):
            extract.duplicate(*extract.rows[repeated])
        month = f"{year}.08"
        extract.bad("missing_value", "C207", "109", "", month, "240", "13", "")
        extract.bad("bad_number", "C207", "109", "301", month, "240kWh", "13", "")
        extract.bad("negative_usage", "C207", "109", "302", month, "240", "-1", "")
        if year >= 2019:
            extract.bad("bad_month", "C207", "109", "303", f"{year}.8월", "240", "13", "")
            extract.bad("usage_out_of_range", "C207", "109", "304", month, "100001", "13", "")
            extract.bad("conflicting_duplicate", "C207", "109", "306", month, "240", "13", "")
            extract.bad("conflicting_duplicate", "C207", "109", "306", month, "240", "14", "")
        extract.scatter(len(extract.rows) - good, rng)
        sample.write(extract, extract.csv_bytes("cp949"))
