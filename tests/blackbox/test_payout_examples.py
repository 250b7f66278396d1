"""P1 to P3 of the worked examples: what is issued day after day, while corrections, returns and accounts arrive."""

from __future__ import annotations

import pytest

from tests.blackbox.chain import batch_folders, lines, manifest

KR, JP = "kr_carbon_point", "jp_nakano_eco_point"


@pytest.mark.parametrize(
    ("day", "batches"),
    [
        ("2019-04-14", []),
        ("2019-04-15", [f"{JP}/FY2018-001"]),
        ("2019-05-31", []),
        ("2019-10-01", [f"{JP}/FY2018-002"]),
        ("2021-05-31", []),
        ("2021-06-01", [f"{KR}/2020H2-001"]),
        ("2021-07-10", [f"{KR}/2020H2-002"]),
        ("2021-08-10", [f"{KR}/2020H2-003"]),
        ("2021-08-11", []),
        ("2021-12-01", [f"{KR}/2021H1-001"]),
        ("2022-01-10", [f"{KR}/2021H1-002"]),
        ("2022-02-01", []),
        ("2022-03-01", [f"{KR}/2021H1-003"]),
        ("2022-03-02", []),
    ],
)
def test_what_is_issued_when(paid, day, batches):
    assert paid.issued[day] == batches


@pytest.mark.parametrize(
    ("batch", "expected", "overpaid"),
    [
        (f"{KR}/2020H2-001", [(1, "Q1", 20000)], (0, 0)),
        (f"{KR}/2020H2-002", [(1, "Q2", 10000)], (1, 10000)),
        (f"{KR}/2020H2-003", [(1, "Q1", 10000)], (0, 0)),
        (
            f"{KR}/2021H1-001",
            [(n, who, 20000) for n, who in enumerate(["L1", "L2", "L3", "L4", "L5", "L6", "Q3"], 1)],
            (0, 0),
        ),
        (f"{KR}/2021H1-002", [(1, "Q3", 10000)], (0, 0)),
        (f"{KR}/2021H1-003", [(1, "Q3", 20000)], (0, 0)),
        (f"{JP}/FY2018-001", [(1, "N1", 1500)], (0, 0)),
        (f"{JP}/FY2018-002", [(1, "N1", 3000), (2, "N3", 1000)], (0, 0)),  # N3: 50 EcoMarks, 250 + 1,000 points
    ],
)
def test_lines(paid, batch, expected, overpaid):
    folder = batch_folders(paid.home)[batch]
    assert lines(folder) == expected
    said = manifest(folder)
    assert said["lines"] == len(expected)
    assert said["amount"] == sum(amount for _, _, amount in expected)
    assert said["overpaid"] == {"participants": overpaid[0], "amount": overpaid[1]}


@pytest.mark.parametrize(
    ("day", "who", "period", "expected"),
    [
        ("2019-04-14", "Q1", "2020H2", (20000, "payable", None, 0)),
        ("2019-04-14", "Q2", "2020H2", (10000, "held", "bank_account_missing", 0)),
        ("2021-07-10", "Q1", "2020H2", (10000, "payable", None, 20000)),
        ("2021-07-10", "Q2", "2020H2", (10000, "payable", None, 0)),
        ("2021-08-10", "Q1", "2020H2", (30000, "payable", None, 20000)),
        ("2022-01-10", "Q1", "2020H2", (30000, "payable", None, 30000)),
        ("2022-01-10", "Q3", "2021H1", (30000, "payable", None, 20000)),
        ("2022-02-01", "Q3", "2021H1", (30000, "held", "account_returned", 10000)),
        ("2022-03-01", "Q3", "2021H1", (30000, "payable", None, 10000)),
        ("2022-03-02", "Q3", "2021H1", (30000, "payable", None, 30000)),
        ("2022-03-02", "N1", "FY2018", (4500, "payable", None, 4500)),
        ("2022-03-02", "N2", "FY2018", (3500, "held", "prize_missing", 0)),
    ],
)
def test_payouts_of_the_day(paid, day, who, period, expected):
    assert paid.payouts[day][period, who] == expected


def test_p2_lines_in_the_marts(paid):
    columns = "batch_id, line_no, amount, returned_reason"
    assert paid.find("fct_payout_lines", columns, participant_id="Q3") == [
        ("2021H1-001", 7, 20000, "계좌해지"),
        ("2021H1-002", 1, 10000, None),
        ("2021H1-003", 1, 20000, None),
    ]


def test_p3_the_marts_show_the_whole(paid):
    columns = "opening_points, earned_points, expired_points, redeemed_points, closing_points"
    assert paid.one("fct_point_balances", columns, participant_id="N1", period_id="FY2018") == (240, 4380, 0, 4500, 120)


def test_the_marts_know_every_line(paid):
    issued = {
        (folder.parts[-3], folder.name, *line) for folder in batch_folders(paid.home).values() for line in lines(folder)
    }
    found = paid.rows("select program_id, batch_id, line_no, participant_id, amount from marts.fct_payout_lines")
    assert set(found) == issued
