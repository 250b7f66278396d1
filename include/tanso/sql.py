"""What DuckDB is asked with and answers: texts as SQL has them, and queries that give a value, a row or dicts.

``text``, ``texts`` and ``name`` are for the places where it takes no parameter (views, COPY, ATTACH, names of columns);
everywhere else a value is a parameter.
No text of a pack, a file or a parameter stands in SQL but through these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb

# A row of a query, by the names of its columns.
Row = dict[str, Any]
# Of a query: by position, or by name.
Parameters = Sequence[Any] | Mapping[str, Any] | None


def text(value: object) -> str:
    """The literal of a text or a path."""
    return _quoted(str(value), "'")


def texts(values: Iterable[object]) -> str:
    """The literal of a list of texts or paths."""
    return f"[{', '.join(map(text, values))}]::varchar[]"


def name(value: str) -> str:
    """The name of a column, table or type."""
    return _quoted(value, '"')


def first(con: duckdb.DuckDBPyConnection, query: str, params: Parameters = None) -> tuple[Any, ...]:
    """The first row of a query that always has one, and few more.

    Raises LookupError, with the query, if it has none."""
    # All of it is fetched: a result that is not at its end keeps the connection from other work.
    found = con.execute(query, params).fetchall()
    if not found:
        raise LookupError(f"no row comes of: {' '.join(query.split())}")
    return found[0]


def scalar(con: duckdb.DuckDBPyConnection, query: str, params: Parameters = None) -> Any:
    """The first value of the first row of a query that always has one.

    Raises LookupError, with the query, if it has none; the value may be None (null)."""
    return first(con, query, params)[0]


def rows(con: duckdb.DuckDBPyConnection, query: str, params: Parameters = None) -> list[Row]:
    """All rows of a query, each a dict by column name; an empty list if there are none.

    Raises what DuckDB raises."""
    result = con.execute(query, params)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _quoted(value: str, mark: str) -> str:
    return mark + value.replace(mark, mark * 2) + mark
