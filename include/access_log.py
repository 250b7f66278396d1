"""Who looked at personal data or paid by them, and why: one line of JSON per event, appended and never changed.

``access_log/<YYYY>.jsonl``, readable by its owner alone. No personal data in it but participants' numbers.
"""

from __future__ import annotations

import getpass
import json
import os
from datetime import UTC, datetime
from typing import Any

from include.settings import Home


def record(home: Home, what: str, why: str, who: str | None = None, **details: Any) -> None:
    """Append an event, on disk when this returns. ``who``: by default the account that runs the process."""
    now = datetime.now(UTC)
    event = {"at": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "who": who or _account(), "what": what, "why": why, **details}
    line = json.dumps(event, ensure_ascii=False, default=str).encode() + b"\n"
    home.access_log.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = home.access_log / f"{now.year}.jsonl"
    # One write of one line: processes that append at the same time do not mix.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return f"uid {os.getuid()}"
