"""Green Button feeds: months worked out by hand, and what a feed is refused for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tanso.ingest import ingest_source
from tanso.ingest.formats import espi
from tanso.packs.policy import load_policy
from tanso.packs.sources import SourceError, load_sources, read_source
from tanso.settings import PROJECT_ROOT, Home
from tests.ingest.conftest import Office
from tests.ingest.green_button import DAY, HOUR, NEW_YORK, SEOUL, entry, every, feed, local_time, meter, utc

ROOTS = [PROJECT_ROOT / "tests" / "packs"]
PACK = ROOTS[0] / "green_button" / "sources"
NY, KR = local_time(NEW_YORK), local_time(SEOUL)
JANUARY = every(DAY, utc("2021-01-01 05:00"), 31, 10_000)  # New York: midnight is 05:00 UTC


@pytest.fixture(scope="module")
def green_button() -> tuple[dict, object]:
    sources = {source.source_id: source for source in load_sources(ROOTS) if source.format == "espi"}
    return sources, load_policy(ROOTS)


@pytest.fixture
def office(tmp_path: Path, green_button: tuple) -> Office:
    return Office(Home(tmp_path / "home"), *green_button)


def taken(office: Office, content: bytes, source_id: str = "monthly_feed", name: str = "a.xml") -> list[tuple]:
    """What is in the lake once the feed is in: (utility, usage point, month, usage)."""
    office.drop(source_id, name, content)
    office.take_in(source_id)
    return office.readings()


def test_a_month_of_hours_with_the_hour_that_is_skipped(office: Office) -> None:
    # New York, March 2021: 31 x 24 - 1 = 743 hours of 500 Wh = 371,500 Wh
    hours = every(HOUR, utc("2021-03-01 05:00"), 743, 500)
    assert hours[-1][0] + HOUR == utc("2021-04-01 04:00")  # midnight in summer
    assert taken(office, feed(NY, meter("5446AF3F", hours))) == [("electricity", "5446AF3F", "2021-03", "371.500")]
    assert office.file("a.xml") == ("accepted", None, 1, 1, 0, 0)


def test_a_month_of_hours_with_the_hour_that_comes_twice(office: Office) -> None:
    # November 2021: 30 x 24 + 1 = 721 hours of 500 Wh = 360,500 Wh; with 720 of them one is missing
    hours = every(HOUR, utc("2021-11-01 04:00"), 721, 500)
    assert taken(office, feed(NY, meter("A1", hours), meter("A2", hours[:720]))) == [
        ("electricity", "A1", "2021-11", "360.500")
    ]
    assert office.refused() == [(2, "incomplete_period")]


def test_months_are_those_of_local_time(office: Office) -> None:
    # Seoul: February begins at 15:00 UTC of 31 January. The 28 days are 24 hours each, all in four blocks.
    days = every(DAY, utc("2021-01-31 15:00"), 28, 1_000)
    assert taken(office, feed(KR, meter("A1", days[:7], days[7:14], days[14:21], days[21:]))) == [
        ("electricity", "A1", "2021-02", "28.000")
    ]
    # The same readings of a meter in New York begin in January and end in February: neither month is whole.
    assert taken(office, feed(NY, meter("A2", days)), name="b.xml") == [("electricity", "A1", "2021-02", "28.000")]
    assert office.refused() == [(1, "incomplete_period"), (2, "incomplete_period")]


def test_files_may_hold_several_meters_services_and_months(office: Office) -> None:
    january = every(DAY, utc("2021-01-01 05:00"), 31, 1)
    february = every(DAY, utc("2021-02-01 05:00"), 28, 2)
    rows = taken(
        office,
        feed(
            # 31 x 1 x 10^3 Wh = 31 kWh; 28 x 2 x 10^3 = 56
            meter("E1", january, february, powerOfTenMultiplier=3),
            # 31 x 12,345 x 10^-1 ft3 = 38,269.5 ft3 x 0.028317 = 1,083.6774... m3
            meter("G1", every(DAY, utc("2021-01-01 05:00"), 31, 12_345), service=1, uom=119, powerOfTenMultiplier=-1),
            # 31 x 1 x 10^-2 m3
            meter("W1", january, service=2, uom=42, powerOfTenMultiplier=-2),
            NY,  # the order of resources is free
        ),
    )
    assert rows == [
        ("electricity", "E1", "2021-01", "31.000"),
        ("electricity", "E1", "2021-02", "56.000"),
        ("gas", "G1", "2021-01", "1083.677"),
        ("water", "W1", "2021-01", "0.310"),
    ]


def test_powers_of_ten_are_exact(office: Office) -> None:
    cases = [
        (10_005, -1, "1.001"),  # 1,000.5 Wh: half up
        (10_004, -1, "1.000"),
        (7, -12, "0.000"),
        (0, 3, "0.000"),
        (5, 6, "5000.000"),
        (99_999, 3, "99999.000"),
        (499_999_999_999_999, -12, "0.500"),  # 499.999999999999 Wh
    ]

    def month(total: int) -> list:
        return [(*JANUARY[0][:2], total), *((*reading[:2], 0) for reading in JANUARY[1:])]

    meters = [
        meter(f"A{position}", month(total), powerOfTenMultiplier=ten) for position, (total, ten, _) in enumerate(cases)
    ]
    assert taken(office, feed(NY, *meters)) == [
        ("electricity", f"A{position}", "2021-01", expected) for position, (_, _, expected) in enumerate(cases)
    ]


def test_quality_codes(office: Office) -> None:
    cases = [
        ([()] * 31, "", False),
        ([(0,)] * 31, "", False),
        ([(14,)] * 30 + [(8,)], "", True),  # raw but for one day estimated by a reference day
        ([(17,)] * 30 + [(17, 9)], "", True),
        ([(19, 7)] * 31, "", False),
        ([()] * 31, "8", True),  # what the reading type says of readings that say nothing
        ([(0,)] * 31, "8", False),
    ]
    meters = [
        meter(
            f"A{position}",
            [(*reading, code) for reading, code in zip(JANUARY, codes, strict=True)],
            defaultQuality=default,
        )
        for position, (codes, default, _) in enumerate(cases)
    ]
    taken(office, feed(NY, *meters))
    assert office.query("select meter_key, is_estimated from lake.readings order by 1") == [
        (f"A{position}", expected) for position, (_, _, expected) in enumerate(cases)
    ]


# What is wrong -> (readings, how the usage point or its reading type differ, reason); one row each.
REFUSED_ROWS = {
    "apparent energy": (JANUARY, {"uom": 71}, "unknown_unit"),
    "a unit without conversion": (JANUARY, {"uom": 169, "service": 1}, "unknown_unit"),
    "gas in Wh": (JANUARY, {"service": 1}, "unknown_unit"),
    "no such multiplier": (JANUARY, {"powerOfTenMultiplier": 4}, "unknown_unit"),
    "fed into the grid": (JANUARY, {"flowDirection": 19}, "unknown_unit"),
    "another service": (JANUARY, {"service": 5}, "unknown_unit"),
    "no unit": (JANUARY, {"uom": ""}, "unknown_unit"),
    "a day is missing": (JANUARY[:10] + JANUARY[11:], {}, "incomplete_period"),
    "a day has no value": ([*JANUARY[1:], (*JANUARY[0][:2], None)], {}, "missing_value"),
    "a day is not a number": ([*JANUARY[1:], (*JANUARY[0][:2], "1.5")], {}, "bad_number"),
    "below zero": ([*JANUARY[1:], (*JANUARY[0][:2], -310_000)], {}, "negative_usage"),
    "too much": (JANUARY, {"powerOfTenMultiplier": 6}, "usage_out_of_range"),
    "more than any type holds": (
        every(DAY, utc("2021-01-01 05:00"), 31, 10**17),
        {"powerOfTenMultiplier": 12},
        "usage_out_of_range",
    ),
    "a day twice, differently": ([*JANUARY, (*JANUARY[3][:2], 7)], {}, "overlapping_period"),
    "an hour within a day": ([*JANUARY, (JANUARY[3][0] + HOUR, HOUR, 7)], {}, "overlapping_period"),
    "over the end of the month": ([(utc("2021-01-15 05:00"), 31 * DAY, 7)], {}, "incomplete_period"),
    "no time": ([("soon", DAY, 7)], {}, "missing_value"),  # without a start there is no month
    "no length": ([(utc("2021-01-01 05:00"), 0, 7)], {}, "missing_value"),
}


def test_months_that_are_refused(office: Office) -> None:
    meters = [meter(f"A{number:02}", rows, **how) for number, (rows, how, _) in enumerate(REFUSED_ROWS.values())]
    assert taken(office, feed(NY, *meters)) == []
    found = dict(zip(REFUSED_ROWS, (reason for _, reason in office.refused()), strict=True))
    assert found == {case: reason for case, (_, _, reason) in REFUSED_ROWS.items()}
    assert office.file("a.xml") == ("accepted", None, 18, 0, 18, 0)


def test_the_same_reading_twice_counts_once(office: Office) -> None:
    assert taken(office, feed(NY, meter("A1", JANUARY, JANUARY[5:9]))) == [("electricity", "A1", "2021-01", "310.000")]


def test_two_views_of_one_usage_count_once(office: Office) -> None:
    """Days and their month beside each other: the same row twice; if they differ, nobody can tell which is right."""
    month = [(utc("2021-01-01 05:00"), 31 * DAY, 310_000)]
    days = meter("A1", JANUARY, intervalLength=DAY)

    def other(value: int) -> str:
        readings = [(*month[0][:2], value)]
        return meter("A1", readings, number="02", with_point=False, intervalLength=31 * DAY)

    assert taken(office, feed(NY, days, other(310_000))) == [("electricity", "A1", "2021-01", "310.000")]
    assert office.file("a.xml") == ("accepted", None, 2, 1, 0, 1)
    office.drop("monthly_feed", "b.xml", feed(NY, days, other(310_001)))
    office.take_in("monthly_feed")
    assert office.refused() == [(1, "conflicting_duplicate"), (2, "conflicting_duplicate")]


def test_the_refused_rows_are_written_down(office: Office) -> None:
    taken(office, feed(NY, meter("A1", JANUARY[1:]), meter("A2", JANUARY)))
    [path] = (office.home.quarantine / "monthly_feed").glob("*.csv")
    header, row = path.read_text("utf-8-sig").splitlines()
    assert header.split(",")[:2] + header.split(",")[-2:] == ["usage_point", "usage_point_id", "row_no", "reason"]
    assert "A1" in row and "2021-01" in row and "300000" in row and row.endswith(",1,incomplete_period")
    assert "not to be read" not in path.read_text("utf-8-sig")


def test_addresses_may_be_whole(office: Office) -> None:
    content = feed(NY, meter("A1", JANUARY)).replace(b'href="', b'href="https://api.example/espi/1_1/resource/')
    assert taken(office, content) == [("electricity", "A1", "2021-01", "310.000")]


BOMB = """<!DOCTYPE feed [<!ENTITY a "ha">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;">
<!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;"><!ENTITY g "&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;">
<!ENTITY h "&g;&g;&g;&g;&g;&g;&g;&g;&g;&g;"><!ENTITY i "&h;&h;&h;&h;&h;&h;&h;&h;&h;&h;">]>"""
WHOLE = feed(NY, meter("A1", JANUARY))
REFUSED_FILES = {
    "0 bytes": (b"", "empty"),
    "no reading": (feed(NY, meter("A1")), "empty"),
    "no entry": (feed(), "empty"),
    "cut off": (WHOLE[: len(WHOLE) // 2], "not_readable"),
    "cut off at the end": (WHOLE.rstrip()[:-1], "not_readable"),
    "no XML": (b"usage_point,usage\nA1,1\n", "not_readable"),
    "bytes that are not its encoding": (WHOLE.replace(b"not to be read", b"\xff\xfe"), "not_readable"),
    "entity bomb": (feed(NY, meter("A1", [(0, 1, "&i;")]), head=BOMB), "not_readable"),
    "entity bomb in an attribute": (
        feed(NY, meter("A1", JANUARY), head=BOMB).replace(b"<feed ", b'<feed a="&i;" '),
        "not_readable",
    ),
    "external entity": (
        feed(NY, meter("A1", [(0, 1, "&x;")]), head='<!DOCTYPE feed [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
        "not_readable",
    ),
    "external document type": (
        feed(NY, meter("A1", JANUARY), head='<!DOCTYPE feed SYSTEM "http://192.0.2.1/x.dtd">'),
        "not_readable",
    ),
    "another document": (b'<?xml version="1.0"?><rss><item/></rss>', "schema_mismatch"),
    "no local time": (feed(meter("A1", JANUARY)), "schema_mismatch"),
    "milliseconds": (feed(NY, meter("A1", every(DAY, utc("2021-01-01 05:00") * 1000, 31, 7))), "schema_mismatch"),
    "a fraction of a second": (feed(NY, meter("A1", [("1609477200.5", DAY, 7)])), "schema_mismatch"),
    "an exponent": (feed(NY, meter("A1", [("1.6094772E9", DAY, 7)])), "schema_mismatch"),
    "before 1970": (feed(NY, meter("A1", [("-3600", DAY, 7)])), "schema_mismatch"),
    "a negative length": (feed(NY, meter("A1", [(utc("2021-01-01 05:00"), -DAY, 7)])), "schema_mismatch"),
    "daylight saving time in seconds since 1970": (
        feed(local_time(NEW_YORK | {"dstStartRule": "65ED5A70", "dstEndRule": "67271F70"}), meter("A1", JANUARY)),
        "schema_mismatch",
    ),
    "an offset of odd seconds": (
        feed(local_time(NEW_YORK | {"tzOffset": "-18030"}), meter("A1", JANUARY)),
        "schema_mismatch",
    ),
    "another namespace": (WHOLE.replace(b"http://naesb.org/espi", b"http://example.org/espi"), "empty"),
    "elements within elements": (
        feed(NY, meter("A1", JANUARY)).replace(b"</feed>", b"<a>" * 10_000 + b"</a>" * 10_000 + b"</feed>"),
        "not_readable",
    ),
    "no usage point": (feed(NY, meter("A1", JANUARY, with_point=False)), "schema_mismatch"),
    "an offset that is none": (
        feed(local_time(NEW_YORK | {"tzOffset": "EST"}), meter("A1", JANUARY)),
        "schema_mismatch",
    ),
    "a rule that is none": (
        feed(local_time(NEW_YORK | {"dstStartRule": "summer"}), meter("A1", JANUARY)),
        "schema_mismatch",
    ),
}


@pytest.mark.parametrize("case", REFUSED_FILES)
def test_feeds_refused_whole(office: Office, case: str) -> None:
    content, reason = REFUSED_FILES[case]
    assert taken(office, content) == []
    assert office.file("a.xml") == ("rejected", reason, None, None, None, None)
    [report] = (office.home.rejected / "monthly_feed").glob("*.json")
    found = json.loads(report.read_text("utf-8"))
    assert found["reason"] == reason and "root:" not in found["detail"]
    told = " ".join([found["detail"], *found["messages"].values()])
    assert "column" not in told  # an XML has none


def test_elements_that_are_no_reading_cannot_fill_memory(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """744 readings are forgotten one by one; 300 foreign elements are kept until their entry ends."""
    monkeypatch.setattr(espi, "_MOST_KEPT", 200)
    hours = every(HOUR, utc("2021-01-01 05:00"), 744, 500)
    assert taken(office, feed(NY, meter("A1", hours))) == [("electricity", "A1", "2021-01", "372.000")]
    full = feed(NY, meter("A1", hours)).replace(b"</feed>", b"<a/>" * 300 + b"</feed>")
    office.drop("monthly_feed", "b.xml", full)
    office.take_in("monthly_feed")
    assert office.file("b.xml")[:2] == ("rejected", "not_readable")


def test_forbidden_elements_are_not_landed(office: Office) -> None:
    """Customer data travel in feeds of their own; a source may refuse them by the elements' names."""
    source = replace(office.sources["monthly_feed"], forbidden_columns=("CustomerAccount",))
    office.sources["monthly_feed"] = source
    customer = '<CustomerAccount xmlns="http://naesb.org/espi/customer"><name>Kim</name></CustomerAccount>'
    assert taken(office, feed(NY, meter("A1", JANUARY), entry("Customer/1", customer))) == []
    assert office.file("a.xml")[:2] == ("rejected", "forbidden_column")
    assert not [path for path in office.home.landing.rglob("*") if path.is_file()]


def test_days_of_several_files_make_a_month(office: Office) -> None:
    """Prorated: January is whole only with the second file; a later file corrects single days."""
    # 20 days of 10 kWh and 11 of 10; then the 5th is 7 kWh after all: 310 - 3
    assert taken(office, feed(NY, meter("A1", JANUARY[:20])), "daily_feed", "a.xml") == []
    assert taken(office, feed(NY, meter("A1", JANUARY[20:])), "daily_feed", "b.xml") == [
        ("electricity", "A1", "2021-01", "310.000")
    ]
    fixed = [(*JANUARY[4][:2], 7_000, [9])]
    assert taken(office, feed(NY, meter("A1", fixed)), "daily_feed", "c.xml") == [
        ("electricity", "A1", "2021-01", "307.000")
    ]
    assert office.query("select is_estimated from lake.readings") == [(True,)]
    assert office.file("a.xml") == ("accepted", None, 20, 20, 0, 0)


def test_days_are_those_of_local_time(office: Office) -> None:
    """Prorated: the day of 23 hours is whole, a day of which a file has a part is not."""
    hours = every(HOUR, utc("2021-03-01 05:00"), 743, 500)
    assert taken(office, feed(NY, meter("A1", hours)), "daily_feed") == [("electricity", "A1", "2021-03", "371.500")]
    assert taken(office, feed(NY, meter("A2", hours[:-1])), "daily_feed", "b.xml") == [
        ("electricity", "A1", "2021-03", "371.500")
    ]
    assert office.refused() == [(31, "incomplete_period")]


def test_billing_intervals_are_prorated(office: Office) -> None:
    """Intervals longer than a day are bills: 59 days from 1 January (90 kWh) and 31 from 1 March (62 kWh)."""
    bills = [(utc("2021-01-01 05:00"), 59 * DAY, 90_000), (utc("2021-03-01 05:00"), 31 * DAY - HOUR, 62_000)]
    assert taken(office, feed(NY, meter("A1", bills)), "daily_feed") == [
        ("electricity", "A1", "2021-01", "47.288"),  # 90 x 31 / 59 = 47.2881...
        ("electricity", "A1", "2021-02", "42.712"),  # 90 x 28 / 59 = 42.7118...
        ("electricity", "A1", "2021-03", "62.000"),
    ]
    # A bill that begins at noon has no whole days.
    taken(office, feed(NY, meter("A2", [(utc("2021-01-01 17:00"), 31 * DAY, 1_000)])), "daily_feed", "b.xml")
    assert office.refused() == [(1, "incomplete_period")]


def test_the_edges_of_a_long_download_refuse_no_file(office: Office) -> None:
    """25 months of days from 10 January: the first and the last are cut, 2 of 25 rows, and 23 are whole."""
    days = every(DAY, utc("2021-01-09 15:00"), 22 + 365 - 31 + 365 + 20, 1_000)  # 22 days of January 2021, 20 of 2023
    rows = taken(office, feed(KR, meter("A1", days)))
    assert [row[2] for row in rows] == [f"{year}-{month:02}" for year in (2021, 2022) for month in range(1, 13)][1:]
    assert office.file("a.xml") == ("accepted", None, 25, 23, 2, 0)
    assert office.refused() == [(1, "incomplete_period"), (25, "incomplete_period")]
    # Another mistake does count: 2 of 27 rows are of an unknown unit, more than 5 %.
    office.drop("monthly_feed", "b.xml", feed(KR, meter("A1", days), meter("A2", days[22:81], uom=71)))
    office.take_in("monthly_feed")
    assert office.file("b.xml")[:2] == ("rejected", "too_many_bad_rows")


# Bills and days from another midnight than that of the feed's clock, New York's: (readings, what January has).
MIDNIGHTS = {
    "UTC": ([(utc("2021-01-01 00:00"), 31 * DAY, 310)], "310.000"),
    "UTC, day by day": (every(DAY, utc("2021-01-01 00:00"), 31, 10), "310.000"),
    "an hour to the west": ([(utc("2021-01-01 06:00"), 31 * DAY, 310)], "310.000"),
    "half an hour to the east": ([(utc("2021-01-01 04:30"), 31 * DAY, 310)], "310.000"),
    "noon is none": ([(utc("2021-01-01 17:00"), 31 * DAY, 310)], None),
    "two of them": ([(utc("2021-01-01 00:00"), 16 * DAY, 160), (utc("2021-01-17 05:00"), 15 * DAY, 150)], None),
    "no whole days": ([(utc("2021-01-01 00:00"), 31 * DAY + HOUR, 310)], None),
    "hours are no days": (every(HOUR, utc("2021-01-01 00:00"), 31 * 24, 1), None),
}


@pytest.mark.parametrize("case", MIDNIGHTS)
@pytest.mark.parametrize("source_id", ["monthly_feed", "daily_feed"])
def test_whole_days_from_another_midnight(office: Office, case: str, source_id: str) -> None:
    readings, usage = MIDNIGHTS[case]
    rows = taken(office, feed(NY, meter("A1", readings, powerOfTenMultiplier=3)), source_id)
    assert rows == ([("electricity", "A1", "2021-01", usage)] if usage else [])


def test_bills_from_midnight_of_standard_time_all_year(office: Office) -> None:
    """05:00 UTC is midnight in winter and 01:00 on New York's clock from 14 March on."""
    bills = [(utc("2021-03-01 05:00"), 31 * DAY, 31_000), (utc("2021-04-01 05:00"), 30 * DAY, 60_000)]
    assert taken(office, feed(NY, meter("A1", bills)), "daily_feed") == [
        ("electricity", "A1", "2021-03", "31.000"),
        ("electricity", "A1", "2021-04", "60.000"),
    ]


def test_bills_from_midnight_utc_are_prorated(office: Office) -> None:
    """Seoul: 09:00 by its clock. 34 days from 3 December 2022 (58 m3) and 29 from 6 January 2023 (66 m3)."""
    bills = [(utc("2022-12-03 00:00"), 34 * DAY, 58_000), (utc("2023-01-06 00:00"), 29 * DAY, 66_000)]
    content = feed(KR, meter("A1", bills, service=1, uom=42, powerOfTenMultiplier=-3))
    # January: 58 x 5 / 34 + 66 x 26 / 29 = 8.52941... + 59.17241... = 67.70182...
    assert taken(office, content, "daily_feed") == [("gas", "A1", "2023-01", "67.702")]
    assert office.file("a.xml") == ("accepted", None, 2, 2, 0, 0)


def test_days_of_23_and_25_hours_stay_those_of_the_clock(office: Office) -> None:
    """New York, March and November 2021, day by day: one has 23 hours, one 25."""
    spring = [(start, DAY, 1_000) for start, *_ in every(DAY, utc("2021-03-01 05:00"), 13, 0)]
    spring += [(utc("2021-03-14 05:00"), 23 * HOUR, 1_000), *every(DAY, utc("2021-03-15 04:00"), 17, 1_000)]
    autumn = every(DAY, utc("2021-11-01 04:00"), 6, 1_000)
    autumn += [(utc("2021-11-07 04:00"), 25 * HOUR, 1_000), *every(DAY, utc("2021-11-08 05:00"), 23, 1_000)]
    assert taken(office, feed(NY, meter("A1", spring, autumn))) == [
        ("electricity", "A1", "2021-03", "31.000"),
        ("electricity", "A1", "2021-11", "30.000"),
    ]


def test_a_zone_of_half_an_hour(office: Office) -> None:
    """Midnight in Delhi is 18:30 UTC of the day before."""
    delhi = local_time({"tzOffset": "19800", "dstOffset": "0"})
    hours = every(HOUR, utc("2020-12-31 18:30"), 31 * 24, 1_000)
    assert taken(office, feed(delhi, meter("A1", hours))) == [("electricity", "A1", "2021-01", "744.000")]


def test_times_may_end_in_zeros(office: Office) -> None:
    january = [(f"{start}.000", f"{length}.0", value) for start, length, value in JANUARY]
    assert taken(office, feed(NY, meter("A1", january))) == [("electricity", "A1", "2021-01", "310.000")]


def test_prefixes_are_free(office: Office) -> None:
    content = feed(NY, meter("A1", JANUARY)).decode()
    content = content.replace("<feed xmlns=", "<feed xmlns:e='http://naesb.org/espi' xmlns=")
    for name in ("IntervalReading", "timePeriod", "start", "duration", "value"):
        content = content.replace(f"<{name}>", f"<e:{name}>").replace(f"</{name}>", f"</e:{name}>")
    content = content.replace("<interval><e:duration>86400</e:duration><e:start>0</e:start></interval>", "")
    assert taken(office, content.encode()) == [("electricity", "A1", "2021-01", "310.000")]


def test_a_feed_without_local_time_has_that_of_its_source(office: Office) -> None:
    """March by the hour in New York; what a feed says itself comes first."""
    office.sources["monthly_feed"] = replace(office.sources["monthly_feed"], time_zone="America/New_York")
    hours = every(HOUR, utc("2021-03-01 05:00"), 743, 500)
    expected = [("electricity", "A1", "2021-03", "371.500")]
    assert taken(office, feed(meter("A1", hours))) == expected
    february = every(DAY, utc("2021-01-31 15:00"), 28, 1_000)
    assert taken(office, feed(KR, meter("A2", february)), name="b.xml") == [
        *expected,
        ("electricity", "A2", "2021-02", "28.000"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("header: quality", "header: qualities", "columns.read_kind.header: 'qualities' is none of usage_point"),
        ("read: {format: espi}", "read: {format: espi, encoding: utf-8}", "read: format: espi is for kind readings"),
        ("kind: readings", "time_zone: Mars/Olympus\nkind: readings", "time_zone: 'Mars/Olympus' is no time zone"),
        ("kind: readings", "time_zone: ../etc/passwd\nkind: readings", "time_zone: '../etc/passwd' is no time zone"),
        ("kind: readings", "time_zone: 9\nkind: readings", "time_zone: must be a text, not 9"),
        ("read: {format: espi}", "read: {format: csv}\ntime_zone: Asia/Seoul", "time_zone: is for format: espi"),
        ("kind: readings\nprovider: utility", "kind: slips", "read: format: espi is for kind readings"),
    ],
)
def test_declarations_that_cannot_be_used(tmp_path: Path, old: str, new: str, key: str) -> None:
    text = (PACK / "monthly_feed.yml").read_text("utf-8")
    assert old in text
    path = tmp_path / "green_button" / "sources" / "monthly_feed.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(SourceError) as raised:
        ingest_source(read_source(path), Home(tmp_path / "home"))
    assert str(raised.value).startswith(f"{path}: {key}")
