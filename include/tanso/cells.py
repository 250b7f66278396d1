"""What a cell of a file that leaves the house shows: one line, every sign of it seen, no formula in a CSV file.

What the recipient's encoding or font lacks is written as a sign that looks alike, or as 〓, and reported.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from tanso import shown

# What printers set for a character they do not have; in every Korean and Japanese encoding.
GETA = "〓"
# What a Substitution says of characters that a format has no room for.
CUT = "cut off"
# sign -> what is written for it where it is lacked, the first of these that is not
LOOK_ALIKES = {
    **dict.fromkeys("・ㆍ･•‧∙⋅", "·・"),
    "·": "・ㆍ",
    **dict.fromkeys("‐‑‒–−―", "-"),
    "—": "―-",
    "－": "−-",
    "〜": "～∼~",
    "～": "〜~",
    "∼": "～〜~",
    "‖": "∥",
    "∥": "‖",
    "¢": "￠",
    "￠": "¢",
    "£": "￡",
    "￡": "£",
    "¬": "￢",
    "￢": "¬",
    "¦": "￤|",
    "￤": "¦|",
    "¥": "￥",
    "￥": "¥",
    "₩": "￦",
    "￦": "₩",
    "‾": "￣",
    "￣": "‾",
    "＇": "'",
    "＂": '"',
    # Voiced marks that stand for themselves.
    "\u3099": "゛",
    "\u309a": "゜",
}
# What most cells are, and nothing has to be done about: no sign before a letter or digit, none that is not seen.
_plain = re.compile("[0-9A-Za-z가-힣一-鿿ぁ-ゖァ-ヺ][ -~가-힣一-鿿ぁ-ゖァ-ー]*").fullmatch
_COMPATIBILITY_IDEOGRAPHS = (range(0xF900, 0xFB00), range(0x2F800, 0x2FA20))


@dataclass(frozen=True)
class Substitution:
    """Characters of one cell that a file cannot show. ``row``: the 1-based data row; ``written_as``: ``〓``, the marks
    that look alike, ``unified form`` for a letter (which one would be a part of a name), or ``cut off``."""

    path: str
    row: int
    column: str
    characters: int
    participant_id: str
    written_as: str = GETA

    def __str__(self) -> str:
        how = self.written_as if self.written_as == CUT else f"written as {self.written_as}"
        return f"{self.path}, row {self.row} ({self.participant_id}), {self.column}: {self.characters} characters {how}"


def text_of(value: Any) -> str:
    """A value as text on one line, without what is not seen."""
    if value is None:
        return ""
    if isinstance(value, (int, Decimal)):
        return str(value)
    return shown.one_line(value.isoformat() if isinstance(value, date) else str(value))


def cell(value: Any) -> str:
    """A value as a cell of a CSV file; a text that a spreadsheet would take for a formula gets a leading ``'``."""
    if not isinstance(value, str):
        return text_of(value)
    return value if _plain(value) else text_of(shown.spreadsheet(value))


def fit(text: str, holds: Callable[[str], bool]) -> tuple[str, list[tuple[int, str]]]:
    """The text as a recipient can show it who ``holds`` some characters, and how many are ``written_as`` what."""
    written: list[str] = []
    counts: dict[str, int] = {}
    for sign in text:
        if holds(sign):
            written.append(sign)
            continue
        other, name = _other(sign, holds)
        written.append(other)
        counts[name] = counts.get(name, 0) + 1
    return "".join(written), [(counts[name], name) for name in sorted(counts)]


def _other(sign: str, holds: Callable[[str], bool]) -> tuple[str, str]:
    """What is written for a sign that is lacked, and its name in the report."""
    if alike := next(filter(holds, LOOK_ALIKES.get(sign, "")), None):
        return alike, alike
    if any(ord(sign) in block for block in _COMPATIBILITY_IDEOGRAPHS):
        unified = unicodedata.normalize("NFKC", sign)
        if holds(unified):
            return unified, "unified form"
    if unicodedata.name(sign, "").startswith("VARIATION SELECTOR"):
        return "", "unified form"
    return GETA, GETA
