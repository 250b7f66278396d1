"""LocalTimeParameters: rules of daylight saving time as bits, and the offsets they give."""

from __future__ import annotations

import pytest

from include.extracts.espi_time import offsets
from include.extracts.parsers import FileRefused
from tests.extracts.green_button import HOUR, NEW_YORK, SEOUL, utc

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
