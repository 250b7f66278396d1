"""Records of payouts: small JSON files that are written once, whole and to disk, and never changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tanso.files import hashed_json, sync
from tanso.settings import Home


def write_once(home: Home, path: Path, content: dict[str, Any]) -> None:
    """Write a record (with the SHA-256 of itself) below the home, for its owner alone; on disk when this returns.

    Raises FileExistsError when there is one of that name.
    """
    for folder in [*reversed(path.parent.relative_to(home.root).parents), path.parent.relative_to(home.root)]:
        (home.root / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}-{os.getpid()}")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(hashed_json(content))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(aside, path)
    finally:
        aside.unlink()
    sync(path.parent)
