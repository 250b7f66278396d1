"""Slips: this year's and last year's usage of a month."""

from __future__ import annotations

import pytest

from tests.ingest.conftest import Office

ROWS = {
    "good": ("N1,電気,2018-07,280,300", None),
    "half-width kana": ("N1,ｶﾞｽ,201807,20.5,21", None),
    "last year not on the slip": ("N1,電気,2018-07,280,", None),
    "no participant": (",電気,2018-07,280,300", "missing_value"),
    "no kind": ("N1,,2018-07,280,300", "missing_value"),
    "no month": ("N1,電気,,280,300", "missing_value"),
    "no usage": ("N1,電気,2018-07,,300", "missing_value"),
    "a day": ("N1,水道,2018-07-01,280,300", "bad_month"),
    "usage is no number": ("N1,水道,2018-07,2 80,300", "bad_number"),
    "last year is no number": ("N1,電気,2018-07,280,-", "bad_number"),
    "negative": ("N1,水道,2018-07,-1,300", "negative_usage"),
    "last year negative": ("N1,電気,2018-07,280,-0.001", "negative_usage"),
    "another kind": ("N1,水道,2018-07,999999,300", "unknown_unit"),
    "out of range": ("N1,ガス,2018-07,10000.001,300", "usage_out_of_range"),
    "last year out of range": ("N1,電気,2018-07,280,100001", "usage_out_of_range"),
    "at the limit": ('N1,電気,2018-07,"100,000",100000', None),
}


def test_reasons(office: Office) -> None:
    for number, (row, _) in enumerate(ROWS.values()):
        office.drop("jp_meter_slips", f"slips_{number:02d}.csv", [row])
    office.take_in("jp_meter_slips")
    found = dict(office.query("select file_name, reason from lake.quarantine"))
    expected = {f"slips_{number:02d}.csv": reason for number, (_, reason) in enumerate(ROWS.values())}
    assert found == {name: reason for name, reason in expected.items() if reason}


def test_conflicts_and_duplicates(office: Office) -> None:
    rows = [
        "N1,電気,2018-07,280,300",
        "N1,電気,201807,280.0,300",
        "N2,電気,2018-07,280,300",
        "N2,電気,2018-07,280,301",  # another last year conflicts as well
        "N3,電気,2018-07,280,",
        "N3,電気,2018-07,280,300",
        "N4,電気,2018-07,280,",
        "N4,電気,2018-07,280,",
    ]
    office.drop("jp_meter_slips", "slips_1.csv", rows)
    result = office.take_in("jp_meter_slips")
    assert result.problems == []
    assert office.refused() == [(row_no, "conflicting_duplicate") for row_no in (3, 4, 5, 6)]
    assert office.file("slips_1.csv")[2:] == (8, 2, 4, 2)
    assert office.publish().notes == {"jp_meter_slips": {"conflicts": {"slips_1.csv": ["N2", "N3"]}}}


@pytest.mark.parametrize("first", ["slips_1.csv", "slips_2.csv"])
def test_a_later_name_supersedes(office: Office, first: str) -> None:
    files = {"slips_1.csv": "N1,電気,2018-07,280,300", "slips_2.csv": "N1,電気,2018-07,270,"}
    for name in sorted(files, key=lambda name: name != first):
        office.drop("jp_meter_slips", name, [files[name]])
        office.take_in("jp_meter_slips")
    found = office.query("select participant_id, utility, usage_month, usage, previous_usage from lake.slips")
    assert found == [("N1", "electricity", "2018-07-01", "270.000", None)]
