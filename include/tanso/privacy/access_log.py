"""Who looked at personal data or paid by them, and why: one line of JSON per event, appended and never changed.

``access_log/<YYYY>.jsonl``, readable by its owner alone. No personal data in it but participants' numbers.
Each line holds the SHA-256 of the rest of it.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from tanso.files import private_folder
from tanso.settings import Home


def record(home: Home, what: str, why: str, who: str | None = None, **details: Any) -> None:
    """Append an event, on disk when this returns. ``who``: by default the account that runs the process."""
    now = datetime.now(UTC)
    event = {"at": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "who": who or _account(), "what": what, "why": why, **details}
    plain = json.loads(json.dumps(event, default=str))
    line = json.dumps({**plain, "sha256": _sha256(plain)}, ensure_ascii=False).encode() + b"\n"
    path = private_folder(home.access_log) / f"{now.year}.jsonl"
    # One write of one line: processes that append at the same time do not mix.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        is_cut = size and os.pread(descriptor, 1, size - 1) != b"\n"  # by a power failure: a line of its own
        os.write(descriptor, (b"\n" if is_cut else b"") + line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lines(home: Home) -> Iterator[tuple[str, bytes, dict[str, Any] | None]]:
    """Every line: where it stands, its bytes, and its event; None for one that is not as it was written."""
    for path in sorted(home.access_log.glob("*.jsonl")):
        for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
            if line.strip():
                yield f"access_log/{path.name}, line {number}", line, _event(line)


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
        written = event.pop("sha256", None)  # lines of older versions have none
        return event if written in (None, _sha256(event)) else None
    except (ValueError, AttributeError, TypeError):
        return None


def _sha256(event: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return f"uid {os.getuid()}"
