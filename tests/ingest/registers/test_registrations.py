"""The register of a programme without enrolment rules, meters and accounts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

PLAIN = {"participant_id": "N1", "name": "中野花子", "joined_on": "2018-04-10"}


# what differs from a plain row, reason
REASONS = [
    ({}, None),
    ({"participant_id": ""}, "missing_value"),
    ({"joined_on": ""}, "missing_value"),
    ({"joined_on": "", "uses_gas": "?"}, "missing_value"),
    ({"joined_on": "2018-02-30"}, "bad_value"),
    ({"joined_on": "H0.4.1"}, "bad_value"),
    ({"moved_out_on": "春"}, "bad_value"),
    ({"former_scheme_applied_on": "2018"}, "bad_value"),
    ({"uses_gas": "有り"}, "bad_value"),
    ({"pre_enrolment_co2_kg": "約700"}, "bad_value"),
    ({"pre_enrolment_co2_kg": "1,718.08"}, None),
    ({"name": "", "nickname": ""}, None),
]


def test_reason_of_one_row(extracts):
    judged = extracts("jp_registrations").judge(
        [PLAIN | {"participant_id": f"X{i}"} | row for i, (row, _) in enumerate(REASONS)]
    )
    assert [(row, judged.refused.get(i)) for i, (row, _) in enumerate(REASONS, start=1)] == REASONS


def test_first_of_repeated_numbers_stays(extracts):
    judged = extracts("jp_registrations").judge(
        [PLAIN | {"joined_on": "?"}, PLAIN, PLAIN, PLAIN | {"nickname": "はな"}, PLAIN | {"participant_id": ""}]
    )
    assert judged.refused == {1: "bad_value", 4: "duplicate_participant", 5: "missing_value"}
    assert judged.duplicates == [3]


def test_same_address_is_no_reason_to_refuse(extracts):
    at_home = {"address": "中野区中野4-8-1"}
    judged = extracts("jp_registrations").judge([PLAIN | at_home, PLAIN | at_home | {"participant_id": "N2"}])
    assert judged.refused == {}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2018-04-10", date(2018, 4, 10)),
        ("平成30年8月1日", date(2018, 8, 1)),
        ("H30.12.31", date(2018, 12, 31)),
        ("R1.5.7", date(2019, 5, 7)),
        ("令和元年5月7日", date(2019, 5, 7)),
    ],
)
def test_dates_of_eras(extracts, text, day):
    assert extracts("jp_registrations").judge([PLAIN | {"joined_on": text}]).good("joined_on") == [day]


def test_row_in_lake_types(extracts):
    judged = extracts("jp_registrations").judge(
        [
            PLAIN
            | {
                "nickname": "はな",
                "moved_out_on": "2019-01-01",
                "former_scheme_applied_on": "2018-08-10",
                "pre_enrolment_co2_kg": "1,718.08",
            }
        ]
    )
    assert judged.good(
        "participant_id, participant_type, participant_class, region_code, incentive_type, nickname, has_bank_account"
    ) == [("N1", "household", "household", "13114", "prize", "はな", False)]
    assert judged.good("moved_out_on, former_scheme_applied_on, pre_enrolment_co2_kg") == [
        (date(2019, 1, 1), date(2018, 8, 10), Decimal("1718.080000"))
    ]


@pytest.mark.parametrize(
    ("uses_gas", "utilities"),
    [("有", ["electricity", "gas"]), ("", ["electricity", "gas"]), ("無", ["electricity"])],
)
def test_gas_is_used_unless_the_register_says_no(extracts, uses_gas, utilities):
    judged = extracts("jp_registrations").judge([PLAIN | {"uses_gas": uses_gas}])
    assert judged.good("utilities") == [
        [{"utility": utility, "provider": None, "meter_key": None} for utility in utilities]
    ]


@pytest.mark.parametrize(
    ("changes", "notes"),
    [
        ({"joined_on": "2018-03-31"}, [("N1", "former_scheme_date_missing")]),
        ({"joined_on": "2018-04-01"}, []),
        ({"joined_on": "2018-03-31", "former_scheme_applied_on": "2018-05-01"}, []),
    ],
)
def test_members_of_the_former_scheme_without_its_date_are_listed(extracts, changes, notes):
    assert extracts("jp_registrations").judge([PLAIN | changes]).table("notes") == notes
