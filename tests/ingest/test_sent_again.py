"""A file that comes again under its name with other bytes replaces what the earlier one brought, in every kind."""

from __future__ import annotations

import pytest

from tests.ingest.conftest import Office

# source, name, rows at first, rows when the file comes again, what is in the lake then
CASES = {
    "readings": (
        ("kr_kepco", "kepco_a.csv"),
        ["0000000001,202101,,,10,,", "0000000002,202101,,,20,,", "0000000003,202102,,,30,,"],
        ["0000000001,202101,,,11,,"],
        ("select meter_key, usage_month, usage from lake.readings", [("0000000001", "2021-01-01", "11.000")]),
    ),
    "slips": (
        ("jp_meter_slips", "slips_a.csv"),
        ["N1,電気,201804,300,310", "N2,電気,201804,300,310"],
        ["N1,電気,201804,299,310"],
        ("select participant_id, usage from lake.slips", [("N1", "299.000")]),
    ),
    "applications": (
        ("jp_applications", "applications_a.csv"),
        ["A1,N1,2018,2019-03-01,有,無,,3,,,,,,", "A2,N2,2018,2019-03-01,有,無,,3,,,,,,"],
        ["A2,N2,2018,2019-03-02,有,無,,3,,,,,,"],
        ("select application_id, received_on from lake.applications", [("A2", "2019-03-02")]),
    ),
    "actions": (
        ("jp_actions", "actions_a.csv"),
        ["N1,2018-06-01,bag,1", "N2,2018-06-01,bag,1"],
        ["N1,2018-06-02,bag,1", "N1,2018-06-02,bag,2"],
        (
            "select participant_id, acted_on, quantity from lake.activities",
            [("N1", "2018-06-02", 1), ("N1", "2018-06-02", 2)],
        ),
    ),
    "opening points": (
        ("jp_opening_points", "opening_a.csv"),
        ["N1,H30.5.15,28000", "N2,H30.5.15,100"],
        ["N1,H30.5.15,280", "N2,H30.5.16,100"],
        (
            "select participant_id, certified_on, points from lake.opening_points",
            [("N1", "2018-05-15", 280), ("N2", "2018-05-16", 100)],
        ),
    ),
    "returns": (
        ("kr_returns", "returns_a.csv"),
        ["2021H1-001,1,계좌해지", "2021H1-001,2,계좌해지"],
        ["2021H1-001,2,예금주 불일치"],
        ("select line_no, reason from lake.returns", [(2, "예금주 불일치")]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", CASES)
def test_what_a_file_no_longer_has_is_gone(office: Office, kind: str) -> None:
    (source_id, name), first, again, (query, expected) = CASES[kind]
    for rows in (first, again):
        office.drop(source_id, name, rows)
        office.take_in(source_id)
    assert office.query(f"{query} order by all") == expected
    assert office.query("select status, rows_accepted from lake.files order by received_at") == [
        ("accepted", len(first)),
        ("accepted", len(again)),
    ]


def test_a_file_that_is_refused_when_it_comes_again_replaces_nothing(office: Office) -> None:
    office.drop("jp_opening_points", "opening_a.csv", ["N1,H30.5.15,280"])
    office.take_in("jp_opening_points")
    office.drop("jp_opening_points", "opening_a.csv", ["N1,280"], header="参加者番号,ポイント")
    office.take_in("jp_opening_points")
    assert office.file("opening_a.csv")[0] == "rejected"
    assert office.query("select points from lake.opening_points") == [(280,)]


JULY, JUNE = ["0000000001,202107,,,70,,"], ["0000000001,202106,,,60,,"]
BOTH = [("electricity", "0000000001", "2021-06", "60.000"), ("electricity", "0000000001", "2021-07", "70.000")]


def test_bytes_sent_under_a_wrong_name_count_once_they_have_the_right_one(office: Office) -> None:
    for name, rows in (("kepco_202106.csv", JULY), ("kepco_202106.csv", JUNE), ("kepco_202107.csv", JULY)):
        office.drop("kr_kepco", name, rows)
        office.take_in("kr_kepco")
    assert office.file("kepco_202107.csv")[0] == "duplicate"
    assert office.readings() == BOTH


def test_a_second_copy_goes_with_the_first(office: Office) -> None:
    """A copy that was there before the correction was never taken, so it does not speak against it."""
    for name, points in (("opening_b.csv", 28000), ("opening_c.csv", 28000), ("opening_b.csv", 280)):
        office.drop("jp_opening_points", name, [f"N1,H30.5.15,{points}"])
        office.take_in("jp_opening_points")
    assert office.query("select points from lake.opening_points") == [(280,)]


def test_the_first_bytes_once_more_under_their_name_are_a_duplicate(office: Office) -> None:
    for points in (28000, 280, 28000):
        office.drop("jp_opening_points", "opening_a.csv", [f"N1,H30.5.15,{points}"])
        office.take_in("jp_opening_points")
    assert office.query("select status from lake.files order by received_at") == [
        ("accepted",), ("accepted",), ("duplicate",),
    ]  # fmt: skip
    assert office.query("select points from lake.opening_points") == [(280,)]
