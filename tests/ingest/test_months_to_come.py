"""A file cannot speak of months after the one in which it was received, by the calendar of the programme."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tanso.ingest.landing import land
from tanso.ingest.verdicts import judge
from tests.ingest.conftest import Office


def received(office: Office, source_id: str, rows: list[str], received_at: str) -> list[tuple[int, str]]:
    """The refused rows of a file that came at that time."""
    name = office.sources[source_id].pattern.replace("*", "1")
    office.drop(source_id, name, rows)
    land.land(office.sources[source_id], office.home)
    [receipt] = land.receipts(office.home, source_id)
    judge.judge(office.sources[source_id], replace(receipt, received_at=received_at), office.home, office.policy, "")
    office.publish()
    return office.refused()


# Seoul and Tokyo are nine hours ahead of UTC: January begins there at 15:00 on 31 December.
EDGES = [("2020-12-31T14:59:59.999999Z", {"202101"}), ("2020-12-31T15:00:00.000000Z", set())]


@pytest.mark.parametrize(("received_at", "to_come"), EDGES)
@pytest.mark.parametrize(
    ("source_id", "row"),
    [
        ("kr_kepco", "000000000{},{},,,5,,"),
        ("kr_citygas", "{},{},5,m3,,"),
        ("kr_apartments", "K1,{},101,{},1,2,3"),
        ("kr_waterworks", "{},{},5,"),
        ("jp_meter_slips", "N{},電気,{},300,310"),
    ],
)
def test_the_month_of_receipt_is_the_last(
    office: Office, source_id: str, row: str, received_at: str, to_come: set[str]
) -> None:
    months = ["202012", "202101", "202102", "292101"]
    found = received(office, source_id, [row.format(n, month) for n, month in enumerate(months, start=1)], received_at)
    assert found == [
        (row_no, "bad_month") for row_no, month in enumerate(months, start=1) if month in to_come | {"202102", "292101"}
    ]


def test_a_file_of_today_may_speak_of_this_month(office: Office) -> None:
    month = f"{date.today():%Y%m}"
    office.drop("kr_kepco", "kepco_1.csv", [f"0000000001,{month},,,5,,", "0000000002,292101,,,5,,"])
    office.take_in("kr_kepco")
    assert [row[2] for row in office.readings()] == [f"{month[:4]}-{month[4:]}"]
