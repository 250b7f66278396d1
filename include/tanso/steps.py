"""The pipeline's steps, as the DAGs' tasks and the command line run them.

Each works on ``settings.home()``, prints what it did and returns a short text; what it made lies under the home.
The engine is imported when a step runs: a DAG file that is parsed must not load it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from tanso import days, settings, shown
from tanso.files import private_folder, replace_private
from tanso.lineage import run

NAME_LENGTH = 80

# What a step writes, and what libraries write for it (spilled rows, logs), is for its owner unless we say otherwise.
os.umask(0o077)


def source_ids(wanted: list[str] | None = None) -> list[str]:
    """Ids of the declared sources, or those of ``wanted``; ValueError names one that is not declared."""
    from tanso.packs import load_sources

    declared = sorted(source.source_id for source in load_sources())
    unknown = sorted(set(wanted or []) - set(declared))
    if unknown:
        raise ValueError(f"Unknown source: {', '.join(unknown)}. Declared sources: {', '.join(declared)}.")
    return sorted(set(wanted)) if wanted else declared


def ingest_source(source_id: str, brought: Callable[[str], None] | None = None) -> str:
    """Take one source's new files; RuntimeError says what could not be taken (what could be is staged all the same).

    ``brought`` is told which files came, if any did: ``<the first> +<how many more>``.
    """
    from tanso.ingest import ingest_source
    from tanso.lineage import graph
    from tanso.packs import load_sources

    source = next(source for source in load_sources() if source.source_id == source_id)
    with run.step(settings.home(), f"ingest_source.{source_id}") as step:
        result = ingest_source(source, settings.home())
        step.made(graph.ingested, result)
        _keep(f"sources/{source_id}", result.summary())
        if brought and result.files:
            brought(files_brought([file["file_name"] for file in result.files]))
        said = _said(_files_text(result.files, result.left_files))
        if result.problems:
            raise RuntimeError("\n".join(result.problems))
    return said


def publish_lake(asked: list[str] | None = None, since: datetime | None = None) -> str:
    """Bring the lake to what is in force. Which of the sources ``asked`` for were not looked at ``since`` then is kept:
    whatever kept them from it, they count as failed."""
    from tanso.ingest import publish_lake, taken
    from tanso.lineage import graph
    from tanso.packs import load_policy, load_sources

    for source_id in asked or []:
        if since is None:
            raise TypeError("publish_lake: sources are asked for, and not since when")
        if not taken.is_looked_at(settings.home(), source_id, since):
            taken.not_taken(settings.home(), source_id, f"{source_id}: was not looked at; see its task ingest_source")
    with run.step(settings.home(), "publish_lake") as step:
        sources = load_sources()
        result = publish_lake(settings.home(), sources, load_policy())
        step.made(graph.published, sources, result)
    _keep("lake", result.summary())
    for problem in result.problems:
        print(shown.lines(str(problem)))
    return _said(f"Lake updated: {', '.join(result.tables)}" if result.changed else "Lake: nothing new")


def check_policy() -> str:
    """Load and check every pack's policy; ValueError names table, row and column. Returns its fingerprint, cut."""
    from tanso.packs import load_policy

    return _said(f"Policy is valid (fingerprint {load_policy().fingerprint[:12]})")


def checked(as_of: date | None = None) -> date | None:
    """The day asked for, else that of the environment; None: today, in each programme's time zone. Raises ValueError
    for a day that is yet to come in one."""
    from tanso.packs import load_policy

    day = as_of or settings.as_of()
    if day:
        days.refuse_to_come(day, {row["program_id"]: row["time_zone"] for row in load_policy().rows("programs")})
    return day


def evaluate(force: bool = False, as_of: date | None = None) -> str:
    """Build and publish the marts, unless they are up to date and ``force`` is not asked for.

    ``as_of``: the day that what comes after it works for; ValueError if it is yet to come.
    """
    from tanso.lineage import graph
    from tanso.warehouse import evaluate

    checked(as_of)
    with run.step(settings.home(), "evaluate") as step:
        result = evaluate(settings.home(), force=force)
        step.made(graph.evaluated, settings.home(), result)
    return _said(result)


def backfill(as_of: str, program_id: str | None = None, period_id: str | None = None) -> str:
    """Evaluate again as of a past day (or moment), beside what is published."""
    from tanso.lineage import graph
    from tanso.warehouse.backfill.backfill import backfill, parse

    with run.step(settings.home(), "backfill") as step:
        result = backfill(settings.home(), parse(as_of), program_id or None, period_id or None)
        step.made(graph.backfilled, settings.home(), result)
    return _said(result)


def propose(
    as_of: date | None = None,
    program_id: str | None = None,
    period_id: str | None = None,
    despite_failed_sources: bool = False,
) -> list[dict[str, str]]:
    """Work out what is due; per proposal what the approver is asked: proposal_id, subject, body (Markdown).

    Of a programme with a source that failed nothing is proposed, unless ``despite_failed_sources``. With ``program_id``
    or ``period_id`` only what is due there is asked; ValueError for a programme that is not there.
    """
    from tanso.ingest import taken
    from tanso.lineage import graph
    from tanso.packs import load_policy, load_sources
    from tanso.payouts import propose
    from tanso.reports.approval import question

    known = {row["program_id"] for row in load_policy().rows("programs")}
    if program_id and program_id not in known:
        raise ValueError(f"No programme {program_id!r}; there are {', '.join(sorted(known))}.")
    asked = {program_id} if program_id else known
    as_of = checked(as_of)
    with run.step(settings.home(), "propose") as step:
        everything = propose(settings.home(), as_of, despite_failed_sources=asked if despite_failed_sources else ())
        step.made(graph.proposed, everything)
    proposals = [
        proposal
        for proposal in everything
        if program_id in (None, proposal.program_id) and period_id in (None, proposal.period_id)
    ]
    for failing, sources in taken.failed(settings.home(), load_sources()).items():
        if failing in asked and not despite_failed_sources:
            _said(taken.sentence(failing, sources))
    when = as_of or "today"
    _said(f"Proposals as of {when}: {len(proposals)}" if proposals else f"Nothing is due as of {when}")
    return [question(proposal) for proposal in proposals]


def approve(proposal_id: str, by: str) -> bool:
    """Record that a person approved a proposal; False when policy asks for another person's approval too.

    Raises NotApproved when it is the same person's again, StaleProposal when the proposal was replaced, ValueError when
    there is none of that id. One whose batch is issued already needs nobody's approval.
    """
    from tanso.payouts import approve
    from tanso.payouts.issue import is_issued

    if is_issued(settings.home(), proposal_id):
        _said(f"{proposal_id}: its batch is issued already; there is nothing to approve")
        return True
    is_enough = approve(settings.home(), proposal_id, by)
    _said(f"{proposal_id}: approved by {by}" + ("" if is_enough else "; another person must approve it too"))
    return is_enough


def is_approved(proposal_id: str) -> bool:
    """Whether as many people approved as policy asks for, or the proposal waits no more."""
    from tanso.ledger import approvals
    from tanso.payouts import pending

    home = settings.home()
    waiting = (proposal for proposal in pending(home) if proposal.proposal_id == proposal_id)
    return all(len(approvals.given(home, proposal)) >= proposal.approvers for proposal in waiting)


def issue(proposal_id: str, approved_by: str) -> str | None:
    """Write the proposal's batch; returns its id, None when nothing of it is due any more.

    Raises StaleProposal when something else is due by now, NotApproved when fewer people approved than policy asks for.
    """
    from tanso.lineage import graph
    from tanso.payouts import issue

    with run.step(settings.home(), f"issue.{proposal_id.split('/')[0]}") as step:
        batch = issue(settings.home(), proposal_id, approved_by)
        step.made(graph.issued, batch)
    if batch is None:
        _said(f"{proposal_id}: nothing of it is due that was not issued already, so nothing was issued now")
        return None
    _said(f"Issued {batch.batch_id}, approved by {batch.approved_by}")
    for lost in batch.substitutions:
        _said(lost)
    return batch.batch_id


def files_brought(names: list[str]) -> str:
    """``<the first name> +<how many more>``."""
    first = shown.escaped(min(names))
    first = first if len(first) <= NAME_LENGTH else first[: NAME_LENGTH - 1] + "…"
    return first + (f" +{len(names) - 1}" if len(names) > 1 else "")


def _files_text(files: list[dict[str, Any]], left: list[dict[str, str]]) -> str:
    """What came of a source's files, on one line."""
    taken = [file for file in files if file["status"] == "accepted"]
    refused = [f"{file['file_name']} ({file['reason']})" for file in files if file["status"] == "rejected"]
    waiting = [f"{file['file_name']} ({file['why']})" for file in left]
    accepted, quarantined = (sum(file[count] for file in taken) for count in ("rows_accepted", "rows_quarantined"))
    again = len(files) - len(taken) - len(refused)
    words = [f"files accepted: {len(taken)}, rows: {accepted:,}"] if files else ["nothing new"]
    words += [f"rows refused: {quarantined:,}"] if quarantined else []
    words += [f"received before: {again}"] if again else []
    words += [f"refused files: {', '.join(refused)}"] if refused else []
    words += [f"left for the next run: {', '.join(waiting)}"] if waiting else []
    return ", ".join(words)


def _keep(name: str, report: dict[str, Any]) -> None:
    """Keep a step's report for the summary."""
    path = settings.home().reports / f"{name}.json"
    private_folder(path.parent)
    replace_private(path, json.dumps(report, ensure_ascii=False, indent=1, default=str).encode())


def _said(result: object) -> str:
    text = shown.lines(str(result))
    print(text, flush=True)
    return text
