from __future__ import annotations

from datetime import date

PLAIN = {"application_id": "A1", "participant_id": "N1", "fiscal_year": "2018", "received_on": "2019-03-18"}


YEARS = [
    ("2018", 2018),
    ("2018年度", 2018),
    ("平成30年度", 2018),
    ("平成30", 2018),
    ("H30", 2018),
    ("H31", 2019),
    ("令和元年度", 2019),
    ("令和2年度", 2020),
    ("R1", 2019),
    ("r1", 2019),
]


def test_fiscal_years(extracts):
    judged = extracts("jp_applications").judge(
        [PLAIN | {"application_id": f"A{i}", "fiscal_year": text} for i, (text, _) in enumerate(YEARS)]
    )
    assert judged.good("fiscal_year") == [year for _, year in YEARS]


# what differs from a plain row, reason
REASONS = [
    ({}, None),
    ({"application_id": ""}, "missing_value"),
    ({"participant_id": ""}, "missing_value"),
    ({"fiscal_year": ""}, "missing_value"),
    ({"received_on": ""}, "missing_value"),
    ({"received_on": "", "fiscal_year": "?"}, "missing_value"),
    ({"fiscal_year": "30"}, "bad_value"),
    ({"fiscal_year": "H0"}, "bad_value"),
    ({"fiscal_year": "FY2018"}, "bad_value"),
    ({"received_on": "3月18日"}, "bad_value"),
    ({"eco_marks": "50枚"}, "bad_value"),
    ({"eco_marks": "-1"}, "bad_value"),
    ({"eco_marks": "1.5"}, "bad_value"),
    ({"eco_marks": "1,050"}, None),
    ({"gas_sheet": "あり"}, "bad_value"),
    ({"gas_sheet": "無"}, None),
    ({"report_7": "×"}, "bad_value"),
    ({"report_7": "○"}, None),
    ({"report_7": "〇"}, None),
]


def test_reason_of_one_row(extracts):
    judged = extracts("jp_applications").judge(
        [PLAIN | {"application_id": f"X{i}"} | row for i, (row, _) in enumerate(REASONS)]
    )
    assert [(row, judged.refused.get(i)) for i, (row, _) in enumerate(REASONS, start=1)] == REASONS


def test_blanks_mean_none(extracts):
    judged = extracts("jp_applications").judge([PLAIN])
    assert judged.good("sheets, eco_marks, reported_months, prize_code") == [("", 0, "", None)]


def test_sheets_and_reports_in_their_order(extracts):
    judged = extracts("jp_applications").judge(
        [
            PLAIN
            | {"gas_sheet": "有", "electricity_sheet": "有", "eco_marks": "50", "prize_code": "P-1"}
            | {"report_2": "○", "report_12": "○", "report_8": "○"}
        ]
    )
    assert judged.good("received_on, sheets, eco_marks, reported_months, prize_code") == [
        (date(2019, 3, 18), "electricity gas", 50, "8 12 2", "P-1")
    ]


def test_first_of_repeated_application_numbers_stays(extracts):
    judged = extracts("jp_applications").judge(
        [PLAIN | {"fiscal_year": "?"}, PLAIN, PLAIN | {"prize_code": "P-1"}, PLAIN, PLAIN | {"application_id": "A2"}]
    )
    assert judged.refused == {1: "bad_value", 3: "duplicate_application_no"}
    assert judged.duplicates == [4]
    assert judged.good("application_id") == ["A1", "A2"]


def test_later_file_supersedes(extracts):
    received = extracts("jp_applications")
    received.accept([PLAIN, PLAIN | {"application_id": "A2"}], "applications_2.csv")
    received.accept([PLAIN | {"prize_code": "OLD"}, PLAIN | {"application_id": "A0"}], "applications_1.csv")
    received.accept([PLAIN | {"prize_code": "NEW"}], "applications_2.csv")
    received.publish()
    assert received.lake("applications", "application_id, prize_code, source_file_id") == [
        ("A0", None, f"{2:064x}"),
        ("A1", "NEW", f"{3:064x}"),
        ("A2", None, f"{1:064x}"),
    ]
