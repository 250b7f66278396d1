"""Results of validated files and their staged rows: ``lake/_staged/<source_id>/<sha256>.*``.

Derived: made again when they are missing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tanso.files import DamagedFile, read_hashed
from tanso.settings import Home


def staged_folder(home: Home, source_id: str) -> Path:
    return home.lake / "_staged" / source_id


def stored_result(home: Home, source_id: str, sha256: str, wanted: str | None = None) -> dict[str, Any] | None:
    """The stored result of a file; None if there is none, it is outdated or damaged, or a file of it is gone."""
    folder = staged_folder(home, source_id)
    try:
        result = read_hashed(folder / f"{sha256}.json")
    except (FileNotFoundError, DamagedFile):
        return None
    if wanted is not None and result["fingerprint"] != wanted:
        return None
    return result if all((home.root / name).exists() for name in result["files"]) else None
