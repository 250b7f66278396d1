"""What a text of a pack must be like before anything else is made of it: a path, a pattern, a line somebody reads.

Each check gives the text back, or raises ValueError: what is wrong with it (the value goes before that) and what is
allowed.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import available_timezones

import duckdb

from tanso.shown import escaped

_CODE = re.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_FIELD = re.compile("[a-z][a-z0-9_]{0,62}")
_LABEL = re.compile("[A-Za-z0-9][A-Za-z0-9-]{0,31}")
_FILE = re.compile(r"[\w{][\w{} .()-]{0,99}")
_LONGEST_FILE = 200  # bytes; a file system takes 255, and a suffix may follow
# What a batch and a region's folder have besides the files that payouts.yml names.
_TAKEN = {"manifest.json", "proposal.json", "control.html", "lines.parquet", "listed.parquet"}
RANKING = "{ranking_id}"


def code(value: Any) -> str:
    """An id or a code: it becomes part of a path, or a word of a list."""
    return _matching(_CODE, value, "letters, digits, - and _, at most 64 and no sign first")


def field(value: Any) -> str:
    """The name of a field: it becomes the name of a column."""
    return _matching(_FIELD, value, "small letters, digits and _, at most 63 and a letter first")


def period_label(value: Any) -> str:
    """What period ids are made of: they become folders and parts of batch ids."""
    label = _matching(_LABEL, value, "letters, digits and -, at most 32 and no - first, such as YYYYH1")
    if "YYYY" not in label:
        raise ValueError("has no year; allowed: a text with YYYY in it, such as YYYYH1")
    return label


def file_name(value: Any) -> str:
    """The name of a file in a region's folder; ``{ranking_id}`` stands for a code."""
    name = seen(value)
    plain = name.replace(RANKING, "x")
    if not _FILE.fullmatch(name) or re.search(r"[{}]|[.]{2}|[ .]$", plain) or len(name.encode()) > _LONGEST_FILE:
        raise ValueError(
            "is no plain file name; allowed: letters, digits, - and _, with . ( ) and spaces within, at most 100, no "
            f"folder; {RANKING} may stand in it"
        )
    if name.casefold() in _TAKEN:
        raise ValueError("is the name of a file that every batch has; choose another")
    return name


def pattern(value: Any) -> str:
    """A regular expression, as the engine that runs it reads it."""
    text = _text(value)
    try:
        with duckdb.connect() as con:
            con.execute("select regexp_full_match('', $1)", [text]).fetchall()
    except duckdb.Error as error:
        raise ValueError(f"is no regular expression (RE2): {escaped(str(error).splitlines()[0])}") from None
    return text


def zone(value: Any) -> str:
    """A time zone of the IANA database."""
    text = _text(value)
    if text not in _zones():
        raise ValueError("is no time zone; allowed: an IANA name, such as Asia/Seoul")
    return text


@cache
def _zones() -> set[str]:
    return available_timezones()


def within(folder: Path, value: Any) -> Path:
    """A file below ``folder``."""
    declared = PurePosixPath(seen(value))
    if (
        declared.is_absolute()
        or ".." in declared.parts
        or not declared.parts
        or len(str(declared).encode()) > _LONGEST_FILE
    ):
        raise ValueError(f"is no path below {folder}")
    return folder / declared


def seen(value: Any, lines: bool = False) -> str:
    """A text without characters that nobody sees: they would hide what stands there, or end a line or a cell.

    Spaces of all kinds are seen; with ``lines`` tabs and line breaks too.
    """
    text = _text(value)
    for sign in text:
        if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") and not (lines and sign in "\t\n"):
            raise ValueError(f"has a character that is not seen, {escaped(sign)}; leave it out")
    return text


def shown(value: Any) -> str:
    """A value in a message."""
    return f"'{escaped(value)}'" if isinstance(value, str) else escaped(repr(value))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("is no text; put it in quotes if it is meant to be one")
    return value


def _matching(allowed: re.Pattern[str], value: Any, what: str) -> str:
    text = _text(value)
    if not allowed.fullmatch(text):
        raise ValueError(f"is not allowed; allowed: {what}")
    return text
