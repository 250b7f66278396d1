"""Activities, opening points and returns."""

from __future__ import annotations

from datetime import date, datetime

import pytest

ACTION = {"participant_id": "N1", "acted_on": "2018-06-15", "action_code": "eco_fair", "quantity": "2"}
LOT = {"participant_id": "N1", "certified_on": "H30.5.15", "points": "320"}
RETURNED = {"batch_id": "2021H1-001", "line_no": "7", "reason": "계좌해지"}


# source, row, reason; the rows differ from one another or are refused one by one
REASONS = [
    ("jp_actions", ACTION, None),
    ("jp_actions", ACTION | {"participant_id": ""}, "missing_value"),
    ("jp_actions", ACTION | {"acted_on": ""}, "missing_value"),
    ("jp_actions", ACTION | {"action_code": ""}, "missing_value"),
    ("jp_actions", ACTION | {"quantity": ""}, "missing_value"),
    ("jp_actions", ACTION | {"acted_on": "", "quantity": "?"}, "missing_value"),
    ("jp_actions", ACTION | {"acted_on": "6月"}, "bad_value"),
    ("jp_actions", ACTION | {"quantity": "二"}, "bad_value"),
    ("jp_actions", ACTION | {"quantity": "1.5"}, "bad_value"),
    ("jp_actions", ACTION | {"quantity": "0"}, "bad_value"),
    ("jp_actions", ACTION | {"quantity": "1"}, None),
    ("jp_actions", ACTION | {"quantity": "99999999999"}, "bad_value"),
    ("jp_actions", ACTION | {"action_code": "no_such_action"}, None),
    ("jp_opening_points", LOT, None),
    ("jp_opening_points", LOT | {"participant_id": ""}, "missing_value"),
    ("jp_opening_points", LOT | {"certified_on": ""}, "missing_value"),
    ("jp_opening_points", LOT | {"points": ""}, "missing_value"),
    ("jp_opening_points", LOT | {"certified_on": "?"}, "bad_value"),
    ("jp_opening_points", LOT | {"points": "320.5"}, "bad_value"),
    ("jp_opening_points", LOT | {"points": "-1"}, "bad_value"),
    ("jp_opening_points", LOT | {"points": "0"}, None),
    ("jp_opening_points", LOT | {"points": "1,320"}, None),
    ("kr_returns", RETURNED, None),
    ("kr_returns", RETURNED | {"batch_id": ""}, "missing_value"),
    ("kr_returns", RETURNED | {"line_no": ""}, "missing_value"),
    ("kr_returns", RETURNED | {"line_no": "칠"}, "bad_value"),
    ("kr_returns", RETURNED | {"line_no": "0"}, "bad_value"),
    ("kr_returns", RETURNED | {"reason": ""}, None),
]


@pytest.mark.parametrize("source_id", ["jp_actions", "jp_opening_points", "kr_returns"])
def test_reason_of_one_row(extracts, source_id):
    cases = [(row, reason) for of_source, row, reason in REASONS if of_source == source_id]
    judged = extracts(source_id).judge([row for row, _ in cases])
    assert [(row, judged.refused.get(i)) for i, (row, _) in enumerate(cases, start=1)] == cases


def test_a_later_file_with_the_same_participant_day_and_action_counts_alone(extracts):
    actions = extracts("jp_actions")
    judged = actions.judge([ACTION, ACTION | {"quantity": "3"}, ACTION, ACTION | {"quantity": "?"}])
    assert (judged.duplicates, judged.refused) == ([3], {4: "bad_value"})
    other_day, other_code = ACTION | {"acted_on": "2018-06-16"}, ACTION | {"action_code": "bag"}
    actions.accept([ACTION | {"quantity": "5"}, ACTION | {"quantity": "6"}], "actions_2.csv")
    actions.accept([ACTION | {"participant_id": "N2"}, other_day, other_code, ACTION], "actions_1.csv")
    actions.publish()
    n1 = ("jp_nakano_eco_point", "N1", date(2018, 6, 15))
    assert actions.lake("activities") == [
        ("jp_nakano_eco_point", "N2", date(2018, 6, 15), "eco_fair", 2, "actions_1.csv", 2, 1, f"{2:064x}"),
        ("jp_nakano_eco_point", "N1", date(2018, 6, 16), "eco_fair", 2, "actions_1.csv", 2, 2, f"{2:064x}"),
        (*n1, "bag", 2, "actions_1.csv", 2, 3, f"{2:064x}"),
        # its row 4 is superseded; the two stickers of actions_2 are two
        (*n1, "eco_fair", 5, "actions_2.csv", 1, 1, f"{1:064x}"),
        (*n1, "eco_fair", 6, "actions_2.csv", 1, 2, f"{1:064x}"),
    ]


def test_a_later_file_with_the_same_participant_and_day_of_certification_counts_alone(extracts):
    lots = extracts("jp_opening_points")
    other_day = LOT | {"certified_on": "2018-05-16"}
    lots.accept([LOT, LOT, LOT | {"points": "400"}, other_day, LOT | {"participant_id": "N2"}], "opening_1.csv")
    lots.accept([LOT | {"certified_on": "平成30年5月15日", "points": "300"}], "opening_2.csv")
    lots.publish()
    assert lots.lake("opening_points", "participant_id, certified_on, points, source_file_id") == [
        ("N1", date(2018, 5, 15), 300, f"{2:064x}"),
        ("N1", date(2018, 5, 16), 320, f"{1:064x}"),
        ("N2", date(2018, 5, 15), 320, f"{1:064x}"),
    ]


def test_lots_of_one_file_accumulate(extracts):
    lots = extracts("jp_opening_points")
    lots.accept([LOT, LOT, LOT | {"points": "400"}], "opening_1.csv")
    lots.publish()
    assert lots.lake("opening_points", "points") == [(320,), (400,)]


def test_last_return_of_a_line_counts(extracts):
    returns = extracts("kr_returns")
    returns.accept([RETURNED, RETURNED | {"line_no": "12", "reason": ""}], "returns_2.csv")
    returns.accept([RETURNED | {"reason": "예금주 불일치"}], "returns_1.csv")
    returns.publish()
    # What came last is another matter: it says after which batches the line came back.
    assert returns.lake("returns", "batch_id, line_no, reason, received_at") == [
        ("2021H1-001", 7, "계좌해지", datetime(2021, 1, 1, 0, 0, 2)),
        ("2021H1-001", 12, "사유 미기재", datetime(2021, 1, 1, 0, 0, 1)),
    ]


@pytest.mark.parametrize(
    ("source_id", "table"),
    [("jp_actions", "activities"), ("jp_opening_points", "opening_points"), ("kr_returns", "returns")],
)
def test_nothing_staged_leaves_no_file(extracts, source_id, table):
    source = extracts(source_id)
    source.accept([{"jp_actions": ACTION, "jp_opening_points": LOT, "kr_returns": RETURNED}[source_id]], "a.csv")
    source.publish()
    source.staged.clear()
    source.publish()
    assert not (source.home.lake / table / f"{source_id}.parquet").exists()
