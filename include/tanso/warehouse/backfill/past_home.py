"""A home as it was at a moment, for the length of a back-fill: the records by then, and an empty lake of its own.

Records are linked, never copied; nothing personal is written. What was judged already in the same way is linked too:
files of the lake are replaced, never changed, so the links keep what they were made of.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from tanso import lake, lake_files
from tanso.files import file_sha256
from tanso.ingest import publish_lake
from tanso.ingest.lake.staged import staged_folder, stored_result
from tanso.ingest.landing import land
from tanso.ingest.model import ReceiptStatus
from tanso.ingest.verdicts import judge
from tanso.ledger import issue_log, ledger
from tanso.packs.policy import Policy
from tanso.packs.sources import Source
from tanso.privacy import vault
from tanso.settings import Home


def make(home: Home, root: Path, moments: Mapping[str, datetime], sources: Sequence[Source], policy: Policy) -> Home:
    """Make the home of the moment (UTC) of each programme under ``root`` and publish its lake.

    Raises FileNotFoundError if landed bytes are gone without having been erased by a purge, LedgerError if batches are.
    """
    past = Home(root)
    with land.lock(home):
        _link_records(home, past, moments, sources)
        for source in sources:
            _link_judged(home, past, source, policy)
            _link_tree(home.lake / "readings" / f"source_id={source.source_id}", past.lake / "readings")
    for source in sources:
        wanted = judge.fingerprint(source, policy)
        with judge.Desk(source, past, policy) as desk:
            for receipt in land.receipts(past, source.source_id):
                if receipt.status != ReceiptStatus.LANDED:
                    continue
                if stored_result(past, source.source_id, receipt.sha256, wanted) is None:
                    judge.judge_on(desk, source, receipt, past, policy, wanted, personal=False)
    publish_lake(past, sources, policy, expectations=False)
    return past


def _link_records(home: Home, past: Home, moments: Mapping[str, datetime], sources: Sequence[Source]) -> None:
    last = max(moments.values())
    past.root.mkdir()
    past.landing.symlink_to(home.landing)
    vault.check(home)  # accounts are compared by keyed hash
    if (home.vault / "key").exists():
        past.vault.mkdir()
        (past.vault / "key").symlink_to(home.vault / "key")
    for source in sources:
        kept, now = past.receipts / source.source_id, home.receipts / source.source_id
        kept.mkdir(parents=True)
        (kept / "erased").symlink_to(now / "erased")
        for path in now.glob("[0-9]*.json"):
            if datetime.fromisoformat(land.read_receipt(path).received_at) <= moments.get(source.program_id, last):
                (kept / path.name).symlink_to(path)
    batches = ledger.batches(home)
    issue_log.check(home, batches)
    for batch in batches:
        issued_at = json.loads((batch / "manifest.json").read_text("utf-8"))["issued_at"]
        if datetime.fromisoformat(issued_at) <= moments.get(batch.parts[-3], last):
            link = past.exports / batch.relative_to(home.exports)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(batch)


def _link_judged(home: Home, past: Home, source: Source, policy: Policy) -> None:
    """The staged rows of files that would be judged the same again."""
    wanted = judge.fingerprint(source, policy)
    of, to = staged_folder(home, source.source_id), staged_folder(past, source.source_id)
    to.mkdir(parents=True)
    for receipt in land.receipts(past, source.source_id):
        if receipt.status != ReceiptStatus.LANDED:
            continue
        result = stored_result(home, source.source_id, receipt.sha256, wanted)
        if result is None:
            continue
        written = result.get("written", {})
        if any(file_sha256(of / name) != sha256 for name, sha256 in written.items()):
            continue  # damaged: judged again
        for name in written:
            link(of / name, to / name)
        # Quarantine and feedback stay where they are.
        result["files"] = [name for name in result["files"] if (past.root / name).exists()]
        lake_files.write_hashed_json(result, to / f"{receipt.sha256}.json")


def _link_tree(of: Path, to: Path) -> None:
    for path in of.rglob("*.parquet"):
        if file_sha256(path) == (written := lake.noted(path))["sha256"]:
            link(path, to / path.relative_to(of.parent))
            lake.note(to / path.relative_to(of.parent), **written)


def link(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, to)
    except OSError:  # a file system without hard links
        shutil.copyfile(path, to)
