"""One source: pull, land, and judge what has no valid result."""

from __future__ import annotations

from typing import Any

from tanso.files import DamagedFile
from tanso.ingest.lake.staged import stored_result
from tanso.ingest.landing import land
from tanso.ingest.model import ReceiptStatus, SourceResult
from tanso.ingest.verdicts import feedback, judge
from tanso.packs import sources
from tanso.packs.policy import Policy
from tanso.packs.sources import Source
from tanso.settings import Home

_SHOWN = (
    "file_name", "sha256", "status", "reason", "detail", "rows_read", "rows_accepted", "rows_quarantined",
    "rows_duplicate", "reasons", "ignored_columns",
)  # fmt: skip


def take_in(source: Source, home: Home, policy: Policy) -> SourceResult:
    """See ``ingest_source``."""
    sources.check(source)
    feedback.check(source)
    with land.lock(home):
        try:
            landing = land.land(source, home)
        except land.DamagedReceipt as error:  # nothing is known of what was received: nothing is landed or judged
            return SourceResult(source.source_id, problems=[f"{source.source_id}: {error}"])
        problems = list(landing.problems)
        files = [shown(receipt.content()) for receipt in landing.received if receipt.status != ReceiptStatus.LANDED]
        files += _judge_outdated(source, home, policy, landing, problems)
    return SourceResult(source.source_id, files, list(landing.ignored_files), list(landing.left_files), problems)


def _judge_outdated(
    source: Source, home: Home, policy: Policy, landing: land.Landing, problems: list[str]
) -> list[dict[str, Any]]:
    wanted = judge.fingerprint(source, policy)
    just_landed = {receipt.sha256 for receipt in landing.received if receipt.status == ReceiptStatus.LANDED}
    judged = []
    with judge.Desk(source, home, policy) as desk:
        for receipt in land.receipts(home, source.source_id):
            if receipt.status == ReceiptStatus.LANDED:
                if stored_result(home, source.source_id, receipt.sha256, wanted) is None:
                    try:
                        is_new = receipt.sha256 in just_landed
                        result = judge.judge_on(desk, source, receipt, home, policy, wanted, is_just_landed=is_new)
                        judged.append(shown(result))
                    except (FileNotFoundError, DamagedFile) as error:
                        problems.append(f"{source.source_id}: {error}")
            elif receipt.status == ReceiptStatus.FORBIDDEN_COLUMN:
                judge.report_forbidden(source, home, receipt)
    return judged


def shown(result: dict[str, Any]) -> dict[str, Any]:
    """The part of a receipt or result that goes into reports."""
    if result["status"] in land.NOT_LANDED:
        result = {**result, "status": "rejected", "reason": result["status"]}
    return {key: result[key] for key in _SHOWN if result.get(key) is not None}
