"""Bills whose periods are no months: shares worked out by hand, overlaps, gaps, corrections by later files."""

from __future__ import annotations

import csv
import hashlib
import itertools
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tanso.ingest import ingest_source
from tanso.packs.policy import Policy, load_policy
from tanso.packs.sources import Source, SourceError, load_sources, read_source
from tanso.settings import PROJECT_ROOT, Home
from tests.ingest.conftest import Office

ROOTS = [PROJECT_ROOT / "tests" / "packs"]
HEADER = "Development Name,Meter Number,Service Start Date,Service End Date,Consumption (HCF),Estimated,Rate Class"
M = "A\x1f1"  # development A, meter 1


@pytest.fixture(scope="module")
def declared() -> tuple[Source, Policy]:
    """The water bills' declaration, in m3 so that sums are easy, and lenient: the cases are nothing but bad rows."""
    [source] = [source for source in load_sources(ROOTS) if source.source_id == "housing_bills"]
    usages = [{"field": "usage", "utility": "water", "unit": "m3", "max": 28317}]
    lenient = replace(source, options={**source.options, "usages": usages}, max_bad_ratio=Decimal(1))
    return lenient, load_policy(ROOTS)


@pytest.fixture
def office(tmp_path: Path, declared: tuple[Source, Policy]) -> Office:
    return Office(Home(tmp_path / "home"), {"housing_bills": declared[0]}, declared[1])


def bill(starts_on: str, ends_on: str, usage: object, *, meter: str = "1", estimated: str = "N") -> str:
    return f"A,{meter},{starts_on},{ends_on},{usage},{estimated},Basic"


def months(office: Office, *rows: str, name: str = "a.csv") -> dict[str, str]:
    """Month -> usage of meter 1 once the file is in."""
    office.drop("housing_bills", name, rows, header=HEADER)
    office.take_in("housing_bills")
    return dict(
        office.query(f"select strftime(usage_month, '%Y-%m'), usage from lake.readings where meter_key = '{M}'")
    )


def incomplete(office: Office) -> list[list[str]]:
    path = office.home.reports / "incomplete_months" / "housing_bills.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [row[2:] for row in list(csv.reader(file))[1:] if row[1] == "A / 1"]


def test_usage_is_spread_over_days(office: Office) -> None:
    """Days from the start up to the day before the end: the next bill begins on the day that the last one ends."""
    found = months(
        office,
        bill("12/17/2020", "01/16/2021", 30),  # 30 days, 15 of them in January: 15
        bill("01/16/2021", "02/15/2021", 45),  # 30 days, 16 in January: 24; 14 in February: 21
        bill("02/15/2021", "03/15/2021", 56),  # 28 days, 14 in February: 28; 14 in March
    )
    assert found == {"2021-01": "39.000", "2021-02": "49.000"}
    assert incomplete(office) == [["2020-12", "15", "31"], ["2021-03", "14", "31"]]


def test_the_end_may_be_the_last_day(office: Office) -> None:
    source = office.sources["housing_bills"]
    office.sources["housing_bills"] = replace(source, options={**source.options, "period_end": "inclusive"})
    assert months(office, bill("01/01/2021", "01/31/2021", 10), bill("02/01/2021", "02/28/2021", 9)) == {
        "2021-01": "10.000",
        "2021-02": "9.000",
    }
    # one day is a period, and its bill is the whole of it
    assert months(office, bill("03/01/2021", "03/01/2021", 1), bill("03/02/2021", "03/31/2021", 2), name="b.csv")[
        "2021-03"
    ] == ("3.000")


def test_a_month_is_rounded_once_half_up(office: Office) -> None:
    # January: 1 x 15/31 + 1 x 16/32 = 0.48387... + 0.5; each part rounded for itself would give the same
    # May: 0.001 x 15/30 + 0.001 x 16/32 = 0.0005 + 0.0005 = 0.001; each part rounded would give 0.002
    # July: 0.001 x 1/2 = 0.0005 of 1 July, and nothing after it: half up
    found = months(
        office,
        bill("12/16/2020", "01/16/2021", 1),
        bill("01/16/2021", "02/17/2021", 1),
        bill("04/16/2021", "05/16/2021", "0.001"),
        bill("05/16/2021", "06/17/2021", "0.001"),
        bill("06/30/2021", "07/02/2021", "0.001"),
        bill("07/02/2021", "08/01/2021", 0),
    )
    assert found == {"2021-01": "0.984", "2021-05": "0.001", "2021-07": "0.001"}


def test_one_bill_may_cover_several_months(office: Office) -> None:
    # 92 days from 15 January to 17 April, 92 m3: a day is 1 m3
    found = months(office, bill("01/15/2021", "04/17/2021", 92), bill("01/01/2021", "01/15/2021", 7))
    assert found == {"2021-01": "24.000", "2021-02": "28.000", "2021-03": "31.000"}


def test_a_month_with_a_gap_does_not_count(office: Office) -> None:
    rows = [bill("01/01/2021", "01/20/2021", 19), bill("01/21/2021", "03/01/2021", 39)]
    assert months(office, *rows) == {"2021-02": "28.000"}
    assert incomplete(office) == [["2021-01", "30", "31"]]
    # the missing day comes with a later file, and the report is empty again
    assert months(office, bill("01/20/2021", "01/21/2021", 1), name="b.csv") == {
        "2021-01": "31.000",
        "2021-02": "28.000",
    }
    assert incomplete(office) == []


REASONS = [
    (bill("", "02/01/2021", 1), "missing_value"),
    (bill("02/30/2021", "03/01/2021", 1), "bad_period"),
    (bill("2021-01-01", "1.2.2021", 1), "bad_period"),
    (bill("01/01/2021", "02/01/2021", "x"), "bad_number"),
    (bill("01/01/2021", "02/01/2021", -1), "negative_usage"),
    (bill("01/01/2021", "02/01/2021", 28318), "usage_out_of_range"),
    (bill("02/01/2021", "01/31/2021", 1), "period_reversed"),
    (bill("02/01/2021", "02/01/2021", 1), "period_empty"),
    (bill("01/01/2021", "05/12/2021", 1), "period_too_long"),  # 131 days
    (bill("01/01/2021", "05/11/2021", 1, meter="2"), None),  # 130
    (bill("2021-06-01", "20210701", 1, meter="2"), None),  # the plain forms stay allowed
]


def test_rows_that_are_refused(office: Office) -> None:
    assert months(office, *(row for row, _ in REASONS)) == {}
    wanted = [(number, reason) for number, (_, reason) in enumerate(REASONS, start=1) if reason]
    assert office.refused() == wanted


def test_what_repeats_or_overlaps_in_one_file(office: Office) -> None:
    found = months(
        office,
        bill("01/01/2021", "02/01/2021", 31),  # 1 stays
        bill("01/01/2021", "02/01/2021", "31.0"),  # 2 says it again
        bill("02/01/2021", "03/01/2021", 28),  # 3 and 4 differ
        bill("02/01/2021", "03/01/2021", 29),
        bill("03/01/2021", "04/01/2021", 31),  # 5 and 6 share a day
        bill("03/31/2021", "05/01/2021", 31),
        bill("05/01/2021", "06/01/2021", 31),  # 7 touches 6 and 8, and shares no day
        bill("06/01/2021", "07/01/2021", 30),
        bill("07/01/2021", "10/01/2021", 92),  # 9 overlaps 10 and 11, which do not overlap each other
        bill("07/01/2021", "08/01/2021", 31),
        bill("08/01/2021", "09/01/2021", 31),
        bill("03/01/2021", "04/01/2021", 31, meter="2"),  # 12: another meter
    )
    assert found == {"2021-01": "31.000", "2021-05": "31.000", "2021-06": "30.000"}
    overlapping = [(row, "overlapping_period") for row in (5, 6, 9, 10, 11)]
    assert office.refused() == sorted([(3, "conflicting_duplicate"), (4, "conflicting_duplicate"), *overlapping])
    assert office.file("a.csv") == ("accepted", None, 12, 4, 7, 1)


def test_later_files_replace_what_they_overlap(office: Office) -> None:
    assert months(office, bill("01/01/2021", "02/01/2021", 31), bill("02/01/2021", "03/01/2021", 28)) == {
        "2021-01": "31.000",
        "2021-02": "28.000",
    }
    # the same period again: the later figure
    assert months(office, bill("01/01/2021", "02/01/2021", 62), name="b.csv")["2021-01"] == "62.000"
    # other periods: both bills of the first file go, and with them the end of February
    found = months(office, bill("01/01/2021", "02/15/2021", 45), name="c.csv")
    assert found == {"2021-01": "31.000"}
    assert incomplete(office) == [["2021-02", "14", "28"]]
    # c is replaced in turn; the bill of February, which it had replaced, does not come back
    assert months(office, bill("01/01/2021", "02/01/2021", 93), name="d.csv") == {"2021-01": "93.000"}
    assert office.publish().notes["housing_bills"]["superseded_bills"].startswith("2 bills replaced")
    assert office.refused() == []  # they were good bills, and are no more in force


@pytest.mark.parametrize("arrival", list(itertools.permutations("abc")))
def test_names_decide_and_not_the_order_of_arrival(office: Office, arrival: tuple[str, ...]) -> None:
    files = {
        "a": [bill("01/01/2021", "01/15/2021", 14)],
        "b": [bill("01/15/2021", "02/01/2021", 17)],
        "c": [bill("01/10/2021", "01/15/2021", 50), bill("01/01/2021", "01/10/2021", 9)],
    }
    for name in arrival:
        found = months(office, *files[name], name=f"{name}.csv")
    assert found == {"2021-01": "76.000"}  # 9 + 50 + 17
    [reading] = office.query("select source_file_id, is_estimated, tariff from lake.readings")
    content = (office.home.inbox / "housing_bills" / "c.csv").read_bytes()
    assert reading == (hashlib.sha256(content).hexdigest(), False, "Basic")  # of its files the last


def test_a_month_with_an_estimated_bill_is_estimated(office: Office) -> None:
    months(
        office,
        bill("01/01/2021", "01/31/2021", 30, estimated="Y"),
        bill("01/31/2021", "03/01/2021", 29),
    )
    assert office.query("select strftime(usage_month, '%m'), is_estimated from lake.readings order by 1") == [
        ("01", True),
        ("02", False),
    ]


def test_the_lake_is_made_again_and_only_what_changed_is_written(office: Office) -> None:
    months(office, *(bill(f"{month:02}/01/2021", f"{month + 1:02}/01/2021", month) for month in range(1, 6)))

    def state() -> dict[str, tuple[str, int]]:
        paths = sorted((office.home.lake / "readings").rglob("*.parquet"))
        return {
            path.parent.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns) for path in paths
        }

    before = state()
    assert list(before) == [f"usage_month=2021-{month:02}" for month in range(1, 6)]
    months(office, bill("03/01/2021", "04/01/2021", 9), name="b.csv")
    after = state()
    assert {month for month in before if before[month] != after[month]} == {"usage_month=2021-03"}
    shutil.rmtree(office.home.lake)
    office.take_in("housing_bills")
    assert {month: digest for month, (digest, _) in state().items()} == {
        month: digest for month, (digest, _) in after.items()
    }
    # without its bill a month leaves the lake
    months(office, bill("02/01/2021", "03/02/2021", 1), name="c.csv")
    assert list(state()) == [f"usage_month=2021-{month:02}" for month in (1, 2, 4, 5)]


def _by_hand(files: Sequence[Sequence[tuple[date, date, int]]]) -> dict[str, Decimal]:
    """The month's sums in fractions, day by day."""
    in_file = [
        [one for one in set(bills) if not any(one != other and _share(one, other) for other in bills)]
        for bills in files
    ]
    kept = [
        one
        for number, bills in enumerate(in_file)
        for one in bills
        if not any(_share(one, later) for others in in_file[number + 1 :] for later in others)
    ]
    days: dict[date, Fraction] = {}
    for starts_on, ends_on, usage in kept:
        length = (ends_on - starts_on).days
        days |= {starts_on + timedelta(days=day): Fraction(usage, length) for day in range(length)}
    found: dict[str, Decimal] = {}
    for month in {day.replace(day=1) for day in days}:
        of_month = [days[day] for day in days if day.replace(day=1) == month]
        if len(of_month) == ((month + timedelta(days=31)).replace(day=1) - month).days:
            total = sum(of_month) * 1000
            whole = Decimal(total.numerator) / Decimal(total.denominator)
            found[f"{month:%Y-%m}"] = whole.quantize(Decimal(1), ROUND_HALF_UP) / 1000
    return found


def _share(one: tuple[date, date, int], other: tuple[date, date, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


_SPANS = st.lists(st.integers(3, 70), min_size=2, max_size=6)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lengths=_SPANS,
    starts=st.lists(st.integers(0, 40), min_size=2, max_size=3),
    usages=st.lists(st.integers(0, 9999), min_size=20, max_size=20),
    odd=st.tuples(st.integers(0, 90), st.integers(1, 60)),
)
def test_months_as_worked_out_day_by_day(
    office: Office, lengths: list[int], starts: list[int], usages: list[int], odd: tuple[int, int]
) -> None:
    """Chains of bills in two or three files, and one bill anywhere among those of the first."""
    if office.home.root.exists():
        shutil.rmtree(office.home.root)
    numbers, first_day, files = iter(usages), date(2020, 12, 20), []
    for position, start in enumerate(starts):
        bills, day = [], first_day + timedelta(days=start + 60 * position)
        for length in lengths[position:]:
            bills.append((day, day + timedelta(days=length), next(numbers)))
            day = bills[-1][1]
        files.append(bills)
    from_day = first_day + timedelta(days=odd[0])
    files[0].append((from_day, from_day + timedelta(days=odd[1]), next(numbers)))
    for position, bills in enumerate(files):
        rows = [bill(f"{one:%m/%d/%Y}", f"{two:%m/%d/%Y}", usage) for one, two, usage in bills]
        found = months(office, *rows, name=f"{position}.csv")
    # Bills of one file with the same period and different usage are in conflict: in neither of the two ways in force.
    assert {month: Decimal(usage) for month, usage in found.items()} == _by_hand(files)


BAD = {
    "basis": ("month_basis: prorated", "month_basis: weekly", "options.month_basis: must be calendar or prorated"),
    "no basis": ("month_basis: prorated", "month_basis: calendar", "options.max_days: is for month_basis: prorated"),
    "end": ("period_end: exclusive", "period_end: open", "options.period_end: must be exclusive or inclusive"),
    "days": ("max_days: 130", "max_days: 0", "options.max_days: must be a whole number above 0"),
    "no days": ("max_days: 130", "", "options.max_days: is missing"),
    "no start": ("starts_on: {header: Service Start Date,", "from_on: {header: X,", "columns.starts_on: is needed"),
    "month": (
        "tariff: {header: Rate Class}",
        "usage_month: {header: Revenue Month}",
        "columns.usage_month: has no use with month_basis: prorated",
    ),
    "unit": ("given_in: HCF", "given_in: 1", "options.usages[0].given_in: must be a text, not 1"),
    "unit twice": (
        "tariff: {header: Rate Class}",
        "unit: {header: Unit}",
        "options.usages[0].given_in: is for extracts without a column unit",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_declarations_that_cannot_be_used(tmp_path: Path, case: str) -> None:
    old, new, message = BAD[case]
    text = (ROOTS[0] / "housing_water" / "sources" / "housing_bills.yml").read_text("utf-8")
    assert old in text
    path = tmp_path / "housing_water" / "sources" / "housing_bills.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(SourceError) as raised:
        ingest_source(read_source(path), Home(tmp_path / "home"))
    assert str(raised.value).startswith(f"{path}: {message}")


def test_a_column_in_another_unit_is_converted(tmp_path: Path, declared: tuple[Source, Policy]) -> None:
    """1 HCF = 2.8317 m3: 31 HCF = 87.7827 m3, half up; the limit is one of m3 (10,000 HCF are 28,317 m3)."""
    [source] = [source for source in load_sources(ROOTS) if source.source_id == "housing_bills"]
    office = Office(Home(tmp_path / "home"), {"housing_bills": source}, declared[1])
    rows = [bill("01/01/2021", "02/01/2021", 31), bill("03/01/2021", "04/01/2021", 10000)]
    rows.append(bill("05/01/2021", "06/01/2021", "10000.001"))  # 28,317.0028317
    assert months(office, *rows) == {"2021-01": "87.783", "2021-03": "28317.000"}
    assert office.refused() == [(3, "usage_out_of_range")]


def test_a_bill_that_a_corrected_file_no_longer_has_is_gone(office: Office) -> None:
    assert months(office, bill("2021-01-01", "2021-02-01", 31), bill("2021-02-01", "2021-03-01", 28)) == {
        "2021-01": "31.000",
        "2021-02": "28.000",
    }
    assert months(office, bill("2021-01-01", "2021-02-01", 62)) == {"2021-01": "62.000"}


def test_a_bill_that_reaches_into_a_month_after_its_receipt(office: Office) -> None:
    here = date.today().replace(day=1)
    then = (here + timedelta(days=31)).replace(day=1)
    rows = [bill(str(here), str(then), 31), bill(str(here), str(then + timedelta(days=1)), 31, meter="2")]
    months(office, *rows)
    assert office.refused() == [(2, "bad_month")]
