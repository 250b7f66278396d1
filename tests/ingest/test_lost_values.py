"""What a spreadsheet has lost is refused where it stands: error cells, digits after the fifteenth, 1.23457E+15."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

import pytest

from tanso.packs.sources import Source
from tests.ingest.conftest import HEADERS, Office, workbook

WATER = HEADERS["kr_waterworks"].split(",")


def quarantined(office: Office, source_id: str) -> list[list[str]]:
    """Refused rows as received, row_no and reason behind."""
    [path] = (office.home.quarantine / source_id).glob("*.csv")
    return list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))[1:]


def test_customer_numbers_of_more_than_fifteen_digits(office: Office) -> None:
    rows = [
        [1234567890123451, "202101", 11, "실측"],
        [1234567890123450, "202101", 12, "실측"],  # typed as ...3456: a spreadsheet makes a zero of the 16th digit
        [9410123456789017, "202101", 13, "실측"],  # an odd number above 2^53, which no double holds
        [123456789012345, "202101", 14, "실측"],  # 15 digits
        ["1234567890123451", "202101", 15, "실측"],  # text
        [10**15, "202101", 16, "실측"],
    ]
    # The program that writes the file for us makes numbers doubles.
    written = edited(workbook([WATER, *rows]), lambda sheet: sheet.replace("9410123456789016", "9.410123456789017E+15"))
    office.drop("kr_waterworks", "water_1.xlsx", written)
    office.take_in("kr_waterworks")
    assert office.readings() == [
        ("water", "123456789012345", "2021-01", "14.000"),
        ("water", "1234567890123451", "2021-01", "15.000"),
    ]
    assert quarantined(office, "kr_waterworks") == [
        ["1234567890123451", "202101", "11", "실측", "1", "bad_customer_no"],
        ["1234567890123450", "202101", "12", "실측", "2", "bad_customer_no"],
        ["9410123456789017", "202101", "13", "실측", "3", "bad_customer_no"],
        ["1000000000000000", "202101", "16", "실측", "6", "bad_customer_no"],
    ]


def test_numbers_and_dates_of_a_workbook(office: Office) -> None:
    rows = [
        ["1", "202101", 0.1 + 0.2, ""],  # stored as 0.30000000000000004, shown as 0.3
        ["2", date(2021, 1, 1), -0.0, ""],
        ["3", datetime(2021, 1, 1, 9, 30), 1e3, ""],
        ["4", "202101", 1234567890123456, ""],
        ["5", "202101", True, ""],
        ["6", date(2021, 1, 2), 1, ""],
        ["7", 2021011234567890, 1, ""],
        ["8", 202101, 12.5, ""],
    ]
    office.drop("kr_waterworks", "water_1.xlsx", workbook([WATER, *rows]))
    office.take_in("kr_waterworks")
    assert office.readings() == [
        ("water", "1", "2021-01", "0.300"),
        ("water", "2", "2021-01", "0.000"),
        ("water", "3", "2021-01", "1000.000"),
        ("water", "8", "2021-01", "12.500"),
    ]
    assert office.refused() == [(4, "bad_number"), (5, "bad_number"), (6, "bad_month"), (7, "bad_month")]


ERRORS = [
    (["#N/A", "202101", 1, "실측"], "bad_customer_no"),
    (["1", "#REF!", 1, "실측"], "bad_month"),
    (["1", "202101", "#DIV/0!", "실측"], "bad_number"),
    (["1", "202101", 1, "#N/A"], "bad_value"),  # a column that may be blank
    (["#VALUE!", "#NAME?", "#NULL!", "#NUM!"], "bad_customer_no"),
    (["#N/A", "", "", ""], "missing_value"),
]


@pytest.mark.parametrize("as_csv", [False, True])
def test_an_error_is_a_bad_value_of_its_column(office: Office, as_csv: bool) -> None:
    rows = [*(cells for cells, _ in ERRORS), ["2", "202101", 2, "실측"]]
    if as_csv:
        office.sources["kr_waterworks"] = replace(office.sources["kr_waterworks"], format="csv", encoding="utf-8")
        office.drop("kr_waterworks", "water_1.xlsx", [",".join(map(str, row)) for row in rows])
    else:
        office.drop("kr_waterworks", "water_1.xlsx", workbook([WATER, *rows]))
    office.take_in("kr_waterworks")
    assert office.refused() == [(row_no, reason) for row_no, (_, reason) in enumerate(ERRORS, start=1)]
    assert office.readings() == [("water", "2", "2021-01", "2.000")]
    assert [row[:4] for row in quarantined(office, "kr_waterworks")] == [list(map(str, row)) for row, _ in ERRORS]


def test_errors_in_columns_of_other_readings(office: Office) -> None:
    office.drop("kr_citygas", "gas_1.csv", [
        "1,202101,5,#N/A,난방용,실측", "2,202101,5,m3,#N/A,실측", "3,202101,5,m3,난방용,#N/A", "4,202101,5,m3,,",
    ])  # fmt: skip
    office.drop("kr_kepco", "kepco_1.csv", [
        "0000000001,202101,#N/A,#N/A,5,주택용,정상",  # dates of reading may be unreadable
        "0000000002,202101,,,5,#N/A,정상",
    ])  # fmt: skip
    office.drop("kr_apartments", "apt_1.csv", ["K1,#N/A,101,202101,1,2,3", "K1,1,101,202101,1,#N/A,3"])
    office.drop(
        "jp_meter_slips", "slips_1.csv", ["#N/A,電気,201804,1,2", "N1,#N/A,201804,1,2", "N1,電気,201804,1,#N/A"]
    )
    office.take_in("kr_citygas", "kr_kepco", "kr_apartments", "jp_meter_slips")
    found = office.query("select source_id, row_no, reason from lake.quarantine order by all")
    assert found == [
        ("jp_meter_slips", 1, "bad_value"), ("jp_meter_slips", 2, "unknown_unit"), ("jp_meter_slips", 3, "bad_number"),
        ("kr_apartments", 1, "bad_customer_no"), ("kr_apartments", 2, "bad_number"),
        ("kr_citygas", 1, "unknown_unit"), ("kr_citygas", 2, "bad_value"), ("kr_citygas", 3, "bad_value"),
        ("kr_kepco", 2, "bad_value"),
    ]  # fmt: skip


def test_a_csv_saved_from_a_spreadsheet_has_exponents(office: Office) -> None:
    numbers = ["1.23457E+15", "1E+15", "9.41012E+15", "1.23e-05", "12E5", "E1234567"]
    office.drop("kr_citygas", "gas_1.csv", [f"{number},202101,5,m3,," for number in numbers])
    office.take_in("kr_citygas")
    assert office.refused() == [(row_no, "bad_customer_no") for row_no in (1, 2, 3, 4)]
    assert [row[1] for row in office.readings()] == ["12E5", "E1234567"]  # numbers may have letters


def test_opening_points_actions_applications_and_returns(office: Office) -> None:
    for source_id, rows in {
        "jp_opening_points": [["#N/A", "H30.5.15", 1], ["N1", "H30.5.15", 10**15 + 8], [10**15 + 8, "H30.5.15", 1]],
        "jp_actions": [["N1", "2018-06-01", "#REF!", 1], ["N1", "2018-06-01", "1.2E+15", 1]],
        "jp_applications": [["A1", "N1", 2018, "2019-03-01", "有", "無", "#N/A", "#N/A", *[""] * 6],
                            ["A2", "N1", 2018, "2019-03-01", "#N/A", "無", "", "", *[""] * 6],
                            ["A3", "N1", 2018, "2019-03-01", "有", "無", "", "", *[""] * 5, "#N/A"]],
        "kr_returns": [["2021H1-001", 1, "#N/A"], ["#N/A", 1, ""]],
    }.items():  # fmt: skip
        office.sources[source_id] = replace(office.sources[source_id], format="xlsx")
        name = office.sources[source_id].pattern.replace("*", "1")
        office.drop(source_id, name, workbook([HEADERS[source_id].split(","), *rows]))
        office.take_in(source_id)
        found = office.query(f"select row_no, reason from lake.quarantine where source_id = '{source_id}' order by all")
        assert found == [(row_no, "bad_value") for row_no in range(1, len(rows) + 1)], source_id


def edited(content: bytes, edit: Callable[[str], str]) -> bytes:
    """The workbook with another text of its first sheet."""
    old, new = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    with zipfile.ZipFile(new, "w") as archive:
        for name in old.namelist():
            text = old.read(name).decode()
            archive.writestr(name, edit(text) if name == "xl/worksheets/sheet1.xml" else text)
    return new.getvalue()


def without_places(sheet: str) -> str:
    return re.sub(r'(<(?:c|row)\b[^>]*?) r="[A-Z]*[0-9]+"', r"\1", sheet)


def with_prefix(sheet: str) -> str:
    return re.sub(r"<(/?)(\w)", r"<\1x:\2", sheet).replace("xmlns=", "xmlns:x=")


@pytest.mark.parametrize("edit", [without_places, with_prefix], ids=["cells without r", "a named namespace"])
def test_sheets_of_other_programs(office: Office, edit: Callable[[str], str]) -> None:
    rows = [["1", "202101", 1, "#N/A"], ["2", "202101", 2, "실측"], [9410123456789016, "202101", 1, "실측"]]
    odd = edited(workbook([WATER, *rows]), lambda sheet: edit(sheet.replace("9410123456789016", "9410123456789017")))
    office.drop("kr_waterworks", "water_1.xlsx", odd)
    office.take_in("kr_waterworks")
    assert office.refused() == [(1, "bad_value"), (3, "bad_customer_no")]
    assert quarantined(office, "kr_waterworks")[1][0] == "9410123456789017"


MEMBER = {
    "name": "홍길동", "participant_type": "개인(만14세이상)", "region_code": "48170",
    "address": "가상로 1", "joined_on": "2020-04-08", "required_consent": "Y", "optional_consent": "N",
    "incentive_type": "현금", "bank_code": "088", "account_no": "1101234567890123", "account_holder": "홍길동",
    "electricity_provider": "한국전력", "electricity_method": "개별납부", "water_method": "사용안함",
    "gas_method": "사용안함",
}  # fmt: skip
# What differs, reason. Only who is accepted has an account to be paid to.
MEMBERS = [
    ({"account_no": 1101234567890123}, "bad_value"),
    ({}, None),
    ({"account_no": 110123456789012}, None),
    ({"incentive_type": "그린카드", "card_no": 9410123456789016}, "bad_value"),
    ({"electricity_customer_no": 1030000000500000}, "bad_value"),
    ({"withdrawn_on": "#N/A"}, "bad_value"),
    ({"incentive_type": "#N/A"}, "bad_value"),
    ({"nickname": "#REF!"}, None),  # no column of this register
    ({"optional_consent": "#N/A"}, "bad_value"),
    ({"area_m2": "#DIV/0!"}, "bad_value"),
    ({"phone": "#N/A"}, "bad_value"),
    ({"account_no": "1.10123E+15"}, "bad_value"),
    ({"name": "#N/A"}, "bad_value"),
]


def test_a_register_in_a_workbook(office: Office, sources: dict[str, Source]) -> None:
    register = office.sources["kr_enrolments"] = replace(
        sources["kr_enrolments"], format="xlsx", pattern="enrolments_*.xlsx"
    )
    rows = []
    for number, (other, _) in enumerate(MEMBERS, start=1):
        member = MEMBER | {"participant_id": f"X{number}", "login_id": f"member{number:04}"}
        member |= {"electricity_customer_no": f"{number:010}", "address": f"가상로 {number}"} | other
        rows.append([member.get(field, "") for field in register.columns])
    headers = [column.headers[0] for column in register.columns.values()]
    office.drop("kr_enrolments", "enrolments_20210101.xlsx", workbook([headers, *rows]))
    office.take_in("kr_enrolments")
    assert office.refused() == [(row_no, reason) for row_no, (_, reason) in enumerate(MEMBERS, start=1) if reason]
    accepted = office.query("select participant_id, has_bank_account from lake.participants order by all")
    assert accepted == [(f"X{row_no}", True) for row_no in (2, 3, 8)]
