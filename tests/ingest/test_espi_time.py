"""LocalTimeParameters: rules of daylight saving time as bits, and the offsets they give."""

from __future__ import annotations

import pytest

from tanso.ingest.formats.espi_time import offsets, offsets_of_zone
from tanso.ingest.formats.parsers import FileRefused
from tests.ingest.green_button import HOUR, NEW_YORK, SEOUL, utc

# month, operator and day, weekday and hour: 0x3 0b011_0 0b0000 0b111 0b00010 and 12 bits of seconds
RULES = {
    "360E2000": "2021-03-14 02:00",  # second Sunday of March
    "B40E2000": "2021-11-07 02:00",  # first Sunday of November
    "3E0E1000": "2021-03-28 01:00",  # last Sunday of March
    "AE0E2000": "2021-10-31 02:00",  # last Sunday of October: the fifth one
    "AC0E2000": "2021-10-31 02:00",  # fifth Sunday of October
    "3C0A0384": "2021-03-26 00:15",  # fifth Friday of March, which has four, at 900 s: the last
    "32FE2000": "2021-03-21 02:00",  # Sunday on or after 15 March
    "31403000": "2021-03-20 03:00",  # 20 March
}


@pytest.mark.parametrize("rule", RULES)
def test_rules(rule: str) -> None:
    values = {"tzOffset": "0", "dstOffset": "3600", "dstStartRule": rule, "dstEndRule": "C1F00000"}
    moments = [utc_from for utc_from, _, seconds in offsets(values, utc("2021-06-01 00:00"), utc("2021-06-01 00:00"))]
    assert utc(RULES[rule]) in moments


def test_offsets_of_a_year() -> None:
    inside = utc("2021-06-01 00:00")
    rows = offsets(NEW_YORK, inside, inside)
    assert (utc("2021-03-14 07:00"), utc("2021-03-14 03:00"), -4 * HOUR) in rows  # 02:00 standard time
    assert (utc("2021-11-07 06:00"), utc("2021-11-07 01:00"), -5 * HOUR) in rows  # 02:00 daylight saving time
    assert rows == sorted(rows) and rows[0][2] == -5 * HOUR
    assert [seconds for _, _, seconds in offsets(SEOUL, inside, inside)] == [9 * HOUR]


def test_south_of_the_equator_the_year_begins_in_summer() -> None:
    # Sydney: first Sunday of October to first Sunday of April
    sydney = {"tzOffset": "36000", "dstOffset": "3600", "dstStartRule": "A40E2000", "dstEndRule": "440E3000"}
    inside = utc("2021-06-01 00:00")
    rows = offsets(sydney, inside, inside)
    assert rows[0][2] == 11 * HOUR
    assert (utc("2021-04-03 16:00"), utc("2021-04-04 02:00"), 10 * HOUR) in rows
    assert (utc("2021-10-02 16:00"), utc("2021-10-03 03:00"), 11 * HOUR) in rows


@pytest.mark.parametrize(
    "wrong",
    [
        {"tzOffset": ""},
        {"tzOffset": "99999"},
        {"tzOffset": "-18001"},  # no quarter of an hour
        {"tzOffset": "64800"},  # no clock is 18 hours ahead
        {"tzOffset": "-18000.0"},
        {"dstOffset": "3599"},
        {"dstOffset": ""},  # but there are rules
        {"dstStartRule": "", "dstEndRule": ""},  # but there is an offset
        {"dstStartRule": "FFFFFFFF"},  # the other one is a rule
        {"dstStartRule": "1710054000"},  # seconds since 1970, decimal
        {"dstStartRule": "2024-03-10T02:00:00"},
        {"dstStartRule": "65ED5A70", "dstEndRule": "67271F70"},  # seconds since 1970
        {"dstStartRule": "65ED5A70"},
        {"dstEndRule": "67271F70"},
        {"dstStartRule": "360F8000"},  # hour 24
        {"dstStartRule": "360E2E10"},  # second 3,600
        {"dstStartRule": "361E2000"},  # second Sunday of March, the 1st
        {"dstStartRule": "314E3000"},  # 20 March, a Sunday
        {"dstStartRule": "00000000"},
        {"dstOffset": "an hour"},
        {"dstStartRule": "360E200"},
        {"dstStartRule": "D60E2000"},  # month 13
        {"dstEndRule": "B4002000"},  # first no-day of November
        {"dstEndRule": "21E02000"},  # 30 February
    ],
)
def test_what_is_no_local_time(wrong: dict[str, str]) -> None:
    with pytest.raises(FileRefused) as raised:
        offsets(NEW_YORK | wrong, 0, 0)
    assert raised.value.reason == "schema_mismatch"
    name, value = next(iter(wrong.items()))
    assert f"{name} {value!r}" in raised.value.detail
    assert "column" not in raised.value.detail


def test_moments_in_the_place_of_rules_are_told_as_such() -> None:
    epochs = {"dstStartRule": "65ED5A70", "dstEndRule": "67271F70"}
    with pytest.raises(FileRefused) as raised:
        offsets(NEW_YORK | epochs, 0, 0)
    assert "dstStartRule '65ED5A70' is no rule in bits but seconds since 1970 (2024-03-10 07:00 UTC)" in str(
        raised.value.detail
    )


def test_without_saving_there_are_no_rules() -> None:
    delhi = {"tzOffset": "19800", "dstOffset": "0", "dstStartRule": "0", "dstEndRule": "0"}
    assert [seconds for _, _, seconds in offsets(delhi, 0, 0)] == [19_800]
    assert [seconds for _, _, seconds in offsets({"tzOffset": "20700"}, 0, 0)] == [20_700]  # Kathmandu, 5:45


def test_zones_by_name() -> None:
    """The same changes as by rule; half an hour on Lord Howe Island; none in Seoul."""
    first, last = utc("2021-01-10 00:00"), utc("2021-12-10 00:00")
    assert [row for row in offsets(NEW_YORK, first, last) if first < row[0] < last] == offsets_of_zone(
        "America/New_York", first, last
    )[1:]
    lord_howe = offsets_of_zone("Australia/Lord_Howe", first, last)
    assert [seconds for _, _, seconds in lord_howe] == [39_600, 37_800, 39_600]  # +11, +10:30, +11
    assert lord_howe[1][0] == utc("2021-04-03 15:00")  # 02:00 at +11
    assert [seconds for _, _, seconds in offsets_of_zone("Asia/Seoul", first, last)] == [32_400]
