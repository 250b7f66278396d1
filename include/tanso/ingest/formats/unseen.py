"""What nobody sees in a text, and texts as they are compared. Only Python, for the process that reads workbooks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# Unicode's category Cf (direction marks, soft hyphens, zero-width spaces, byte order marks), and others that look like
# nothing: joiners, variation selectors, the fillers of Hangul, the blank of Braille. A class of regular expressions.
UNSEEN = (
    "[\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
    "\U000e0100-\U000e01ef]"
)
CONTROL = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))
_SPACES = (
    " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
AROUND = CONTROL + _SPACES


def fold_text(text: str) -> str:
    """A single value as ``fold`` leaves it."""
    return unicodedata.normalize("NFKC", re.sub(UNSEEN, "", text)).strip(AROUND)


def is_visible(cells: Iterable[str]) -> bool:
    """Whether any of the cells shows something."""
    return any(cell and fold_text(cell) for cell in cells)
