"""What the ward receives from the households: registrations, slips, applications, stickers, points of before."""

from __future__ import annotations

import random
from datetime import date, timedelta

from tools.sample.files import Extract, Sample, words
from tools.sample.jp_households import REGISTRATIONS, SUMMER, WINTER, Household, era, households, registration_row

SLIPS = words("参加者番号 種別 対象年月 今年使用量 前年使用量")
REPORT_MONTHS = {7: "7月", 8: "8月", 9: "9月", 12: "12月", 13: "1月", 14: "2月"}
APPLICATIONS = [
    *words("申請番号 参加者番号 年度 受付日 電気台紙 ガス台紙 希望賞品コード エコマーク枚数"),
    *(f"行動レポート_{month}" for month in REPORT_MONTHS.values()),
]
ACTIONS = words("参加者番号 実施日 行動コード 数量")
OPENING = words("参加者番号 認定日 ポイント")
PRIZES = ["TOSHO500", "QUO500", "ECO-BAG", "PLANT"]


def write(sample: Sample) -> None:
    every = households()
    _registrations(sample, every)
    _slips(sample, every)
    _applications(sample, every)
    _actions(sample, every)
    _opening_points(sample, every)


def cp932(sample: Sample, extract: Extract) -> None:
    sample.write(extract, extract.csv_bytes("cp932"))


def _registrations(sample: Sample, every: list[Household]) -> None:
    for snapshot in (date(2018, 12, 28), date(2019, 5, 31)):
        extract = Extract("jp_registrations", f"registrations_{snapshot:%Y%m%d}.csv", REGISTRATIONS)
        for serial, home in enumerate(every, start=1):
            lost = home.number == "N0033" and snapshot.year == 2019  # its line is missing: kept as it was
            if home.registered > snapshot or lost:
                continue
            extract.add(*registration_row(home, serial, snapshot))
        good = len(extract.rows)
        extract.duplicate(*extract.rows[good // 2])
        address = "東京都中野区架空9丁目9番9号"
        extract.bad("duplicate_participant", "N0050", "空想 花子", "", "164-0050", address, "H30.5.1", "", "", "有", "")
        extract.bad("missing_value", "", "見本 節子", "", "164-0901", address, "H30.5.2", "", "", "有", "")
        extract.bad("missing_value", "N0902", "見本 次郎", "", "164-0902", address, "", "", "", "有", "")
        extract.bad("bad_value", "N0903", "例示 空", "", "164-0903", address, "平成30年13月1日", "", "", "有", "")
        extract.bad("bad_value", "N0904", "例示 緑", "", "164-0904", address, "H30.6.4", "", "", "不明", "")
        cp932(sample, extract)


def _slip_row(home: Household, kind: str, month: int) -> list[str]:
    this, last = home.slip(kind, month)
    year, calendar_month = (2018, month) if month <= 12 else (2019, month - 12)
    when = [f"{year}{calendar_month:02d}", f"{year}/{calendar_month:02d}", f"{year}-{calendar_month:02d}"][month % 3]
    blank = (home.number, kind, month) in {("N0066", "ガス", 14), ("N0012", "電気", 8), ("N0040", "ガス", 7)}
    previous = "" if blank else str(last)  # moved house: the slip does not print last year's
    wide = str(this) if int(home.number[1:]) % 29 else "".join(chr(ord(digit) + 0xFEE0) for digit in str(this))
    return [home.number, kind, when, wide, previous]


def _slips(sample: Sample, every: list[Household]) -> None:
    silent = {"N0018", "N0037", "N0099", "N0118"}  # never sent a slip
    for name, months in (("summer", SUMMER), ("winter", WINTER)):
        rng = random.Random(f"slips {name}")
        extract = Extract("jp_meter_slips", f"slips_2018_{name}.csv", SLIPS)
        for home in every:
            if home.number in silent:
                continue
            for kind in ("電気", "ガス") if home.has_gas else ("電気",):
                for month in sorted(set(home.slip_months) & set(months)):
                    if (home.number, month) != ("N0038", 9):  # a lost slip
                        extract.add(*_slip_row(home, kind, month))
        good = len(extract.rows)
        for repeated in rng.sample(range(good), 2):
            extract.duplicate(*extract.rows[repeated])
        when = "2018/08" if name == "summer" else "2019/01"
        extract.bad("missing_value", "N0900", "電気", when, "", "310")
        extract.bad("unknown_unit", "N0900", "灯油", when, "36", "40")
        extract.bad("bad_month", "N0900", "電気", "2018/14", "300", "310")
        extract.bad("bad_number", "N0900", "電気", when, "３００ｋＷｈ", "310")
        extract.bad("negative_usage", "N0900", "ガス", when, "-4", "30")
        extract.bad("usage_out_of_range", "N0900", "電気", when, "1,000,000", "310")
        # moved within the ward in that month: two slips, to be added up by the clerk
        extract.bad("conflicting_duplicate", "N0901", "電気", when, "120", "310")
        extract.bad("conflicting_duplicate", "N0901", "電気", when, "170", "310")
        extract.scatter(len(extract.rows) - good, rng)
        cp932(sample, extract)
    # N0038's lost slip was found: sent in the wrong encoding, and again in the right one
    utf8 = Extract("jp_meter_slips", "slips_2018_late.csv", SLIPS)
    late = Extract("jp_meter_slips", "slips_2018_late_again.csv", SLIPS)
    for kind in ("電気", "ガス"):
        late.add(*_slip_row(every[37], kind, 9))
    utf8.rows = late.rows
    sample.write_rejected(utf8, utf8.csv_bytes("utf-8"), "not_decodable")
    cp932(sample, late)


def _application(home: Household, received: date, **changes: str) -> list[str]:
    serial = int(home.number[1:])
    rng = random.Random(f"application {home.number}")
    row = dict.fromkeys(APPLICATIONS, "")
    row.update(
        申請番号=f"A2018-{serial:04d}",
        参加者番号=home.number,
        年度=["2018", "平成30年度", "H30"][serial % 3],
        受付日=era(received, serial + 2),
        電気台紙="有",
        ガス台紙="有" if home.has_gas else "無",
        希望賞品コード=PRIZES[serial % len(PRIZES)],
        エコマーク枚数=str(rng.choice([0, 3, 8, 12, 20, 35])) if serial % 4 else "",
    )
    for month, label in REPORT_MONTHS.items():
        if month in home.slip_months and rng.randrange(10) < 8:
            row[f"行動レポート_{label}"] = "○"
    return list((row | changes).values())


def _received(home: Household) -> date:
    rng = random.Random(f"received {home.number}")
    return date(2019, 2, 28) + timedelta(min(rng.randrange(92), rng.randrange(100)))


def _applications(sample: Sample, every: list[Household]) -> None:
    of = {home.number: home for home in every}
    marks = {"N0007": "50", "N0019": "137", "N0045": "88", "N0067": "64", "N0086": "49", "N0101": "２０５"}
    marks["N0110"] = "1,020"
    special: dict[str, tuple[date, dict[str, str]]] = {
        "N0008": (date(2019, 2, 28), {}),  # the first day
        "N0009": (date(2019, 5, 31), {}),  # the last
        "N0011": (date(2019, 2, 27), {}),
        "N0013": (date(2019, 3, 18), {"電気台紙": "無"}),
        "N0014": (date(2019, 4, 9), {"ガス台紙": ""}),
        "N0016": (date(2019, 4, 10), {"希望賞品コード": ""}),  # no prize chosen: held
        "N0017": (date(2019, 5, 7), {"希望賞品コード": ""}),
        "N0070": (date(2019, 3, 31), {}),
        "N0071": (date(2019, 5, 1), {}),  # left on 1 January: too late
        "N0072": (date(2019, 5, 20), {}),
        "N0073": (date(2018, 8, 2), {}),  # left before the first month
        "N0145": (date(2019, 3, 29), {}),  # registered too late for this year
    }
    extract = Extract("jp_applications", "applications_20190531.csv", APPLICATIONS)
    for home in every:
        silent = int(home.number[1:]) % 14 == 6 or home.registered > date(2018, 12, 31)
        if silent and home.number not in special:
            continue
        received, changes = special.get(home.number, (_received(home), {}))
        if home.number in marks:
            changes = {"エコマーク枚数": marks[home.number]} | changes
        extract.add(*_application(home, received, **changes))
    # second tries: the sheet was added in time; once accepted, nothing more
    extract.add(*_application(of["N0013"], date(2019, 3, 25), 申請番号="A2018-0513"))
    extract.add(*_application(of["N0021"], date(2019, 5, 30), 申請番号="A2018-0521"))
    extract.add(*_application(Household("N0777", "", "", date(2018, 5, 1), None, True, {}, 0), date(2019, 4, 2)))
    extract.duplicate(*extract.rows[3])
    extract.bad("duplicate_application_no", *_application(of["N0024"], date(2019, 5, 29)))
    extract.bad("missing_value", *_application(of["N0144"], date(2019, 5, 29), 受付日=""))
    extract.bad("bad_value", *_application(of["N0146"], date(2019, 5, 29), 電気台紙="？"))
    extract.bad("bad_value", *_application(of["N0147"], date(2019, 5, 29), 年度="今年度"))
    cp932(sample, extract)
    late = Extract("jp_applications", "applications_20190610.csv", APPLICATIONS)
    for number, received in (("N0006", date(2019, 6, 3)), ("N0034", date(2019, 6, 7)), ("N0011", date(2019, 4, 11))):
        late.add(*_application(of[number], received, 申請番号=f"A2018-06{number[3:]}"))
    cp932(sample, late)


def _actions(sample: Sample, every: list[Household]) -> None:
    rng = random.Random("actions")
    events = {
        "flower_festival_spring": date(2018, 5, 12),
        "advice_flower_festival_spring": date(2018, 5, 12),
        "panel_june": date(2018, 6, 6),
        "kids_eco_course": date(2018, 8, 3),
        "uchimizu": date(2018, 8, 18),
        "flower_festival_autumn": date(2018, 10, 13),
        "advice_flower_festival_autumn": date(2018, 10, 13),
        "nakano_forest_bus": date(2018, 10, 27),
        "eco_fair": date(2018, 11, 10),
        "advice_eco_fair": date(2018, 11, 10),
        "panel_winter": date(2019, 1, 22),
        "green_class": date(2019, 3, 9),
    }
    hand_ins = {
        "oil_ward_office": [date(2018, 4, 16), date(2018, 7, 2), date(2018, 9, 28), date(2019, 1, 4), date(2019, 2, 6)],
        "oil_community_center": [date(2018, 5, 22), date(2018, 8, 28), date(2018, 10, 23), date(2019, 1, 22)],
    }
    extract = Extract("jp_actions", "actions_fy2018.csv", ACTIONS)
    for home in every:
        if rng.randrange(10) < 4:
            continue
        for code in rng.sample(sorted(events), rng.randint(1, 3)):
            if events[code] >= home.registered:
                people = "1" if code.startswith("advice") else str(rng.randint(1, 4))
                extract.add(home.number, era(events[code], rng.randrange(4)), code, people)
        for code, days in hand_ins.items():
            for day in days:
                if day >= home.registered and rng.randrange(6) == 0:
                    extract.add(home.number, era(day, rng.randrange(4)), code, "1")
    # a status of its own each, none of them a reason to refuse the row
    extract.add("N0777", "2018/10/13", "flower_festival_autumn", "2")  # unknown_participant
    extract.add("N0022", "2018/10/13", "rain_barrel", "1")  # unknown_action
    extract.add("N0022", "2018/10/20", "panel_june", "1")  # outside_action_period
    extract.add("N0022", "2018/06/16", "oil_ward_office", "1")  # a Saturday
    extract.add("N0022", "2018/12/31", "oil_ward_office", "1")  # closed over New Year
    extract.add("N0022", "2018/10/16", "oil_community_center", "1")  # not the fourth Tuesday
    extract.add("N0122", "2018/11/10", "eco_fair", "3")  # before_registration
    extract.add("N0070", "2019/01/22", "panel_winter", "1")  # after_move_out
    extract.add("N0008", "2019/03/10", "green_class", "1")  # after_application
    extract.add("N0023", "2018/11/11", "advice_eco_fair", "4")
    extract.add("N0023", "2018/11/12", "advice_eco_fair", "1")  # household_once
    good = len(extract.rows)
    extract.duplicate(*extract.rows[10])
    extract.bad("missing_value", "N0024", "2018/11/10", "eco_fair", "")
    extract.bad("missing_value", "", "2018/11/10", "eco_fair", "2")
    extract.bad("bad_value", "N0024", "11月10日", "eco_fair", "2")
    extract.bad("bad_value", "N0024", "2018/11/10", "eco_fair", "二人")
    extract.scatter(len(extract.rows) - good, rng)
    cp932(sample, extract)


def _opening_points(sample: Sample, every: list[Household]) -> None:
    extract = Extract("jp_opening_points", "opening_20180401.csv", OPENING)
    for home in every[:60]:
        rng = random.Random(f"opening {home.number}")
        if home.registered < date(2017, 3, 1) and rng.randrange(10) < 7:
            extract.add(home.number, era(date(2017, rng.randint(3, 5), 15), 1), str(rng.randrange(20, 500, 10)))
        if rng.randrange(10) < 7:
            extract.add(home.number, era(date(2018, rng.randint(3, 5), 15), 2), str(rng.randrange(20, 500, 10)))
    extract.duplicate(*extract.rows[0])
    extract.bad("missing_value", "N0035", "H30.4.15", "")
    extract.bad("bad_value", "N0036", "H30.4.15", "百二十")
    cp932(sample, extract)
