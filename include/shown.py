"""Text from outside (files, registers, packs, parameters) made safe for where a person sees it.

What is stored stays as it was received; these functions are for the moment it is written to a terminal, a log, a page
or a file that leaves the house.
"""

from __future__ import annotations

import unicodedata

_FORMULA_SIGNS = "=+-@"
# Control, format, surrogate, private use and unassigned characters; line and paragraph separators.
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def escaped(text: str) -> str:
    """The text on one line, every character that is not seen written as ``\\xNN``, ``\\uNNNN`` or ``\\UNNNNNNNN``.

    For terminals, logs, JSON reports and names of files: no terminal escape, line break, direction mark or byte that is
    no UTF-8 (a surrogate of ``os.fsdecode``) gets through. Spaces other than U+0020 are written out too, but for the
    ideographic one (U+3000), which is common and seen.
    """
    return "".join(sign if _is_seen(sign) else _written_out(sign) for sign in text)


def markdown(text: str) -> str:
    """The text as a Markdown renderer shows it word for word: no link, image, emphasis, table or HTML of its own."""
    return "".join(
        sign if sign.isalnum() or sign in " -" or ord(sign) > 0x7F else f"&#{ord(sign)};" for sign in escaped(text)
    )


def one_line(text: str) -> str:
    """The text without what is not seen: control characters and line breaks become a space, format characters go.

    For names and addresses in files that leave the house.
    """
    signs = [(sign, unicodedata.category(sign)) for sign in text]
    kept = (" " if kind in ("Cc", "Zl", "Zp") else "" if kind in ("Cf", "Cs") else sign for sign, kind in signs)
    return "".join(kept)


def spreadsheet(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula: a leading ``'`` where it begins like one.

    White space, invisible characters and full-width forms before or of the sign do not hide it.
    """
    if text[:1] in ("\t", "\r", "\n"):
        return "'" + text
    for sign in unicodedata.normalize("NFKC", text):
        if sign in _FORMULA_SIGNS:
            return "'" + text
        if not sign.isspace() and unicodedata.category(sign) not in ("Cc", "Cf"):
            return text
    return text


def _is_seen(sign: str) -> bool:
    kind = unicodedata.category(sign)
    return kind not in _UNSEEN and (kind != "Zs" or sign in " \u3000")


def _written_out(sign: str) -> str:
    code = ord(sign)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that os.fsdecode could not read
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
