"""What writers that were killed left half-written, under names that begin with a dot."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

LASTING = {".lock", ".dbt"}  # also begin with a dot, and stay


def remove(*folders: Path) -> None:
    """Remove it from the folders and all below them. The caller holds the lock that those who write there hold."""
    for folder in folders:
        for place, inner, files in os.walk(folder):
            hidden = [name for name in inner if name.startswith(".")]
            inner[:] = [name for name in inner if name not in hidden]
            for name in set(hidden) - LASTING:
                shutil.rmtree(Path(place, name))
            for name in files:
                if name.startswith(".") and name not in LASTING:
                    Path(place, name).unlink()
