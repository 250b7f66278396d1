"""A slow, independent reading of a metered extract, straight from the contract: no SQL, no Arrow, none of our macros.

Of a CSV with one usage and no unit (electricity): which rows are accepted, and with what usage.
"""

from __future__ import annotations

import csv
import datetime
import io
import re
import unicodedata
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

_MONTH = re.compile(r"([12][0-9]{3})(?:[-/.](?=[0-9]{1,2}$)|(?=[0-9]{2}$))(0?[1-9]|1[0-2])")
_DAY = re.compile(r"([12][0-9]{3})(?:([0-9]{2})([0-9]{2})|([-/.])([0-9]{1,2})\4([0-9]{1,2}))")
# Joiners, variation selectors, fillers of Hangul, the blank of Braille.
_LIKE_NOTHING = {*map(chr, (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810)))}
_LIKE_NOTHING |= {*map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])}
_NUMBER = re.compile(r"([+-]?)([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(\.[0-9]+)?")


def accepted(content: bytes, encoding: str, maximum: int) -> dict[tuple[str, str], str] | None:
    """(customer number, YYYY-MM) -> usage with three decimals; None if the file is no CSV in this encoding."""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return None
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if any(map(_folded, row))]
    except csv.Error:
        return None
    if not rows:
        return None
    header = [_folded(name) for name in rows[0]]
    found: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for row in rows[1:]:
        cells = [_folded(cell) for cell in row] + [""] * len(header)
        value = {name: cells[position] for position, name in reversed(list(enumerate(header)))}
        number, usage = _customer(value["고객번호"]), _usage(value["사용량"], maximum)
        month = _MONTH.fullmatch(value["청구년월"])
        starts, ends = _day(value.get("검침시작일", "")), _day(value.get("검침종료일", ""))
        if number and month and usage is not None and not (starts and ends and ends < starts):
            found[number, f"{month[1]}-{month[2]:0>2}"].append(usage)
    return {key: f"{usages[0]:.3f}" for key, usages in found.items() if len(set(usages)) == 1}


def _folded(cell: str) -> str:
    seen = "".join(letter for letter in cell if unicodedata.category(letter) != "Cf" and letter not in _LIKE_NOTHING)
    around = "".join({letter for letter in seen if letter.isspace() or unicodedata.category(letter) == "Cc"})
    return unicodedata.normalize("NFKC", seen).strip(around + " ")


def _customer(text: str) -> str | None:
    bare = "".join(
        letter
        for letter in text
        if not letter.isspace() and unicodedata.category(letter) not in ("Pd", "Zs", "Zl", "Zp") and letter != "\u2212"
    )
    return bare if re.fullmatch("[0-9]{10}", bare) else None


def _usage(text: str, maximum: int) -> Decimal | None:
    match = _NUMBER.fullmatch(text)
    if not match:
        return None
    exact = Decimal(text.replace(",", ""))
    if exact < 0:
        return None
    rounded = exact.quantize(Decimal("0.001"), ROUND_HALF_UP) if exact < Decimal(10) ** 20 else exact
    return rounded if rounded <= maximum else None


def _day(text: str) -> tuple[int, int, int] | None:
    match = _DAY.fullmatch(text)
    if not match:
        return None

    try:
        day = datetime.date(int(match[1]), int(match[2] or match[5]), int(match[3] or match[6]))
    except ValueError:
        return None
    return day.year, day.month, day.day
