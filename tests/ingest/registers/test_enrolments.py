"""Who is refused at enrolment, and why: one decision table per reason."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

PLAIN = {
    "participant_id": "P001",
    "name": "홍길동",
    "login_id": "member001",
    "participant_type": "개인(만14세이상)",
    "region_code": "48170",
    "postal_code": "52777",
    "address": "경남 진주시 동진로 155 (상대동)",
    "joined_on": "20200408",
    "required_consent": "Y",
    "optional_consent": "Y",
    "incentive_type": "현금",
    "bank_code": "088",
    "account_no": "110-222-333333",
    "account_holder": "홍길동",
    "electricity_provider": "한국전력",
    "electricity_method": "개별납부",
    "electricity_customer_no": "0123456789",
    "water_method": "사용안함",
    "gas_method": "사용안함",
}


def member(number: int, **changes: str) -> dict[str, str]:
    """A member who shares nothing with the others."""
    own = {
        "participant_id": f"P{number:03d}",
        "login_id": f"member{number:03d}",
        "address": f"경남 진주시 동진로 {number}",
        "electricity_customer_no": f"{number:010d}",
    }
    return PLAIN | own | changes


AGGREGATED = {
    "electricity_method": "관리비합산",
    "electricity_provider": "이지스",
    "electricity_customer_no": "",
    "complex_code": "K305",
    "dong": "101",
    "ho": "1203",
}
SCHOOL = {"participant_type": "학교"}
COMPLEX = {"participant_type": "단지(아파트)", "households": "90"}


# case, what differs from a plain member, reason
REASONS = [
    ("a plain member", {}, None),
    # bad_value
    ("unknown type", {"participant_type": "법인"}, "bad_value"),
    ("blank type", {"participant_type": ""}, "bad_value"),
    ("type written with spaces", {"participant_type": "개인 (만14세 이상)"}, None),
    ("blank id", {"participant_id": ""}, "bad_value"),
    ("blank joining date", {"joined_on": ""}, "bad_value"),
    ("unreadable joining date", {"joined_on": "20200230"}, "bad_value"),
    ("era date in a plain source", {"joined_on": "H30.4.1"}, "bad_value"),
    ("unreadable withdrawal date", {"withdrawn_on": "없음"}, "bad_value"),
    ("unreadable move-in date", {"moved_in_on": "2020-13-01"}, "bad_value"),
    ("region of 4 digits", {"region_code": "4817"}, "bad_value"),
    ("region of 6 digits", {"region_code": "481700"}, "bad_value"),
    ("blank region", {"region_code": ""}, "bad_value"),
    ("log-in id of 5", {"login_id": "abc12"}, "bad_value"),
    ("log-in id of 6", {"login_id": "abc123"}, None),
    ("log-in id of 20", {"login_id": "a" * 20}, None),
    ("log-in id of 21", {"login_id": "a" * 21}, "bad_value"),
    ("log-in id with a capital", {"login_id": "Member001"}, "bad_value"),
    ("blank log-in id", {"login_id": ""}, "bad_value"),
    ("unknown payment method", {"gas_method": "공동납부"}, "bad_value"),
    ("complex with an aggregated utility", COMPLEX | AGGREGATED, "bad_value"),
    ("complex with meters of its own", COMPLEX, None),
    ("area that is no number", {"area_m2": "약 84"}, None),
    ("unknown incentive type", {"incentive_type": "상품"}, None),
    # region_excluded
    ("region of Seoul", {"region_code": "11680"}, "region_excluded"),
    ("region with 11 further on", {"region_code": "41110"}, None),
    # consent_missing
    ("no required consent", {"required_consent": "N"}, "consent_missing"),
    ("blank required consent", {"required_consent": ""}, "consent_missing"),
    ("no optional consent", {"optional_consent": "N"}, None),
    # electricity_missing
    ("electricity not used", {"electricity_method": "사용안함"}, "electricity_missing"),
    ("electricity blank", {"electricity_method": ""}, "electricity_missing"),
    ("electricity without a number", {"electricity_customer_no": ""}, "electricity_missing"),
    ("electricity's number only hyphens", {"electricity_customer_no": "- -"}, "electricity_missing"),
    ("electricity without a provider", {"electricity_provider": ""}, "electricity_missing"),
    ("aggregated electricity, no provider", AGGREGATED | {"electricity_provider": ""}, "electricity_missing"),
    # customer_no_missing
    ("water without a number", {"water_method": "개별납부", "water_provider": "수도사업소"}, "customer_no_missing"),
    ("water without a provider", {"water_method": "개별납부", "water_customer_no": "12"}, "customer_no_missing"),
    (
        "aggregated gas, no provider",
        AGGREGATED | {"gas_method": "관리비합산"},
        "customer_no_missing",
    ),
    (
        "water complete",
        {"water_method": "개별납부", "water_provider": "수도사업소", "water_customer_no": "12"},
        None,
    ),
    ("gas not used, but a provider", {"gas_provider": "도시가스"}, None),
    # complex_unit_missing
    ("aggregated", AGGREGATED, None),
    ("aggregated, the other spelling", AGGREGATED | {"electricity_method": "관리자 합산", "ho": "1204"}, None),
    ("aggregated, no complex code", AGGREGATED | {"complex_code": ""}, "complex_unit_missing"),
    ("aggregated, no building", AGGREGATED | {"dong": ""}, "complex_unit_missing"),
    ("aggregated, no flat", AGGREGATED | {"ho": ""}, "complex_unit_missing"),
    ("school aggregated, no flat", SCHOOL | AGGREGATED | {"ho": ""}, "complex_unit_missing"),
    # the first reason in the order counts
    ("bad value before region", {"region_code": "11680", "login_id": "x"}, "bad_value"),
    ("region before consent", {"region_code": "11680", "required_consent": "N"}, "region_excluded"),
    ("consent before electricity", {"required_consent": "N", "electricity_method": ""}, "consent_missing"),
    (
        "electricity before water",
        {"electricity_method": "", "water_method": "개별납부"},
        "electricity_missing",
    ),
    (
        "customer number before unit",
        AGGREGATED | {"ho": "", "water_method": "개별납부", "water_provider": "수도사업소"},
        "customer_no_missing",
    ),
]


def test_reason_of_one_row(extracts):
    judged = extracts("kr_enrolments").judge(
        [member(i, **changes) for i, (_, changes, _) in enumerate(REASONS, start=1)]
    )
    expected = {case: reason for case, _, reason in REASONS}
    assert {case: judged.refused.get(i) for i, case in enumerate(expected, start=1)} == expected


def test_what_everybody_must_use_is_policy(extracts):
    register = extracts("kr_enrolments")
    register.policy_change = "update policy.enrolment_policies set required_utilities = 'gas electricity'"
    gas = {"gas_method": "개별납부", "gas_provider": "도시가스", "gas_customer_no": "7"}
    judged = register.judge(
        [
            member(1),
            member(2, **gas),
            member(3, electricity_method="사용안함"),  # lacks both: the order of policy
            member(4, **gas | {"gas_customer_no": "8"}, electricity_method="사용안함"),
            member(5, **gas | {"gas_provider": ""}),
        ]
    )
    assert judged.refused == {1: "gas_missing", 3: "gas_missing", 4: "electricity_missing", 5: "gas_missing"}


def test_nobody_must_use_electricity_if_policy_does_not_say_so(extracts):
    register = extracts("kr_enrolments")
    register.policy_change = "update policy.enrolment_policies set required_utilities = null"
    judged = register.judge([member(1, electricity_method="사용안함"), member(2, electricity_customer_no="")])
    assert judged.refused == {2: "customer_no_missing"}


def test_excluded_regions_are_policy(extracts):
    register = extracts("kr_enrolments")
    register.policy_change = "update policy.enrolment_policies set excluded_region_prefixes = '26 4817'"
    codes = ["11680", "26110", "48170", "48250", "41262"]
    judged = register.judge([member(i, region_code=code) for i, code in enumerate(codes, start=1)])
    assert judged.refused == {2: "region_excluded", 3: "region_excluded"}


def test_repeated_participant_first_readable_row_stays(extracts):
    judged = extracts("kr_enrolments").judge(
        [
            member(1, login_id="no"),  # bad_value: does not stay
            member(1),
            member(1, login_id="another1"),
            member(2, required_consent="N"),
            member(2),  # the first row stays, though it is refused later
        ]
    )
    assert judged.refused == {
        1: "bad_value",
        3: "duplicate_participant",
        4: "consent_missing",
        5: "duplicate_participant",
    }
    assert judged.good() == [2]


def test_identical_rows_count_once(extracts):
    judged = extracts("kr_enrolments").judge([member(1), member(2), member(1), member(1), member(2, phone="010")])
    assert judged.duplicates == [3, 4]
    assert judged.refused == {5: "duplicate_participant"}
    assert judged.good() == [1, 2]


def test_earlier_member_keeps_the_login_id(extracts):
    judged = extracts("kr_enrolments").judge(
        [
            member(1, login_id="shared01", joined_on="20200502"),
            member(2, login_id="shared01", joined_on="20200501"),
            member(10, login_id="shared02"),
            member(9, login_id="shared02"),  # same day: the smaller id, as text: P009 before P010
        ]
    )
    assert judged.refused == {1: "duplicate_login_id", 3: "duplicate_login_id"}


@pytest.mark.parametrize(
    ("first", "second", "is_refused"),
    [
        ({"address": "동진로 155 (상대동)"}, {"address": "동진로155(상대동, 아파트)"}, True),
        ({"address": "동진로 155", "ho": "1 203"}, {"address": "동진로 155", "ho": "1203"}, True),
        ({"address": "동진로 155", "dong": "101"}, {"address": "동진로 155", "dong": "102"}, False),
        ({"address": "동진로 155", "dong": "1", "ho": "11"}, {"address": "동진로 155", "dong": "11", "ho": "1"}, False),
        ({"address": "동진로 155", "dong": "7"}, {"address": "동진로 155", "ho": "7"}, False),
        ({"address": "동진로 155", "address_detail": "2층"}, {"address": "동진로 155"}, False),
        ({"address": ""}, {"address": ""}, False),
        ({"address": "동진로 155"}, {"address": "동진로 155", "participant_type": "상업시설"}, False),
        ({"address": "동진로 155"}, {"address": "동진로 155", "participant_type": "국내거주외국인"}, True),
    ],
)
def test_one_member_per_household(extracts, first, second, is_refused):
    judged = extracts("kr_enrolments").judge([member(1, **first), member(2, **second)])
    assert judged.refused == ({2: "duplicate_household"} if is_refused else {})


WATER = {"water_method": "개별납부", "water_provider": "수도사업소"}
AGGREGATED_WATER = {"water_method": "관리비합산", "water_provider": "이지스"}


@pytest.mark.parametrize(
    ("first", "second", "is_refused"),
    [
        ({"electricity_customer_no": "01-2345-6789"}, {"electricity_customer_no": "0123456789"}, True),
        ({"electricity_customer_no": "0123456789"}, {"electricity_customer_no": "123456789"}, False),
        (
            {"electricity_customer_no": "7"},
            {"electricity_customer_no": "7", "electricity_provider": "다른회사"},
            False,
        ),
        ({"electricity_customer_no": "7"}, WATER | {"water_customer_no": "7"}, False),
        (WATER | {"water_customer_no": "7"}, WATER | {"water_customer_no": "7"}, True),
        (WATER | {"water_customer_no": "7"}, SCHOOL | WATER | {"water_customer_no": "7"}, True),
        (AGGREGATED, AGGREGATED, True),
        (AGGREGATED, AGGREGATED | {"electricity_provider": "다른관리"}, False),
        (AGGREGATED | {"dong": "1", "ho": "11"}, AGGREGATED | {"dong": "11", "ho": "1"}, False),
        (AGGREGATED, AGGREGATED_WATER | {"complex_code": "K305", "dong": "101", "ho": "1203"}, False),
    ],
)
def test_one_member_per_meter(extracts, first, second, is_refused):
    judged = extracts("kr_enrolments").judge([member(1, **first), member(2, **second)])
    assert judged.refused == ({2: "duplicate_customer_no"} if is_refused else {})


def test_duplicates_are_found_in_one_pass(extracts):
    """A refused row protects nobody: 3 shares a meter with 2 only, and 2 goes for its log-in id."""
    judged = extracts("kr_enrolments").judge(
        [
            member(1, joined_on="20200101", login_id="shared01"),
            member(2, joined_on="20200102", login_id="shared01", electricity_customer_no="77"),
            member(3, joined_on="20200103", electricity_customer_no="77"),
            member(4, joined_on="20200104", electricity_customer_no="77"),
            # login id (with 3) and household (with 1) both taken: the first reason
            member(5, joined_on="20200105", login_id="member003", address="경남 진주시 동진로 1"),
        ]
    )
    assert judged.refused == {2: "duplicate_login_id", 4: "duplicate_customer_no", 5: "duplicate_login_id"}


def test_withdrawn_and_refused_rows_protect_nobody(extracts):
    judged = extracts("kr_enrolments").judge(
        [
            member(1, joined_on="20200101", login_id="shared01", withdrawn_on="20200601"),
            member(2, joined_on="20200102", login_id="shared01"),
            member(3, joined_on="20200101", login_id="shared02", required_consent="N"),
            member(4, joined_on="20200102", login_id="shared02"),
            # withdrawn rows are not checked either
            member(5, joined_on="20200103", login_id="shared02", withdrawn_on="20200601"),
        ]
    )
    assert judged.refused == {3: "consent_missing"}


# 면적, 선택동의, area_m2
AREAS = [
    ("84.96", "Y", "84.9"),
    ("84.99㎡", "Y", None),
    ("84", "Y", "84.0"),
    ("1,084.05", "Y", "1084.0"),
    ("84.96", "N", None),
    ("84.96", "", None),
]


def test_area_is_cut_and_needs_consent(extracts):
    judged = extracts("kr_enrolments").judge(
        [member(i, area_m2=area, optional_consent=consent) for i, (area, consent, _) in enumerate(AREAS, start=1)]
    )
    assert judged.good("area_m2") == [stored and Decimal(stored) for *_, stored in AREAS]


def test_notes_list_what_was_dropped(extracts):
    judged = extracts("kr_enrolments").judge(
        [
            member(1, area_m2="약 84"),
            member(2, area_m2="약 84", optional_consent="N"),
            member(3, area_m2="84", **(COMPLEX | {"households": "많음"})),
        ]
    )
    assert judged.table("notes") == [("P001", "area_unreadable"), ("P003", "households_unreadable")]


# what differs from a plain member, has_bank_account, holder_matches
ACCOUNTS = [
    ({}, True, True),
    ({"incentive_type": ""}, True, True),
    ({"incentive_type": "상품권"}, False, False),
    ({"incentive_type": "상품"}, False, False),
    ({"bank_code": "88"}, False, True),
    ({"account_no": "123-456-789"}, False, True),
    ({"account_no": "1234567890"}, True, True),
    ({"account_no": "1234-5678-9012-3456"}, True, True),
    ({"account_no": "12345678901234567"}, False, True),
    ({"account_holder": "김철수"}, True, False),
    ({"account_holder": "홍 길 동"}, True, True),
    ({"account_holder": "", "name": ""}, True, False),
]


def test_account_facts(extracts):
    judged = extracts("kr_enrolments").judge(
        [member(i, **changes) for i, (changes, *_) in enumerate(ACCOUNTS, start=1)]
    )
    assert judged.good("has_bank_account, holder_matches, account_key is not null") == [
        (has_account, holder_matches, has_account) for _, has_account, holder_matches in ACCOUNTS
    ]


def test_account_key_is_the_same_however_it_is_written(extracts):
    judged = extracts("kr_enrolments").judge(
        [
            member(1, account_no="110-222-333333"),
            member(2, account_no="110222333333"),
            member(3, account_no="110222333333", bank_code="004"),
            member(4, incentive_type="그린카드 포인트", card_no="9410-1234 5678 9012"),
            member(5, card_no="9410123456789012"),
        ]
    )
    keys = judged.good("account_key, card_key, has_card")
    assert keys[0][0] == keys[1][0] != keys[2][0]
    assert keys[3][0] is None
    assert keys[3][1] == keys[4][1] is not None
    assert [key[2] for key in keys] == [False, False, False, True, True]
    assert all(len(key) == 64 for row in keys for key in row[:2] if key)


def test_address_key_is_the_same_however_it_is_written(extracts):
    at = {"postal_code": "52725", "address": "경상남도 진주시 동진로 155", "dong": "101", "ho": "1203"}
    judged = extracts("kr_enrolments").judge(
        [
            member(1, incentive_type="상품권", **at),
            member(3, incentive_type="", **at | {"ho": "1204"}),
            member(4, incentive_type="상품권", **at | {"address": "", "ho": "1205"}),
            member(5, incentive_type="현금", **at | {"ho": "1206"}),
            member(6, incentive_type="그린카드", **at | {"ho": "1207"}),
            member(7, incentive_type="상품권", name="", **at | {"ho": "1208"}),
        ]
    )
    keys = dict(judged.good("participant_id, address_key"))
    assert keys["P001"] != keys["P003"] and len(keys["P001"]) == 64
    assert (keys["P004"], keys["P005"], keys["P006"]) == (None, None, None)  # no address; nothing is delivered
    assert dict(judged.good("participant_id, has_name"))["P007"] is False
    again = {"postal_code": "527-25", "address": "경상남도  진주시 동진로155"}
    judged = extracts("kr_enrolments").judge([member(1, incentive_type="기부", **at | again)])
    assert judged.good("address_key") == [keys["P001"]]


def test_good_row_in_lake_types(extracts):
    judged = extracts("kr_enrolments").judge(
        [
            member(
                1, **AGGREGATED, **WATER, water_customer_no="012-34", moved_in_on="2019.03.02", withdrawn_on="20210101"
            )
        ]
    )
    assert judged.good(
        "participant_id, participant_type, participant_class, region_code, incentive_type, complex_code, source_file_id"
    ) == [("P001", "individual", "individual", "48170", "cash", "K305", "f" * 64)]
    assert judged.good("joined_on, moved_in_on, withdrawn_on") == [
        (date(2020, 4, 8), date(2019, 3, 2), date(2021, 1, 1))
    ]
    assert judged.good("utilities") == [
        [
            {"utility": "electricity", "provider": "이지스", "meter_key": "K305\x1f101\x1f1203"},
            {"utility": "water", "provider": "수도사업소", "meter_key": "01234"},
        ]
    ]


INCENTIVES = [
    ("현금", "cash"),
    ("상 품 권", "voucher"),
    ("그린카드", "green_card"),
    ("그린카드포인트", "green_card"),
    ("기부", "donation"),
    ("", None),
    ("상품", "unknown"),
]


def test_incentive_types(extracts):
    judged = extracts("kr_enrolments").judge(
        [member(i, incentive_type=label) for i, (label, _) in enumerate(INCENTIVES)]
    )
    assert judged.good("incentive_type") == [stored for _, stored in INCENTIVES]


def test_nothing_personal_is_staged(extracts):
    judged = extracts("kr_enrolments").judge(
        [member(1, card_no="9410123456789012", phone="01012345678", email="a@b.kr")]
    )
    staged = " ".join(str(judged.table(name)) for name in ("good", "outcomes", "notes"))
    for secret in ("홍길동", "member001", "동진로", "110", "9410", "0101234", "a@b.kr"):
        assert secret not in staged.replace(judged.good("account_key")[0], "").replace(judged.good("card_key")[0], "")
