"""Issue: write an approved proposal's batch into ``exports/``, whole or not at all.

Everything is written under a hidden name, read back, compared with the decision, brought to disk, and renamed.
Whatever stops a run, what is in ``exports/`` under its own name is paid, and nothing else is.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from tanso.cells import Substitution
from tanso.files import private_folder, sync
from tanso.ingest import taken
from tanso.ledger import approvals, issue_log, ledger
from tanso.packs.sources import load_sources
from tanso.payouts import batch
from tanso.payouts.decision import decide, time_zone
from tanso.payouts.files import lost_characters, region_files
from tanso.payouts.files.layouts import load_layout
from tanso.payouts.propose import Proposal, describe, discard, pending
from tanso.privacy import vault
from tanso.settings import Home


class StaleProposal(ValueError):
    """What was approved is no longer what is due."""


@dataclass(frozen=True)
class Batch:
    """An issued batch. ``substitutions``: characters that a file's encoding or font lacks."""

    program_id: str
    period_id: str
    batch_id: str
    path: Path
    lines: int
    amount: int
    currency: str
    approved_by: str
    issued_at: datetime
    substitutions: tuple[Substitution, ...]


def issue(
    home: Home,
    proposal: Proposal | str,
    approved_by: str,
    roots: list[Path] | None = None,
    issued_at: datetime | None = None,
) -> Batch | None:
    """Write the batch of a proposal (or its id) that ``approved_by`` approved; None when nothing is due any more.

    That approval is recorded; it may be one that is on record already. Safe to run again, however the last run ended:
    what is in ``exports/`` counts as paid. ``issued_at`` is now by default. Raises ValueError without an approver, for
    an unknown id, or while a source of the programme failed in the newest ingest that the proposal does not name,
    NotApproved (the approval stays on record) when policy asks for another person's too, StaleProposal when something
    else is due than what was approved, BatchError when the files are not what was decided, and what ``decide`` and
    ``region_files.write`` raise.
    """
    approved_by = approvals.checked(approved_by)
    with ledger.lock(home):
        batch = _issue(home, proposal, approved_by, roots, issued_at or datetime.now(UTC))
        # Also when there was nothing to do: the last run may have been stopped between its rename and here.
        issue_log.append(home, ledger.batches(home), proposal if isinstance(proposal, str) else proposal.proposal_id)
        ledger.refresh(home)
    return batch


def approve(home: Home, proposal_id: str, by: str, at: datetime | None = None) -> bool:
    """Record that a person approved a proposal that waits; True when nobody else needs to: it may be issued.

    ``at`` is now by default. A proposal whose batch is issued already is approved. Raises ValueError for an unknown id,
    a name that cannot be kept, or a source that failed in the newest ingest and is not named in the proposal,
    StaleProposal when it was replaced, NotApproved when the same person approved before and another is needed.
    """
    by = approvals.checked(by)
    with ledger.lock(home):
        waiting = _approved(home, proposal_id)
        if waiting is None:
            return True
        _failed_sources(home, waiting, None)
        before = approvals.given(home, waiting)
        names = approvals.record(home, waiting, by, at)
        if names == before:
            approvals.check(waiting, names, by)
    return len(names) >= waiting.approvers


def _issue(
    home: Home, proposal: Proposal | str, approved_by: str, roots: list[Path] | None, issued_at: datetime
) -> Batch | None:
    approved = _approved(home, proposal)
    if approved is None:
        return None
    proposal_id, as_of = approved.proposal_id, approved.as_of
    program_id, period_id, batch_id = approved.program_id, approved.period_id, approved.batch_id
    failed_sources = _failed_sources(home, approved, roots)
    vault.check(home)
    layout = load_layout(program_id, roots)
    with decide(home, as_of, program_id, period_id) as connection:
        current = describe(connection, home, program_id, period_id, layout, failed_sources)
        if current is None:
            discard(home, program_id, period_id)
            return None
        if current.proposal_id != proposal_id:
            raise StaleProposal(
                f"{proposal_id} is no longer what is due as of {as_of} ({current.proposal_id} is): a correction, a "
                "return, another batch or a change of payouts.yml came in between; propose again (make propose) and "
                "approve that"
            )
        issued_at = _moment(connection, current, issued_at.astimezone(UTC))
        before = approvals.given(home, current)
        names = approvals.record(home, current, approved_by)
        approvals.check(current, names, approved_by if names == before else None)
        approved_by = approvals.joined(names)
        parent = private_folder(private_folder(home.exports / program_id) / period_id)
        aside = private_folder(parent / f".{batch_id}-{os.getpid()}")
        local = issued_at.astimezone(time_zone(connection, program_id))
        head = region_files.Head(program_id, period_id, batch_id, local, current.currency, approved_by)
        try:
            substitutions = batch.write(connection, home, layout, current, head, aside, approved_by)
            batch.read_back(connection, layout, aside)
            batch.sync_tree(aside)
            aside.replace(parent / batch_id)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        sync(parent)
    lost_characters.keep(home, program_id, batch_id, substitutions)
    discard(home, program_id, period_id)
    return Batch(
        program_id,
        period_id,
        batch_id,
        parent / batch_id,
        current.lines,
        current.amount,
        current.currency,
        approved_by,
        issued_at,
        tuple(substitutions),
    )


def _moment(connection: duckdb.DuckDBPyConnection, current: Proposal, now: datetime) -> datetime:
    """The moment of issue in whole seconds, after every return that names the batch already: so they are told apart."""
    ((received_at,),) = connection.execute(
        "select max(received_at) from lake.returns where program_id = ? and batch_id = ?",
        [current.program_id, current.batch_id],
    ).fetchall()
    received_at = received_at and received_at.replace(tzinfo=UTC)
    if received_at and received_at >= now:
        raise ValueError(
            f"{current.batch_id} would be issued at {now:%Y-%m-%d %H:%M:%S} UTC, but a return that names it was "
            f"received at {received_at:%Y-%m-%d %H:%M:%S} UTC and would count as sent back: set this machine's clock, "
            "then issue again"
        )
    moment = now.replace(microsecond=0)
    return moment + timedelta(seconds=1) if received_at and received_at >= moment else moment


def _failed_sources(home: Home, proposal: Proposal, roots: list[Path] | None) -> list[str]:
    """The programme's sources that failed in the newest ingest; ValueError for one that the proposal does not name."""
    failed = taken.failed(home, load_sources(roots)).get(proposal.program_id, {})
    if set(failed) - set(proposal.failed_sources):
        raise ValueError(taken.sentence(proposal.program_id, failed))
    return sorted(failed)


def _approved(home: Home, proposal: Proposal | str) -> Proposal | None:
    """The proposal; None when its batch is issued already."""
    if isinstance(proposal, Proposal):
        return proposal
    waiting = pending(home)
    for one in waiting:
        if one.proposal_id == proposal:
            return one
    program_id, batch_id, *_ = [*proposal.split("/"), "", ""]
    same = [one for one in waiting if (one.program_id, one.batch_id) == (program_id, batch_id)]
    if same:
        raise StaleProposal(
            f"{proposal} was replaced by {same[0].proposal_id}, since something else is due now: approve that"
        )
    if is_issued(home, proposal):
        return None
    ids = ", ".join(one.proposal_id for one in waiting) or "none"
    raise ValueError(f"Unknown proposal {proposal!r}. Waiting for approval: {ids}")


def is_issued(home: Home, proposal_id: str) -> bool:
    """Whether a batch was issued of exactly this proposal: approved under its digest, by whom its manifest names."""
    program_id, batch_id, digest, *_ = [*proposal_id.split("/"), "", ""]
    for issued in ledger.batches(home):
        if (issued.parts[-3], issued.name) == (program_id, batch_id) and digest:
            manifest = json.loads((issued / "manifest.json").read_text("utf-8"))
            issued_by = tuple(manifest[name] for name in ("approved_by", "lines", "amount"))
            return issued_by in approvals.on_record(home, program_id, batch_id, digest)
    return False
