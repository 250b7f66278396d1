"""Aligned plain text that is Markdown too: sections are headings, tables are indented."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence, Sized
from typing import Any

from tanso.shown import escaped


def section(title: str, *blocks: str) -> str:
    """A heading and the blocks that are not empty, or nothing when all are."""
    filled = [block for block in blocks if block]
    return "\n\n".join([f"## {title}", *filled]) + "\n" if filled else ""


def if_any(found: Sized, text: str) -> str:
    """The text, where something was found that it stands above; else nothing."""
    return text if found else ""


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], limit: int = 30) -> str:
    """An aligned table of escaped texts, numbers to the right; empty without rows. Says how many rows beyond ``limit``
    are left out."""
    found = [list(row) for row in rows]
    if not found:
        return ""
    is_number = [all(isinstance(row[at], int | None) for row in found) for at in range(len(head))]
    lines = [[_cell(value) for value in row] for row in (head, *found[:limit])]
    widths = [max(_width(line[at]) for line in lines) for at in range(len(head))]
    padded = ["    " + "  ".join(map(_pad, line, widths, is_number)).rstrip() for line in lines]
    if len(found) > limit:
        padded.append(f"    … and {len(found) - limit:,} more")
    return "\n".join(padded)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else escaped(str(value))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _pad(text: str, width: int, to_the_right: bool) -> str:
    blank = " " * (width - _width(text))
    return blank + text if to_the_right else text + blank
