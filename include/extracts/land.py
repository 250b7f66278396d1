"""Taking in what providers drop: byte-for-byte copies addressed by SHA-256, and one receipt per file received.

Both are records: never changed.
"""

from __future__ import annotations

import contextlib
import fcntl
import fnmatch
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import fsspec

from include.extracts import read
from include.packs.sources import Source
from include.settings import Home

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Landing:
    """What one look at a source's place brought."""

    received: tuple[dict, ...]  # new receipts
    ignored_files: tuple[str, ...]  # names that do not match the pattern


@contextlib.contextmanager
def lock(home: Home) -> Iterator[None]:
    """One ingest at a time per installation; the next one waits."""
    home.root.mkdir(parents=True, exist_ok=True)
    with (home.root / ".ingest.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def landed_path(home: Home, sha256: str) -> Path:
    return home.landing / sha256[:2] / sha256


def receipts(home: Home, source_id: str) -> list[dict]:
    """All receipts of a source, in the order of receipt."""
    paths = sorted((home.receipts / source_id).glob("[0-9]*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def land(source: Source, home: Home) -> Landing:
    """Fetch every file of the source that is new, in ascending name order. The place it comes from is never changed.

    A receipt has source_id, program_id, file_name, size, sha256, received_at (UTC), received_no, stamp (what a remote
    place says about the version) and status: landed, duplicate (the same bytes were landed before) or forbidden_column
    (bytes not kept).
    Raises whatever the place raises when it cannot be read (OSError and the like).
    """
    remote = "://" in source.pull_url
    url = source.pull_url if remote else str(home.root / source.pull_url)
    files, folder = fsspec.core.url_to_fs(url)
    try:
        listing = [entry for entry in files.ls(folder, detail=True) if entry["type"] == "file"]
    except FileNotFoundError:
        return Landing((), ())
    listing.sort(key=lambda entry: PurePosixPath(entry["name"]).name)
    matching = [entry for entry in listing if fnmatch.fnmatchcase(PurePosixPath(entry["name"]).name, source.pattern)]
    ignored = tuple(PurePosixPath(entry["name"]).name for entry in listing if entry not in matching)

    known = receipts(home, source.source_id)
    before = len(known)
    _private_folder(home.landing)
    incoming = home.landing / ".incoming"
    incoming.unlink(missing_ok=True)  # of a run that was stopped
    for entry in matching:
        name = PurePosixPath(entry["name"]).name
        latest = next((receipt for receipt in reversed(known) if receipt["file_name"] == name), None)
        stamp = _stamp(entry) if remote else None
        if stamp and latest and latest.get("stamp") == stamp and latest["status"] != "forbidden_column":
            continue  # not fetched again; a local file is, since reading it costs little
        with files.open(entry["name"], "rb") as remote_file, _private_file(incoming) as file:
            shutil.copyfileobj(remote_file, file, _CHUNK)
            file.flush()
            os.fsync(file.fileno())
        sha256 = sha256_of(incoming)
        if latest and latest["sha256"] == sha256 and latest["status"] != "forbidden_column":
            incoming.unlink()
            continue
        receipt = {
            "source_id": source.source_id,
            "program_id": source.program_id,
            "file_name": name,
            "size": incoming.stat().st_size,
            "sha256": sha256,
            "stamp": stamp,
            "received_no": len(known) + 1,
        }
        if found := read.forbidden(source, incoming):
            incoming.unlink()
            if latest and latest["sha256"] == sha256:
                continue
            receipt |= {"status": "forbidden_column", "detail": forbidden_detail(found)}
        elif any(old["sha256"] == sha256 and old["status"] == "landed" for old in known):
            incoming.unlink()
            receipt["status"] = "duplicate"
        else:
            path = landed_path(home, sha256)
            _private_folder(path.parent)
            incoming.replace(path)
            _sync_folder(path.parent)
            receipt["status"] = "landed"
        receipt["received_at"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        _write_receipt(home, receipt)
        known.append(receipt)
    return Landing(tuple(known[before:]), ignored)


def forbidden_detail(found: list[str]) -> str:
    return f"has the column {', '.join(found)}, which may not be sent; ask the provider to send the file without it"


def _stamp(entry: dict) -> str | None:
    """What tells one version of a remote file from the next, without fetching it; None if nothing does."""
    marks = [entry.get(key) for key in ("ETag", "mtime", "LastModified", "last_modified", "md5Hash")]
    return f"{entry.get('size')} {marks}" if any(marks) else None


def _write_receipt(home: Home, receipt: dict) -> None:
    folder = home.receipts / receipt["source_id"]
    _private_folder(home.receipts)
    _private_folder(folder)
    path = folder / f"{receipt['received_no']:06d}.json"
    temporary = folder / ".new"
    with _private_file(temporary) as file:
        file.write(json.dumps(receipt, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync_folder(folder)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _private_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


def _private_file(path: Path):
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
