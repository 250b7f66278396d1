"""Queries that give a value, a row or dicts."""

from __future__ import annotations

import duckdb
import pytest

from tanso import sql


@pytest.fixture
def con():
    with duckdb.connect() as con:
        con.execute("create table t as select * from (values (1, 'a'), (2, null)) as t (no, text)")
        yield con


def test_scalar_first_and_rows_by_position_and_by_name(con) -> None:
    assert sql.scalar(con, "select count(*) from t where no > ?", [1]) == 1
    assert sql.scalar(con, "select text from t where no = $no", {"no": 2}) is None
    assert sql.first(con, "select * from t order by no") == (1, "a")
    assert sql.rows(con, "from t order by no") == [{"no": 1, "text": "a"}, {"no": 2, "text": None}]
    assert sql.rows(con, "from t where no = 3") == []


def test_a_row_that_is_not_there_is_an_error_with_the_query(con) -> None:
    with pytest.raises(LookupError, match="select no from t where no = 3"):
        sql.scalar(con, "select no\n  from t where no = 3")


def test_the_connection_is_free_for_other_work_afterwards(con) -> None:
    assert sql.scalar(con, "select no from t order by no") == 1
    assert con.sql("from t").fetchall() == [(1, "a"), (2, None)]
