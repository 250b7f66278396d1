"""Approvals: who said yes to exactly which proposal, as records.

``approvals/<program_id>/<batch_id>/<digest>/<n>.json``, n = 1, 2, … in the order in which people approved. The digest
is that of all that would be issued, so a proposal that changes has no approvals. How many different people must approve
is policy (``approval_rules``).
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import duckdb

from tanso import sql
from tanso.files import DamagedFile, read_hashed
from tanso.ledger.records import write_once
from tanso.settings import Home

DIGEST_SIGNS = 12  # of a digest, in a proposal's id
ANONYMOUS = "anonymous"  # whom Airflow names when everybody is admin


class Approvable(Protocol):
    """What is approved: a proposal of a batch."""

    @property
    def proposal_id(self) -> str: ...
    @property
    def program_id(self) -> str: ...
    @property
    def batch_id(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def lines(self) -> int: ...
    @property
    def amount(self) -> int: ...
    @property
    def currency(self) -> str: ...
    @property
    def approvers(self) -> int: ...


class NotApproved(ValueError):
    """Fewer people approved than policy asks for."""


def needed(connection: duckdb.DuckDBPyConnection, program_id: str, period_id: str, amount: int) -> int:
    """How many different people must approve a batch of that amount (unit of the programme); 1 without a rule.

    ``connection``: one of ``decide``.
    """
    return int(
        sql.scalar(
            connection,
            """
        select coalesce(max(r.approvers), 1)
        from carried.policy.approval_rules as r
        join house.marts.dim_periods as p on p.program_id = r.program_id
        where r.program_id = $1 and p.period_id = $2 and r.amount_from <= $3
            and r.valid_from_on <= p.starts_on and (r.valid_to_on is null or r.valid_to_on >= p.starts_on)
        """,
            [program_id, period_id, amount],
        )
    )


def given(home: Home, proposal: Approvable) -> list[str]:
    """The names of those who approved exactly this, in the order in which they did."""
    return [_read(path)["approved_by"] for path in _paths(home, proposal)]


def on_record(home: Home, program_id: str, batch_id: str, digest: str) -> list[tuple[str, int, int]]:
    """Names (as a manifest has them), lines and amount of what was approved under a proposal id's part of a digest."""
    found = []
    for folder in (home.approvals / program_id / batch_id).glob("*"):
        if folder.name[:DIGEST_SIGNS] == digest:
            records = [_read(path) for path in _records(folder)]
            names = joined([record["approved_by"] for record in records])
            found += [(names, record["lines"], record["amount"]) for record in records[:1]]
    return found


def record(home: Home, proposal: Approvable, by: str, at: datetime | None = None) -> list[str]:
    """Record that a person approved this; the names of all who did. Who did already stays there once.

    ``at`` is now by default. To be called under the ledger's lock. Raises ValueError for a name that a manifest cannot
    hold.
    """
    by = checked(by)
    names = given(home, proposal)
    if _same(by) not in map(_same, names):
        record = {
            "proposal_id": proposal.proposal_id,
            "digest": proposal.digest,
            "lines": proposal.lines,
            "amount": proposal.amount,
            "currency": proposal.currency,
            "approved_by": by,
            "approved_at": (at or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        write_once(home, _folder(home, proposal) / f"{len(names) + 1}.json", record)
        names.append(by)
    return names


def check(proposal: Approvable, names: list[str], by: str | None = None) -> None:
    """Raise NotApproved unless enough different people approved; ``by`` has just done so."""
    if len(names) >= proposal.approvers:
        return
    again = ""
    if by and len(names) and _same(by) == _same(names[0]):
        again = f" {by} cannot be the second person too."
    if any(_same(name) == ANONYMOUS for name in names):
        again += (
            " Airflow names everybody Anonymous while all are admins without a login, so two answers there can never "
            "differ: give Airflow users of its own, or approve from the command line."
        )
    raise NotApproved(
        f"{proposal.proposal_id} pays {proposal.amount:,} {proposal.currency}: policy approval_rules asks for "
        f"{proposal.approvers} different people, approved so far by {', '.join(names) or 'nobody'}.{again} "
        f"Next step: another person approves it, make approve PROPOSAL={proposal.proposal_id} BY=<name>"
    )


def checked(name: str | None) -> str:
    """The name, trimmed. Raises ValueError when there is none, or it cannot stand in a list of names."""
    name = " ".join((name or "").split())
    if not name:
        raise ValueError("Nothing is issued without an approver: name the person who approved the proposal")
    if "," in name or not name.isprintable():
        raise ValueError(f"An approver's name is one line without a comma (two names are joined by one), not {name!r}")
    return name


def joined(names: list[str]) -> str:
    """As a manifest's ``approved_by`` has them."""
    return ", ".join(names)


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_hashed(path, of_records=True)
    except DamagedFile as error:
        raise DamagedFile(f"{error}; restore approvals/ from its backup") from None


def _same(name: str) -> str:
    """What two writings of one name have in common."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _folder(home: Home, proposal: Approvable) -> Path:
    return home.approvals / proposal.program_id / proposal.batch_id / proposal.digest


def _paths(home: Home, proposal: Approvable) -> list[Path]:
    return _records(_folder(home, proposal))


def _records(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]*.json"), key=lambda path: int(path.stem))
