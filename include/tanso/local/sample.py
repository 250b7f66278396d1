"""The bundled sample: what ``make run`` shows when no home of one's own is named."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from pathlib import Path

from tanso.files import keep_to_owner, private_folder
from tanso.settings import Home, program_roots


def files() -> dict[str, Path]:
    """Every file of the packs' ``sample/<source_id>/``, by its path below an inbox."""
    folders = [folder for root in program_roots() for folder in sorted(root.glob("*/sample"))]
    found = [(folder, path) for folder in folders for path in sorted(folder.rglob("*"))]
    return {str(path.relative_to(folder)): path for folder, path in found if path.is_file()}


def copy_to_inbox(home: Home) -> int:
    """Put the sample into the inbox, leaving what is there already; returns the number of files copied.

    A copy is dated an hour ago: it is whole, so that the run at hand need not wait until it has settled.
    """
    copied, an_hour_ago = 0, time.time() - 3600
    for name, path in files().items():
        target = home.inbox / name
        if not target.exists() or target.read_bytes() != path.read_bytes():
            private_folder(target.parent)
            shutil.copyfile(path, target)
            keep_to_owner(target)
            os.utime(target, (an_hour_ago, an_hour_ago))
            copied += 1
    return copied


def is_all_there_is(home: Home) -> bool:
    """True when nothing but the sample was ever received: only then may payouts be approved without a person."""
    known = {hashlib.sha256(path.read_bytes()).hexdigest() for path in files().values()}
    # Landed files are named by their hash.
    return bool(known) and all(path.name in known for path in home.landing.rglob("*") if path.is_file())
