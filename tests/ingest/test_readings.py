"""Readings: every reason, in the contract's order, and what becomes of the good rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tanso.packs.sources import SourceError
from tests.ingest.conftest import Office

GOOD = "0123456789,202101,20201216,20210115,310,주택용(저압),정상"


def reasons(office: Office, source_id: str, pattern: str, cases: dict[str, str]) -> dict[str, str | None]:
    """Each case's row as a file of its own (in one run): case -> the reason against it, None if it is accepted."""
    names = {case: pattern.replace("*", f"{number:02d}") for number, case in enumerate(cases)}
    for case, row in cases.items():
        office.drop(source_id, names[case], [row])
    office.take_in(source_id)
    found = dict(office.query("select file_name, reason from lake.quarantine"))
    for name in names.values():
        assert office.file(name) == ("accepted", None, 1, *((0, 1) if name in found else (1, 0)), 0)
    return {case: found.get(name) for case, name in names.items()}


ELECTRICITY = {
    "good": (GOOD, None),
    "no number": (",202101,,,310,,", "missing_value"),
    "no month": ("0123456789,,,,310,,", "missing_value"),
    "no usage": ("0123456789,202101,,,,주택용,", "missing_value"),
    "blank is more than bad": ("12,,,,x,,", "missing_value"),
    "9 digits": ("123456789,202101,,,310,,", "bad_customer_no"),
    "letters": ("01234S6789,202101,,,310,,", "bad_customer_no"),
    "11 digits": ("01234567890,202101,,,310,,", "bad_customer_no"),
    "hyphens and spaces go": ("01-2345 6789,202101,,,310,,", None),
    "full-width": ("０１２３４５６７８９,２０２１０１,,,３１０,,", None),
    "only hyphens": ("- -,202113,,,310,,", "bad_customer_no"),
    "month 13": ("0123456789,202113,,,x,,", "bad_month"),
    "a date": ("0123456789,20210101,,,310,,", "bad_month"),
    "letters in usage": ("0123456789,202101,,,31O,,", "bad_number"),
    "exponent": ("0123456789,202101,,,3e2,,", "bad_number"),
    "separator misplaced": ('0123456789,202101,,,"3,10",,', "bad_number"),
    "separator": ('0123456789,202101,,,"1,310",,', None),
    "negative": ("0123456789,202101,20210115,20201216,-0.0001,,", "negative_usage"),
    "minus zero": ("0123456789,202101,,,-0.000,,", None),
    "zero": ("0123456789,202101,,,0,,", None),
    "at the limit": ('0123456789,202101,,,"100,000",,', None),
    "above the limit": ("0123456789,202101,20210115,20201216,100000.001,,", "usage_out_of_range"),
    "rounded to the limit": ("0123456789,202101,,,100000.0004,,", None),
    "far too many digits": (f"0123456789,202101,,,{'9' * 60},,", "usage_out_of_range"),
    "period reversed": ("0123456789,202101,20210115,20210114,310,,", "period_reversed"),
    "period of a day": ("0123456789,202101,2021.01.15,20210115,310,,", None),
    "unreadable period": ("0123456789,202101,20210115,2021-13-1,310,,", None),
}


def test_reasons(office: Office) -> None:
    found = reasons(office, "kr_kepco", "kepco_*.csv", {case: row for case, (row, _) in ELECTRICITY.items()})
    assert found == {case: reason for case, (_, reason) in ELECTRICITY.items()}


def test_usage_is_rounded_half_up_to_three_decimals(office: Office) -> None:
    stored = {
        "310": "310.000",
        "1.0005": "1.001",
        "1.00049999999": "1.000",
        "0.0005": "0.001",
        "0.00049999999999999999999999": "0.000",
        "+7": "7.000",
    }
    rows = [f"{number:010d},202101,,,{text},," for number, text in enumerate(stored)]
    office.drop("kr_kepco", "kepco_1.csv", rows)
    office.take_in("kr_kepco")
    assert [usage for *_, usage in office.readings()] == list(stored.values())


def test_tariff_and_estimated(office: Office) -> None:
    rows = [
        "0000000001,202101,,,1,농사용 (갑),인정",
        "0000000002,202101,,,1,,정상",
        "0000000003,202101,,,1, 심야 전력（을） ,",
    ]
    office.drop("kr_kepco", "kepco_1.csv", rows)
    office.take_in("kr_kepco")
    found = office.query(
        "select tariff, is_estimated, provider, program_id, source_id from lake.readings order by meter_key"
    )
    source = ("한국전력", "kr_carbon_point", "kr_kepco")
    assert found == [("농사용(갑)", True, *source), (None, False, *source), ("심야전력(을)", False, *source)]


GAS = {
    # 43.5 MJ = 1 m3, half-up to 3 decimals
    "m3": ("12.5,m3", "12.500"),
    "the sign": ("12.5,㎥", "12.500"),
    "MJ": ("435,MJ", "10.000"),
    "MJ, up": ("0.02175,MJ", "0.001"),  # 0.0005 exactly
    "MJ, down": ("0.02174999999999,MJ", "0.000"),
    "MJ, a period": ("100,MJ", "2.299"),  # 2.29885…
    "MJ, at the limit": ("435000.02,MJ", "10000.000"),  # 10,000.00046
    "MJ, above the limit": ("435000.03,MJ", "usage_out_of_range"),  # 10,000.00069, stored as 10,000.001
    "MJ, plausible only as MJ": ('"400,000",MJ', "9195.402"),
    "m3, above the limit": ('"400,000",m3', "usage_out_of_range"),
    "MJ, huge": (f"{'9' * 30},MJ", "usage_out_of_range"),
    "another unit": ("5,kWh", "unknown_unit"),
    "another unit, negative": ("-5,kWh", "negative_usage"),
    "another unit, too much": ("99999,L", "unknown_unit"),
    "no unit": ("5,", "missing_value"),
}


def test_gas_units(office: Office) -> None:
    rows = {case: f"K-{number},2021-01,{given},난방용,정상" for number, (case, (given, _)) in enumerate(GAS.items())}
    found = reasons(office, "kr_citygas", "gas_*.csv", rows)
    usages = {meter_key: usage for _, meter_key, _, usage in office.readings()}
    for number, case in enumerate(GAS):
        found[case] = found[case] or usages.pop(f"K{number}")
    assert found == {case: expected for case, (_, expected) in GAS.items()}
    assert not usages


def test_other_numbers_are_refused_only_when_nothing_is_left(office: Office) -> None:
    cases = {"nothing": "--,2021-01,5,m3,난방용,", "something": "A-0 1,2021-01,5,m3,난방용,"}
    found = reasons(office, "kr_citygas", "gas_*.csv", cases)
    assert found == {"nothing": "bad_customer_no", "something": None}
    assert office.readings() == [("gas", "A01", "2021-01", "5.000")]


def test_same_key_and_usage_count_once_and_different_usage_conflicts(office: Office) -> None:
    rows = [
        "0000000001,202101,,,310,,정상",
        "0000000001,2021-01,,,310.0004,주택용,인정",  # same after rounding: the first stays
        "0000000002,202101,,,100,,",
        "0000000002,202101,,,101,,",
        "0000000002,202101,,,100,,",
        "0000000003,202101,,,100,,",
        "0000000003,202101,,,x,,",  # not good: conflicts with nobody
        "0000000003,202102,,,101,,",
    ]
    office.drop("kr_kepco", "kepco_1.csv", rows)
    office.take_in("kr_kepco")
    assert office.refused() == [
        *((row, "conflicting_duplicate") for row in (3, 4, 5)),
        (7, "bad_number"),
    ]
    assert office.file("kepco_1.csv") == ("accepted", None, 8, 3, 4, 1)
    assert office.query("select meter_key, usage, is_estimated from lake.readings order by all") == [
        ("0000000001", "310.000", False),
        ("0000000003", "100.000", False),
        ("0000000003", "101.000", False),
    ]


FLAT = "K305\x1f2\x1f101"


def test_a_flat_brings_up_to_three_readings(office: Office) -> None:
    office.drop("kr_apartments", "apt_1.csv", ["K305,２,１０１,2021.07,200,11,", "K305,21,01,2021.07,294,,0"])
    office.take_in("kr_apartments")
    assert office.readings() == [
        ("electricity", FLAT, "2021-07", "200.000"),
        ("electricity", "K305\x1f21\x1f01", "2021-07", "294.000"),
        ("gas", "K305\x1f21\x1f01", "2021-07", "0.000"),
        ("water", FLAT, "2021-07", "11.000"),
    ]


FLATS = {
    # electricity, water, gas of rows 1, 2, … of one flat and month -> refused rows, duplicate rows, accepted rows
    "one bad value refuses all": (["200,x,"], {1: "bad_number"}, 0),
    "first reason over all values": (["-5,x,"], {1: "bad_number"}, 0),
    "out of range by utility": (["100000,10000,10001"], {1: "usage_out_of_range"}, 0),
    "blank is not supplied": (["200,,"], {}, 0),
    "nothing new": (["200,11,", "200,,"], {}, 1),
    "something new": (["200,,", "200,11,"], {}, 0),
    "new in parts": (["200,,", ",11,", "200,11,"], {}, 1),
    "conflicts as a whole": (["200,11,", "201,11,"], {1: "conflicting_duplicate", 2: "conflicting_duplicate"}, 0),
    "who has no part in it stays": (
        ["200,11,", "201,11,", ",11,", ",11,3"],
        {1: "conflicting_duplicate", 2: "conflicting_duplicate"},
        0,
    ),
    "a row without usage brings nothing": (["200,,", ",,"], {}, 1),
}


def test_flats(office: Office) -> None:
    for number, (rows, _, _) in enumerate(FLATS.values()):
        office.drop("kr_apartments", f"apt_{number}.csv", [f"K305,2,{number},2021-07,{row}" for row in rows])
    office.take_in("kr_apartments")
    for number, (case, (rows, refused, duplicates)) in enumerate(FLATS.items()):
        name = f"apt_{number}.csv"
        found = dict(office.query(f"select row_no, reason from lake.quarantine where file_name = '{name}'"))
        assert found == refused, case
        accepted = len(rows) - len(refused) - duplicates
        assert office.file(name)[2:] == (len(rows), accepted, len(refused), duplicates), case


def test_a_flat_needs_all_three_parts(office: Office) -> None:
    rows = [",2,101,2021-07,1,,", "K305,,101,2021-07,1,,", "K305,2,,2021-07,1,,", "K305,2,101,,1,,"]
    office.drop("kr_apartments", "apt_1.csv", rows)
    office.take_in("kr_apartments")
    assert [reason for _, reason in office.refused()] == ["missing_value"] * 4


CELLS = st.tuples(
    st.sampled_from(["0000000001", "0000000002", "000000000３", "1", ""]),
    st.sampled_from(["202101", "2021-02", "2021/13", ""]),
    st.sampled_from(["1", "1.0", "2", "2.0004", "-1", "x", "", "100001"]),
).filter(any)  # a row of nothing is a blank line


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CELLS, min_size=1, max_size=19))
def test_every_row_goes_exactly_one_way(office: Office, cells: list[tuple[str, str, str]]) -> None:
    """Against a plain reading of the rules, row by row."""
    path = office.drop("kr_kepco", "kepco_p.csv", [f"{number},{month},,,{usage},," for number, month, usage in cells])
    office.take_in("kr_kepco")
    path.unlink()

    good: dict[int, tuple[str, str, str]] = {}
    for row_no, (number, month, usage) in enumerate(cells, start=1):
        rounded = {"1": "1", "1.0": "1", "2": "2", "2.0004": "2"}.get(usage)
        month = {"202101": "2021-01", "2021-02": "2021-02"}.get(month)
        if len(number) == 10 and month and rounded:
            good[row_no] = (number.replace("３", "3"), month, rounded)
    usages = {key[:2]: {other[2] for other in good.values() if other[:2] == key[:2]} for key in good.values()}
    fine = [key for key in good.values() if len(usages[key[:2]]) == 1]
    accepted, duplicates = len(set(fine)), len(fine) - len(set(fine))
    status, _, *counts = office.file("kepco_p.csv")
    if status == "duplicate":
        return  # the same example again
    assert counts == [len(cells), accepted, len(cells) - len(fine), duplicates]
    refused = office.query(
        "select reason from lake.quarantine "
        "where sha256 = (select sha256 from lake.files order by received_at desc limit 1)"
    )
    assert Counter(refused)[("conflicting_duplicate",)] == len(good) - len(fine)


def test_a_reading_far_above_its_meters_usual_is_reported_and_counts(office: Office) -> None:
    """Usual is the median of at least six months: 10, 10, 12, 14, 200, 1000 (the lower middle one is 12)."""
    source = office.sources["kr_kepco"]
    months = [f"2021{number:02d}" for number in range(1, 7)]
    lines = [
        f"0000000001,{month},,,{usage},," for month, usage in zip(months, (10, 14, 1000, 10, 12, 200), strict=True)
    ]
    lines += [f"0000000002,{month},,,{usage},," for month, usage in zip(months, (1, 1, 1, 1, 1, 9), strict=True)]
    lines += [f"0000000003,{month},,,{usage},," for month, usage in zip(months[:5], (1, 1, 1, 1, 999), strict=True)]
    lines += [f"0000000004,{month},,,0,," for month in months[:5]] + ["0000000004,202106,,,5,,"]
    office.drop("kr_kepco", "kepco_1.csv", lines)
    report = office.home.reports / "usage_jumps" / "kr_kepco.csv"

    def publish(**options: object) -> dict:
        office.sources["kr_kepco"] = replace(source, options={**source.options, **options})
        office.take_in("kr_kepco")
        return office.publish().notes.get("kr_kepco", {})

    assert publish(usage_jump=83) == {
        "usage_jump": "1 months at 83 times the meter's usual usage or more, used: reports/usage_jumps/kr_kepco.csv"
    }
    assert report.read_text("utf-8-sig").splitlines() == [
        "utility,meter,usage_month,usage,usual_usage,file",
        "electricity,0000000001,2021-03,1000.000,12.000,kepco_1.csv",
    ]
    assert report.stat().st_mode & 0o077 == 0
    assert publish(usage_jump=84) == {} and not report.exists()  # 1000 / 12 = 83.3
    assert publish(usage_jump=9)["usage_jump"].startswith("3 months")  # 1000, 200 and 9
    assert len(office.readings()) == 23 and office.refused() == []  # it is used all the same
    assert publish() == {} and not report.exists()
    for wrong in (1, 2.5, "10", True):
        with pytest.raises(SourceError, match=r"options\.usage_jump: must be a whole number above 1"):
            publish(usage_jump=wrong)
