"""A participant in two registers of one programme counts in one of them, and stops nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tanso.packs.sources import Source
from tests.ingest.conftest import Office

HEADER = "参加者番号,氏名,ニックネーム,郵便番号,住所,登録日,転出日,旧制度申請日,ガス使用,登録前年度CO2排出量"


@pytest.fixture
def towns(office: Office, sources: dict[str, Source]) -> Office:
    for town in ("a", "b", "c"):
        office.sources[town] = replace(sources["jp_registrations"], source_id=town, pull_url=f"inbox/{town}")
    return office


def register(office: Office, town: str, members: dict[str, str], day: str = "20190401") -> None:
    """A register of these members; number -> the day of moving out, blank if none."""
    rows = [f"{number},{town},,,住所{number},2018-04-01,{moved_out},,有," for number, moved_out in members.items()]
    office.drop(town, f"registrations_{day}.csv", rows, HEADER)


def who_counts(office: Office) -> list[tuple[str, str]]:
    """Participant and register."""
    query = "select participant_id, file_name from lake.participants join lake.files on sha256 = source_file_id"
    return office.query(f"{query} order by all")


def test_the_first_register_by_name_counts(towns: Office) -> None:
    register(towns, "b", {"N1": "", "N2": ""})
    register(towns, "a", {"N1": "", "N3": ""}, "20180401")
    register(towns, "c", {"N1": ""}, "20170401")
    towns.take_in("b", "a", "c")
    assert who_counts(towns) == [
        ("N1", "registrations_20180401.csv"),
        ("N2", "registrations_20190401.csv"),
        ("N3", "registrations_20180401.csv"),
    ]
    assert towns.query("select participant_id, count(*) from lake.participant_utilities group by all order by all") == [
        ("N1", 2), ("N2", 2), ("N3", 2),
    ]  # fmt: skip
    published = towns.publish()
    assert not published.changed
    reason = "is in a too, whose row counts; have the number taken out of one of the registers"
    assert {town: published.notes.get(town, {}).get("duplicate_participant") for town in "abc"} == {
        "a": None,
        "b": [{"participant_id": "N1", "reason": reason, "last_file": "registrations_20190401.csv"}],
        "c": [{"participant_id": "N1", "reason": reason, "last_file": "registrations_20170401.csv"}],
    }


def test_it_does_not_matter_which_register_comes_first(towns: Office) -> None:
    register(towns, "a", {"N1": ""}, "20180401")
    towns.take_in("a")
    register(towns, "b", {"N1": ""})
    towns.take_in("b")
    assert who_counts(towns) == [("N1", "registrations_20180401.csv")]
    register(towns, "a", {"N1": "2019-03-01"}, "20180402")
    towns.take_in("a")
    assert who_counts(towns) == [("N1", "registrations_20190401.csv")]  # who moved out of a is a member of b
    register(towns, "b", {"N1": "2019-03-31"}, "20190402")
    towns.take_in("b")
    assert who_counts(towns) == [("N1", "registrations_20180402.csv")]
    register(towns, "a", {"N9": ""}, "20180403")
    register(towns, "b", {"N1": "", "N7": ""}, "20190403")
    towns.take_in("a", "b")
    assert who_counts(towns) == [
        ("N1", "registrations_20190403.csv"),
        ("N7", "registrations_20190403.csv"),
        ("N9", "registrations_20180403.csv"),
    ]
    register(towns, "b", {"N8": ""}, "20190404")  # in neither: kept by the first
    towns.take_in("b")
    assert who_counts(towns)[0] == ("N1", "registrations_20180402.csv")
