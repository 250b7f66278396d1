"""Taking in what providers drop: byte-for-byte copies addressed by SHA-256, and one receipt per file received.

Both are records: never changed.
"""

from __future__ import annotations

import contextlib
import fnmatch
import functools
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tanso import lake_files, leftovers
from tanso.files import DamagedFile, hashed_json, locked, private_file, private_folder, read_hashed, sync
from tanso.ingest import names
from tanso.ingest.formats import forbidden
from tanso.ingest.model import Receipt, ReceiptStatus
from tanso.ingest.pull import places
from tanso.packs.sources import Source
from tanso.settings import Home

_COMPARED = (ReceiptStatus.LANDED, ReceiptStatus.DUPLICATE)  # receipts whose bytes need not be read again
NOT_LANDED = (ReceiptStatus.FORBIDDEN_COLUMN, ReceiptStatus.NOT_A_FILE)
_RESTORE = "restore receipts/ from its backup, then ingest again (make ingest)"
_AT_ONCE = 100  # files that are brought to disk together
_SYNCS = 16  # at a time
_MAX_FAILED = 3  # files of one look; then the place is taken for broken


@dataclass(frozen=True)
class Landing:
    """What one look at a source's place brought."""

    received: tuple[Receipt, ...] = ()  # new receipts
    ignored_files: tuple[str, ...] = ()  # names that do not match the pattern
    left_files: tuple[dict[str, str], ...] = ()  # file_name and why it is left for the next run
    problems: tuple[str, ...] = ()  # what could not be pulled, and why


@contextlib.contextmanager
def lock(home: Home) -> Iterator[None]:
    """One ingest at a time per installation; the next one waits."""
    home.close_to_others()
    with locked(home.root / ".ingest.lock"):
        yield


def remove_leftovers(home: Home) -> None:
    """Of runs that were killed while they took files in; the caller holds ``lock``."""
    (home.landing / ".incoming").unlink(missing_ok=True)
    # Beside them, lake/ledger/ is written under another lock.
    tables = [path for path in home.lake.glob("*") if path.name != "ledger"]
    for folder in (home.receipts, home.vault, home.quarantine, home.rejected, home.feedback, home.data_docs, *tables):
        leftovers.remove(folder)


def landed_path(home: Home, sha256: str) -> Path:
    return home.landing / sha256[:2] / sha256


def receipts(home: Home, source_id: str) -> list[Receipt]:
    """All receipts of a source, in the order of receipt."""
    return [read_receipt(path) for path in sorted((home.receipts / source_id).glob("[0-9]*.json"))]


class DamagedReceipt(DamagedFile):
    """A receipt is not as it was written: what its source received cannot be told."""


def read_receipt(path: Path) -> Receipt:
    """Raises DamagedReceipt, naming it, for one that is not as it was written."""
    try:
        content = read_hashed(path, of_records=True)
    except DamagedFile as error:
        raise DamagedReceipt(f"{error}; {_RESTORE}") from None
    try:
        return Receipt.of(content)
    except ValueError as error:
        # One of an older version has no hash by which it would be noticed.
        raise DamagedReceipt(f"{path} is damaged: {error}; {_RESTORE}") from None


def land(source: Source, home: Home) -> Landing:
    """Fetch every file of the source that is new, in ascending name order. The place it comes from is never changed."""
    private_folder(home.landing)
    incoming = home.landing / ".incoming"
    incoming.unlink(missing_ok=True)  # of a run that was stopped
    try:
        place = places.Place(source, home)
        files = place.files()
    except places.PullError as error:
        return Landing(problems=(str(error),))
    known, ignored, left, problems = _Known(receipts(home, source.source_id)), [], [], []
    with _looked_at(home, source) as seen:
        for file in files:
            latest = known.last.get(file.name)
            if not file.is_file:
                if not latest or latest.status != ReceiptStatus.NOT_A_FILE:
                    known.add(_receipt(source, known, file.name, ReceiptStatus.NOT_A_FILE))
                continue
            if names.is_being_uploaded(file.name):
                left.append({"file_name": file.name, "why": "it is named as an upload in progress is"})
                continue
            if not fnmatch.fnmatchcase(file.name, source.pattern):
                ignored.append(file.name)
                continue
            if latest and latest.status in _COMPARED:
                stamp = place.stamp(file)
                if stamp and seen.get(file.name) == [stamp, latest.sha256]:
                    continue
            try:
                with private_file(incoming) as content:
                    fetched = place.fetch(file, content)
            except places.NotSettled as reason:
                incoming.unlink()
                left.append({"file_name": file.name, "why": str(reason)})
                continue
            except places.PullError as error:
                incoming.unlink()
                problems.append(str(error))
                if len(problems) == _MAX_FAILED:
                    problems.append(f"{source.source_id}: the files after {file.name} are left for the next run")
                    break
                continue
            if receipt := _receive(source, home, file.name, fetched, incoming, known):
                known.add(receipt)
            seen.pop(file.name, None)
            if fetched.stamp:
                seen[file.name] = [fetched.stamp, fetched.sha256]
            if len(known.new) - known.kept >= _AT_ONCE:
                _bring_to_disk(home, source, known)
        _bring_to_disk(home, source, known)
    return Landing(tuple(known.new), tuple(ignored), tuple(left), tuple(problems))


class _Known:
    """A source's receipts, as a look at its place needs them."""

    def __init__(self, receipts: list[Receipt]) -> None:
        self.count = len(receipts)
        self.last = {receipt.file_name: receipt for receipt in receipts}
        self.landed = {receipt.sha256 for receipt in receipts if receipt.status == ReceiptStatus.LANDED}
        self.new: list[Receipt] = []
        self.kept = 0  # of the new ones: how many are on disk

    def add(self, receipt: Receipt) -> None:
        self.count += 1
        self.last[receipt.file_name] = receipt
        if receipt.status == ReceiptStatus.LANDED:
            self.landed.add(receipt.sha256)
        self.new.append(receipt)


def _receive(
    source: Source, home: Home, name: str, fetched: places.Fetched, incoming: Path, known: _Known
) -> Receipt | None:
    """Put a whole file where it belongs; its receipt, or None if it is the latest of its name again."""
    sha256 = fetched.sha256
    latest = known.last.get(name)
    if latest and latest.sha256 != sha256:
        latest = None
    if latest and latest.status in _COMPARED:
        incoming.unlink()
        return None
    status, detail = ReceiptStatus.LANDED, ""
    if found := forbidden.found(source, incoming):
        incoming.unlink()
        if latest:
            return None
        status, detail = ReceiptStatus.FORBIDDEN_COLUMN, forbidden_detail(found)
    elif sha256 in known.landed:
        incoming.unlink()
        status = ReceiptStatus.DUPLICATE
    else:
        path = landed_path(home, sha256)
        private_folder(path.parent)
        incoming.replace(path)
    return _receipt(source, known, name, status, fetched.size, sha256, detail)


@contextlib.contextmanager
def _looked_at(home: Home, source: Source) -> Iterator[dict[str, list[Any]]]:
    """What the last look found: file name -> stamp and SHA-256. Derived: without it all files are fetched again."""
    path = home.lake / "_pulled" / f"{source.source_id}.json"
    # Another place may use the same marks for other bytes.
    place = {"url": source.pull_url, "connection": source.connection}
    try:
        stored = read_hashed(path)
        seen = stored["files"] if stored["place"] == place else {}
    except (FileNotFoundError, DamagedFile):
        seen = {}
    before = dict(seen)
    try:
        yield seen
    finally:
        if seen != before:
            lake_files.write_hashed_json({"place": place, "files": seen}, path)


def forbidden_detail(found: list[str]) -> str:
    return f"has {', '.join(found)}, which may not be sent; ask the provider to send the file without it"


def _receipt(
    source: Source,
    known: _Known,
    name: str,
    status: ReceiptStatus,
    size: int | None = None,
    sha256: str = "",
    detail: str = "",
) -> Receipt:
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return Receipt(source.source_id, source.program_id, name, known.count + 1, at, status, size, sha256, detail)


def _bring_to_disk(home: Home, source: Source, known: _Known) -> None:
    """Write the new receipts, the bytes that they speak of being on disk. Together, which takes the disk less time."""
    receipts, known.kept = known.new[known.kept :], len(known.new)
    landed = [landed_path(home, receipt.sha256) for receipt in receipts if receipt.status == ReceiptStatus.LANDED]
    private_folder(home.receipts)
    folder = private_folder(home.receipts / source.source_id)
    with ThreadPoolExecutor(_SYNCS) as beside:
        list(beside.map(sync, landed))
        list(beside.map(sync, {path.parent for path in landed}))
        written = list(beside.map(functools.partial(_written, folder), receipts))
    for temporary, path in written:
        temporary.replace(path)
    if written:
        sync(folder)


def _written(folder: Path, receipt: Receipt) -> tuple[Path, Path]:
    """A receipt under its temporary name, on disk; and its name."""
    path = folder / f"{receipt.received_no:06d}.json"
    temporary = folder / f".{path.name}"
    with private_file(temporary) as file:
        file.write(hashed_json(receipt.content()))
        file.flush()
        os.fsync(file.fileno())
    return temporary, path
