"""A row of a policy file on its way to a typed row, and the list of what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tanso.shown import escaped


@dataclass
class Row:
    where: str  # <program_id>/policy/<table>.csv:<line>
    values: dict[str, Any]
    good: bool = True


class Problems:
    """What is wrong, one line each: ``file:row column 'value': what is wrong; what is allowed``."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, where: str, column: str, value: object, message: str) -> None:
        cell = f" {column}" if column else ""
        cell += f" '{value}'" if value not in ("", None) else ""
        self.lines.append(escaped(f"{where}{cell}: {message}"))

    def in_order(self) -> list[str]:
        """Each line once, by file and row number."""
        return sorted(dict.fromkeys(self.lines), key=_natural)


def _natural(line: str) -> list[tuple[int, int, str]]:
    """Sort key in which line 9 comes before line 10."""
    parts = re.split(r"([0-9]+)", line)
    return [(1, int(part), "") if index % 2 else (0, 0, part) for index, part in enumerate(parts)]
