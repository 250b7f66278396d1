"""Text from outside (files, registers, packs, parameters) made safe for where a person sees it.

What is stored stays as it was received; these functions are for the moment it is written to a terminal, a log, a page
or a file that leaves the house.
"""

from __future__ import annotations

import html as markup
import json
import re
import unicodedata
from typing import Any

_FORMULA_SIGNS = "=+-@"
# Control, format, surrogate, private use and unassigned characters; line and paragraph separators.
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# Signs that may mean something in Markdown: not a hyphen within a line, nor _ within a word.
_MARKDOWN = re.compile(r"[!-,./:-@\[-^`{-\x7f]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")
# Letters and marks by name, of which nothing is seen: fillers, joiners, a blank pattern of dots; what is no character.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\ufdd0-\ufdef"
    + "".join(chr(plane * 0x10000 + last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)


def escaped(text: str) -> str:
    """The text on one line, every character that is not seen written as ``\\xNN``, ``\\uNNNN`` or ``\\UNNNNNNNN``.

    For terminals, logs, JSON reports and names of files: no terminal escape, line break, direction mark or byte that is
    no UTF-8 (a surrogate of ``os.fsdecode``) gets through. Spaces other than U+0020 are written out too, but for the
    ideographic one (U+3000), which is common and seen.
    """
    return "".join(sign if _is_seen(sign) else _written_out(sign) for sign in text)


def lines(text: str) -> str:
    """A text of several lines, each ``escaped``: what is said about texts from outside, for a terminal or a log."""
    return "\n".join(map(escaped, text.split("\n")))


def json_text(value: Any) -> str:
    """Indented JSON in which everything is seen: what is not is a ``\\uNNNN`` of JSON. Unknown types are texts."""
    text = json.dumps(value, ensure_ascii=False, indent=1, default=str)
    return "".join(sign if sign == "\n" or _is_seen(sign) else json.dumps(sign)[1:-1] for sign in text)


def markdown(text: str) -> str:
    """The text as a Markdown renderer shows it word for word: no link, image, emphasis, table or HTML of its own."""
    return _MARKDOWN.sub(lambda sign: f"&#{ord(sign[0])};", escaped(text))


def html(text: str) -> str:
    """The text as an HTML page shows it word for word, in an attribute too; what is not seen is written out."""
    return markup.escape(escaped(text))


def one_line(text: str) -> str:
    """The text without what is not seen: control characters, line breaks and spaces other than U+0020 and the
    ideographic one become a space, format characters, fillers and what is no character go.

    For what stands in files that leave the house.
    """
    if text.isprintable() and not _BLANK.search(text):
        return text
    signs = [(sign, unicodedata.category(sign)) for sign in _BLANK.sub("", text)]
    kept = (
        " "
        if kind in ("Cc", "Zl", "Zp") or (kind == "Zs" and sign != "\u3000")
        else ""
        if kind in ("Cf", "Cs")
        else sign
        for sign, kind in signs
    )
    return "".join(kept)


def spreadsheet(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula: a leading ``'`` where it begins like one.

    White space, invisible characters and full-width forms before or of the sign do not hide it.
    """
    if text[:1].isalnum() and not _BLANK.match(text):  # most do; no other letter or digit becomes a sign under NFKC
        return text
    if text[:1] in ("\t", "\r", "\n"):
        return "'" + text
    for sign in unicodedata.normalize("NFKC", text):
        if sign in _FORMULA_SIGNS:
            return "'" + text
        if not (sign.isspace() or unicodedata.category(sign) in ("Cc", "Cf", "Cs") or _BLANK.match(sign)):
            return text
    return text


def _is_seen(sign: str) -> bool:
    kind = unicodedata.category(sign)
    return kind not in _UNSEEN and (kind != "Zs" or sign in " \u3000") and not _BLANK.match(sign)


def _written_out(sign: str) -> str:
    code = ord(sign)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that os.fsdecode could not read
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
