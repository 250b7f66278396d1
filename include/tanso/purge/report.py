"""What a purge erases, or would erase, as text."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from tanso import days
from tanso.reports.text import section, table
from tanso.settings import Home

if TYPE_CHECKING:
    from tanso.purge.retention import Purge

_MEMBER = ("program_id", "participant_id", "ended_on", "last_paid_on", "kept_until")


def purge(home: Home, as_of: date | None, apply: bool) -> str:
    """Plan or apply a purge and tell what it does. Raises what ``tanso.purge.retention.purge`` raises."""
    from tanso.purge.retention import purge

    return told(purge(home, as_of, apply), apply)


def told(found: Purge, is_applied: bool) -> str:
    """Participants' numbers, dates and file names; no personal data."""
    as_of = days.text(found.as_of.values())
    if not found.vault and not found.files:
        rest = _waiting(found)
        return f"As of {as_of} there is nothing to erase.\n" + (f"\n{rest}" if rest else "")
    verb = "Erased" if is_applied else "Would be erased"
    members = [[member[name] for name in _MEMBER] for member in found.members]
    snapshots = [[source_id, sha256[:12], len(ids)] for (source_id, sha256), ids in sorted(found.vault.items())]
    files = [
        [file.receipt.source_id, file.receipt.file_name, file.day, file.receipt.sha256[:12]] for file in found.files
    ]
    parts = [
        f"# Purge as of {as_of}\n",
        section(f"{verb}: former members", table(["programme", "participant", *_MEMBER[2:]], members, limit=1000)),
        section(f"{verb}: rows of the vault", table(["source", "snapshot", "participants"], snapshots, limit=1000)),
        section(f"{verb}: register files in landing/", table(["source", "file", "day", "SHA-256"], files, limit=1000)),
        _waiting(found),
        "The same files in inbox/ belong to who dropped them there: remove them by hand.\n" if files else "",
        "" if is_applied else "Nothing was changed. To erase it for good: make purge APPLY=1\n",
    ]
    return "\n".join(part for part in parts if part)


def _waiting(found: Purge) -> str:
    rows = [[member[name] for name in _MEMBER] for member in found.waiting]
    return section(
        "Kept although their time is over: something is still payable to them",
        table(["programme", "participant", *_MEMBER[2:]], rows, limit=1000),
    )
