"""Names of files, whatever providers call them: told apart, shown, and never used as a path."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from pathlib import Path

from tanso import shown
from tanso.ingest.model import Receipt

_UPLOADS = (".part", ".tmp", ".filepart")
_LONGEST = 200  # bytes of a derived name without its suffix: with it, and what a temporary file adds, below 255
_WRITTEN_OUT = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")


def known_as(name: str) -> str:
    """The name with what is not seen written out: receipts, the lake and reports know the file by it.

    Two names never become one: a backslash that only looks like such a sign is written out itself.
    """
    return r"\x5c".join(map(shown.escaped, re.split(r"\\(?=[xuU])", name)))


def derived(file_name: str, sha256: str, suffix: str) -> str:
    """The name of a file that is about a received one: its stem as far as there is room, and its hash."""
    stem = file_name.rpartition(".")[0] or file_name
    stem = stem.replace("\\", "_").replace("/", "_")
    if stem.startswith("."):  # hidden files are leftovers of runs that were stopped
        stem = "_" + stem[1:]
    cut = stem.encode()[:_LONGEST].decode("utf-8", "ignore")
    return f"{cut}-{sha256[:8]}{suffix}"


def path_for(folder: Path, receipt: Receipt, suffix: str) -> Path:
    """Where in a folder something about a received file is: names come again with other bytes, so each has its own."""
    return folder / receipt.source_id / derived(receipt.file_name, receipt.sha256, suffix)


def is_being_uploaded(name: str) -> bool:
    """Whether it is named as tools name a file until all of it is there."""
    return name.casefold().endswith(_UPLOADS)


def day_in(file_name: str) -> date | None:
    """The day that the first eight digits of the name say; what is not seen does not count."""
    plain = unicodedata.normalize("NFKC", _WRITTEN_OUT.sub("", file_name))
    digits = re.search(r"[0-9]{8}", plain)
    try:
        return date.fromisoformat(digits[0]) if digits else None
    except ValueError:
        return None
