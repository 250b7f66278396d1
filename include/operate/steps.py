"""The pipeline's steps, as the DAGs' tasks and the command line run them.

Each works on ``settings.home()``, prints what it did and returns a short text; what it made lies under the home.
The engine is imported when a step runs: a DAG file that is parsed must not load it.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from include import settings


def source_ids(wanted: list[str] | None = None) -> list[str]:
    """Ids of the declared sources, or those of ``wanted``; ValueError names one that is not declared."""
    from include.packs import load_sources

    declared = sorted(source.source_id for source in load_sources())
    unknown = sorted(set(wanted or []) - set(declared))
    if unknown:
        raise ValueError(f"No source {', '.join(unknown)}; declared are {', '.join(declared)}.")
    return sorted(set(wanted)) if wanted else declared


def ingest_source(source_id: str) -> str:
    """Take one source's new files; RuntimeError says what could not be taken (what could be is staged all the same)."""
    from include.extracts import ingest_source
    from include.packs import load_sources

    source = next(source for source in load_sources() if source.source_id == source_id)
    result = ingest_source(source, settings.home())
    _keep(f"sources/{source_id}", result.summary())
    said = _said(_files_text(result.files))
    if result.problems:
        raise RuntimeError("\n".join(result.problems))
    return said


def publish_lake() -> str:
    """Bring the lake to what is in force."""
    from include.extracts import publish_lake
    from include.packs import load_policy, load_sources

    result = publish_lake(settings.home(), load_sources(), load_policy())
    _keep("lake", result.summary())
    for problem in result.problems:
        print(problem)
    return _said(f"lake: new are {', '.join(result.tables)}" if result.changed else "lake: nothing new")


def check_policy() -> str:
    """Load and check every pack's policy; ValueError names table, row and column. Returns its fingerprint, cut."""
    from include.packs import load_policy

    return _said(f"policy {load_policy().fingerprint[:12]} is sound")


def evaluate() -> str:
    """Build and publish the marts, unless they are up to date."""
    from include.warehouse import evaluate

    return _said(evaluate(settings.home()))


def backfill(as_of: str, program_id: str | None = None, period_id: str | None = None) -> str:
    """Evaluate again as of a past day (or moment), beside what is published."""
    from include.warehouse.backfill import backfill, parse

    return _said(backfill(settings.home(), parse(as_of), program_id or None, period_id or None))


def propose(as_of: date) -> list[dict[str, str]]:
    """Work out what is due; per proposal what the approver is asked: proposal_id, subject, body (Markdown)."""
    from include.payouts import propose
    from include.reports.approval import question

    proposals = propose(settings.home(), as_of)
    _said(f"Proposals as of {as_of}: {len(proposals)}" if proposals else f"Nothing is due as of {as_of}")
    return [question(proposal) for proposal in proposals]


def issue(proposal_id: str, approved_by: str) -> str | None:
    """Write the proposal's batch; returns its id, None when nothing of it is due any more.

    Raises StaleProposal when something else is due by now.
    """
    from include.payouts import issue

    batch = issue(settings.home(), proposal_id, approved_by)
    if batch is None:
        _said(f"{proposal_id}: nothing of it is due any more, so nothing was issued")
        return None
    _said(f"Issued {batch.batch_id}, approved by {approved_by}")
    for lost in batch.substitutions:
        _said(f"{lost.path}, row {lost.row}, {lost.column}: {lost.characters} characters written as 〓")
    return batch.batch_id


def _files_text(files: list[dict[str, Any]]) -> str:
    """What came of a source's files, on one line."""
    if not files:
        return "nothing new"
    taken = [file for file in files if file["status"] == "accepted"]
    refused = [f"{file['file_name']} ({file['reason']})" for file in files if file["status"] == "rejected"]
    accepted, quarantined = (sum(file[count] for file in taken) for count in ("rows_accepted", "rows_quarantined"))
    again = len(files) - len(taken) - len(refused)
    words = [f"files taken: {len(taken)}, rows: {accepted:,}"]
    words += [f"rows refused: {quarantined:,}"] if quarantined else []
    words += [f"received before: {again}"] if again else []
    words += [f"refused whole: {', '.join(refused)}"] if refused else []
    return ", ".join(words)


def _keep(name: str, report: dict[str, Any]) -> None:
    """Keep a step's report for the summary."""
    path = settings.home().reports / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1, default=str), encoding="utf-8")


def _said(result: object) -> str:
    print(result, flush=True)
    return str(result)
