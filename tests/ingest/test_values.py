"""The grammar of values: both sides of every rule."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tanso.ingest.kinds import values


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    values.install(connection)
    return connection


CASES = {
    "to_month": {
        "202101": date(2021, 1, 1),
        "2021-12": date(2021, 12, 1),
        "2021/12": date(2021, 12, 1),
        "2021.12": date(2021, 12, 1),
        "2021-1": date(2021, 1, 1),
        "2021/9": date(2021, 9, 1),
        "2021.2": date(2021, 2, 1),
        **dict.fromkeys(
            [
                "2021-13",
                "202100",
                "20211",
                "2021-0",
                "2021-001",
                "2021",
                "20210101",
                "2021-01-01",
                "2021 01",
                "21.01",
                "2021.1월",
                "",
                None,
            ]
        ),
    },
    "to_day": {
        "20240229": date(2024, 2, 29),
        "2024-02-29": date(2024, 2, 29),
        "2024/02/29": date(2024, 2, 29),
        "2024.02.29": date(2024, 2, 29),
        "2018/4/1": date(2018, 4, 1),
        "2018-4-01": date(2018, 4, 1),
        "2018.12.1": date(2018, 12, 1),
        **dict.fromkeys(
            [
                "20230229",
                "2024-02/29",
                "2024-2/9",
                "2023-2-29",
                "2018/0/1",
                "2018/4/",
                "201841",
                "2018. 4. 1.",
                "202402",
                "H30.4.1",
                "平成30年4月1日",
                "",
                None,
            ]
        ),
    },
    "to_day_ja": {
        "20240229": date(2024, 2, 29),
        "H30.4.1": date(2018, 4, 1),
        "h30.04.01": date(2018, 4, 1),
        "平成30年4月1日": date(2018, 4, 1),
        "平成30年 4月 1日": date(2018, 4, 1),
        "R1.5.7": date(2019, 5, 7),
        "R元.5.7": date(2019, 5, 7),
        "令和元年5月7日": date(2019, 5, 7),
        "令和1年5月7日": date(2019, 5, 7),
        "S63.12.31": date(1988, 12, 31),
        "昭和64年1月7日": date(1989, 1, 7),
        "H31.5.1": date(2019, 5, 1),
        **dict.fromkeys(
            ["H30.2.29", "H0.4.1", "H30.13.1", "X30.4.1", "平成30年4月", "平成年4月1日", "30.4.1", "", None]
        ),
    },
    "to_number": {
        "12": "12",
        "-12.50": "-12.50",
        "+3": "+3",
        "1,234": "1234",
        "1,234,567.8": "1234567.8",
        "1234567": "1234567",
        "007": "007",
        **dict.fromkeys(
            ["1,23", "12,34,567", "1,2345", "1234,567", ",123", "1e3", "5.", ".5", "1 234", "--1", "x", "", None]
        ),
    },
    "to_integer": {"1,234": 1234, "12.0": 12, "-3": -3, **dict.fromkeys(["12.5", "x", "9" * 30, "", None])},
    "compact": {" a b\t": "ab", "관리비 합산": "관리비합산", **dict.fromkeys([" ", "", None])},
    "to_meter_no": {"012-345 678": "012345678", "1‐2–3−4": "1234", **dict.fromkeys(["- -", "", None])},
}


@pytest.mark.parametrize(
    ("macro", "text", "expected"), [(macro, *case) for macro, cases in CASES.items() for case in cases.items()]
)
def test_values(con: duckdb.DuckDBPyConnection, macro: str, text: str | None, expected: object) -> None:
    assert con.execute(f"select {macro}(?::varchar)", [text]).fetchone() == (expected,)


@pytest.mark.parametrize("macro", CASES)
def test_values_in_one_column(con: duckdb.DuckDBPyConnection, macro: str) -> None:
    """Unreadable neighbours must not disturb the readable ones."""
    cases = list(CASES[macro].items()) * 300
    con.execute("create or replace table texts as select unnest($1::varchar[]) as text", [[text for text, _ in cases]])
    found = con.execute(f"select {macro}(text) from texts order by rowid").fetchall()
    assert [value for (value,) in found] == [expected for _, expected in cases]


@settings(max_examples=25, deadline=None)
@given(st.dates(date(1990, 1, 1), date(2018, 12, 31)))
def test_an_era_date_is_the_same_day(day: date) -> None:
    with duckdb.connect() as con:
        values.install(con)
        year = day.year - 1988
        forms = [
            f"H{year}.{day.month}.{day.day}",
            f"平成{year}年{day.month}月{day.day}日",
            day.isoformat(),
            f"{day:%Y%m%d}",
        ]
        assert con.execute("select list_transform($1, lambda t: to_day_ja(t))", [forms]).fetchone() == ([day] * 4,)
