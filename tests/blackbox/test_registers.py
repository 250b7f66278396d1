"""Registers in several snapshots, enrolments refused, and what is said of members without readings or policy."""

from __future__ import annotations

from datetime import date

import pytest

from tests.blackbox.cases_refusals import ENROLMENT_REASONS


def test_enrolment_reasons(korea, examples):
    rows = examples.rows(
        "select row_no, reason from marts.dq_quarantine where file_name = 'enrolments_20240630.csv' order by row_no"
    )
    text = (korea.home / "inbox" / "kr_enrolments" / "enrolments_20240630.csv").read_text("utf-8-sig")
    numbers = [line.split(",")[0] for line in text.splitlines()[1:]]
    found = {numbers[row_no - 1]: reason for row_no, reason in rows}
    expected = ENROLMENT_REASONS | {
        "S-refused": "consent_missing", "S-refused-twice": "consent_missing", "S-unreadable": "bad_value"
    }  # fmt: skip
    assert found == expected


@pytest.mark.parametrize("who", sorted(["R-D1", "R-D3", "R-D5", "R-D7", "R-gone", "R-after", "R-nowhere", "R-area"]))
def test_others_are_members(korea, who):
    assert korea.find("dim_participants", "participant_id", participant_id=who) == [(who,)]


@pytest.mark.parametrize("who", sorted(ENROLMENT_REASONS))
def test_refused_are_no_members(korea, who):
    assert korea.find("dim_participants", "participant_id", participant_id=who) == []


@pytest.mark.parametrize(
    ("who", "withdrawn_on"),
    [
        ("S-missing", date(2023, 6, 30)),
        ("S-missing-withdrawn", date(2022, 5, 5)),
        ("S-back", None),
        ("S-refused", date(2024, 6, 30)),
        ("S-refused-twice", date(2023, 6, 30)),
        ("S-unreadable", None),
        ("S-stays", None),
        ("S-new", None),
    ],
)
def test_snapshots(korea, who, withdrawn_on):
    assert korea.one("dim_participants", "joined_on, withdrawn_on", participant_id=who) == (
        date(2020, 4, 8),
        withdrawn_on,
    )


def test_refused_rows_of_older_snapshots_stay_listed(examples):
    found = examples.find("dq_quarantine", "row_no, reason", file_name="enrolments_20230630.csv")
    assert [reason for _, reason in found] == ["consent_missing", "bad_value"]


def test_kept_members_are_reported(korea):
    reports = "".join(path.read_text("utf-8") for path in (korea.home / "reports").rglob("*.json"))
    for who in ("S-missing", "S-refused", "S-unreadable"):
        assert who in reports


@pytest.mark.parametrize(
    ("who", "kind", "incentive", "area"),
    [
        ("R-blank", "individual", "green_card", "84.9"),
        ("R-area", "individual", None, None),
        ("R-private", "individual", "donation", None),
        ("K9-H8", "individual", "unknown", None),
        ("K7-W3", "individual_minor", "cash", None),
        ("K6-T2", "individual_foreigner", "cash", None),
        ("K6-T5", "public_institution", "cash", None),
        ("K11-X1", "complex_apartment", "cash", None),
    ],
)
def test_participants(korea, who, kind, incentive, area):
    columns = "participant_type, incentive_type, area_m2"
    assert korea.one("dim_participants", columns, participant_id=who) == (kind, incentive, area)


def test_unmatched_meters(korea):
    columns = "region_code, utility, provider, reason"
    assert korea.find("dq_unmatched_meters", columns, participant_id="R-company") == [
        ("48051", "electricity", "우리전력", "unknown_provider")
    ]
    assert korea.find("dq_unmatched_meters", columns, participant_id="R-D1") == [
        ("48051", "electricity", "한국전력", "no_reading")
    ]
    for who in ("K1-E1", "R-gone", "S-missing"):
        assert korea.find("dq_unmatched_meters", columns, participant_id=who) == [], "matched, or no active member"


def test_regions_without_policy(korea):
    found = korea.find("dq_policy_gaps", "region_code, period_id, participants", period_id="2021H1")
    assert found == [("99999", "2021H1", 1)]
    assert korea.find("fct_reductions", "*", participant_id="R-nowhere") == []


@pytest.mark.parametrize(
    ("who", "nickname", "moved_out_on"),
    [("J2-N1", None, date(2018, 12, 31)), ("J1-N1", None, None)],
)
def test_japanese_participants(japan, who, nickname, moved_out_on):
    columns = "participant_type, participant_class, region_code, incentive_type, nickname, moved_out_on"
    expected = ("household", "household", "13114", "prize", nickname, moved_out_on)
    assert japan.one("dim_participants", columns, participant_id=who) == expected
