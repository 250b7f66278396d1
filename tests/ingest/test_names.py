"""Names of files: told apart, shown, and made into names of our own."""

from __future__ import annotations

import os
from datetime import date

import pytest

from tanso.ingest import names

SHA = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("kepco_2021.csv", "kepco_2021.csv"),
        ("kepco_\u3000東京.csv", "kepco_\u3000東京.csv"),
        ("kepco_\n\r\t\x07\x7f.csv", r"kepco_\x0a\x0d\x09\x07\x7f.csv"),
        ("kepco_\u00a0\u200b\u202e.csv", r"kepco_\xa0\u200b\u202e.csv"),
        (os.fsdecode("kepco_전기.csv".encode("cp949")), r"kepco_\xc0\xfc\xb1\xe2.csv"),
        (r"kepco_\x0a.csv", r"kepco_\x5cx0a.csv"),  # no line break
        (r"kepco_a\b.csv", r"kepco_a\b.csv"),
    ],
)
def test_what_is_not_seen_is_written_out_and_no_two_names_become_one(name: str, known: str) -> None:
    assert names.known_as(name) == known


@pytest.mark.parametrize("stem", ["가" * 84, "x" * 251, r"\xb0" * 250, "\U0001f600" * 62])
def test_a_name_made_of_a_long_one_is_short_enough(stem: str) -> None:
    made = names.derived(f"{stem}.csv", SHA, ".checks.json")
    assert len(f".{made}.1234567890.tmp".encode()) <= 255
    assert made.endswith("-01234567.checks.json") and "\\" not in made


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("kepco_2021.csv", "kepco_2021-01234567.txt"),
        ("kepco.2021.csv", "kepco.2021-01234567.txt"),
        ("kepco_2021", "kepco_2021-01234567.txt"),
        (".csv", "_csv-01234567.txt"),
        (".kepco.csv", "_kepco-01234567.txt"),
        (r"kepco_\x0a.csv", "kepco__x0a-01234567.txt"),
    ],
)
def test_a_name_made_of_another(name: str, made: str) -> None:
    assert names.derived(name, SHA, ".txt") == made


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("enrolments_20201231.csv", date(2020, 12, 31)),
        ("registrations_２０２０１２３１.csv", date(2020, 12, 31)),
        (names.known_as("registrations_\u200020201231.csv"), date(2020, 12, 31)),  # an en quad is no 2000
        (names.known_as("registrations_\u200b20201231.csv"), date(2020, 12, 31)),
        ("registrations_20201331.csv", None),
        ("registrations.csv", None),
    ],
)
def test_the_day_in_a_name(name: str, day: date | None) -> None:
    assert names.day_in(name) == day


@pytest.mark.parametrize(
    ("name", "is_upload"),
    [
        ("a.csv.part", True),
        ("a.PART", True),
        ("a.csv.tmp", True),
        ("a.csv.FilePart", True),
        ("a.csv", False),
        ("part", False),
    ],
)
def test_names_of_uploads(name: str, is_upload: bool) -> None:
    assert names.is_being_uploaded(name) == is_upload
