"""Texts as SQL has them, for the places where DuckDB takes no parameter (views, COPY, ATTACH, names of columns).

Everywhere else a value is a parameter. No text of a pack, a file or a parameter stands in SQL but through these.
"""

from __future__ import annotations

from collections.abc import Iterable


def text(value: object) -> str:
    """The literal of a text or a path."""
    return _quoted(str(value), "'")


def texts(values: Iterable[object]) -> str:
    """The literal of a list of texts or paths."""
    return f"[{', '.join(map(text, values))}]::varchar[]"


def name(value: str) -> str:
    """The name of a column, table or type."""
    return _quoted(value, '"')


def _quoted(value: str, mark: str) -> str:
    return mark + value.replace(mark, mark * 2) + mark
