"""The issue log: one record per issued batch, kept apart from ``exports/``, so that a batch that is lost is missed.

``issue_log/<nnnnnn>.json`` in the order of issuing: the batch, its sums, its manifest's SHA-256, and the SHA-256 of the
record before. What ``exports/`` lacks of it (or of the access log) was paid and must not be paid again; a batch that it
lacks itself was issued by a run that was stopped, and is added.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

from tanso.files import DamagedFile, file_sha256, read_hashed
from tanso.ledger.records import write_once
from tanso.privacy import access_log
from tanso.settings import Home

log = logging.getLogger(__name__)


class LedgerError(ValueError):
    """The batches on disk are not those that were issued; nothing may be paid on top of them."""


def check(home: Home, folders: list[Path]) -> None:
    """Compare the batches' folders with what was issued.

    Raises LedgerError naming what is missing or changed, and the next step.
    """
    logged = _entries(home)
    found = {folder.parts[-3:]: folder for folder in folders}
    # Issued since the folders were listed, by another process: not missing.
    found |= {_key(entry): folder for entry in logged if (folder := home.exports.joinpath(*_key(entry))).is_dir()}
    missing = [_named(entry) for entry in logged if _key(entry) not in found]
    named = {*found, *map(_key, logged)}
    told = _in_access_log(home)
    seen = [key for key in told if key not in named and not home.exports.joinpath(*key).is_dir()]
    missing += map("/".join, seen)
    if missing:
        raise LedgerError(
            f"exports/ lacks {len(missing)} batches that were issued: {'; '.join(missing[:5])}"
            f"{'; …' if len(missing) > 5 else ''}. It is older than issue_log/ and access_log/: was a backup "
            "restored? Nothing is evaluated, proposed or issued on top of it, or they would be paid again. Next step: "
            "put these folders back from a newer backup of exports/ (docs/how-to/recover-from-a-crash.md)"
        )
    _check_damaged_lines(home, untold=len(named - set(told)))
    for entry in logged:
        folder = found[_key(entry)]
        if file_sha256(folder / "manifest.json") != entry["manifest_sha256"]:
            raise LedgerError(
                f"{folder}: manifest.json is not the one that was issued (issue_log/{entry['number']:06d}.json has its "
                "SHA-256); restore the batch from its backup"
            )
    for folder in {*folders, *found.values()}:
        _check_files(folder)


def append(home: Home, folders: list[Path], proposal_id: str | None = None) -> None:
    """Add the batches that are not in the log yet, oldest first, to it and to the access log.

    ``proposal_id``: what was approved last. To be called under the ledger's lock.
    """
    logged = _entries(home)
    named = {_key(entry) for entry in logged}
    told = set(_in_access_log(home))
    manifests = {
        folder: json.loads((folder / "manifest.json").read_text("utf-8"))
        for folder in folders
        if folder.parts[-3:] not in named
    }
    number = len(logged)
    for folder, manifest in sorted(manifests.items(), key=lambda item: (item[1]["issued_at"], item[0])):
        previous = file_sha256(_path(home, number)) if number else None
        number += 1
        kept = ("program_id", "period_id", "batch_id", "issued_at", "approved_by", "lines", "amount", "currency")
        entry = {
            "number": number,
            **{name: manifest[name] for name in kept},
            "manifest_sha256": file_sha256(folder / "manifest.json"),
            "previous_sha256": previous,
        }
        # In this order: whatever stops it, the next run adds what is missing and nothing twice.
        if folder.parts[-3:] not in told:
            _tell(home, manifest, proposal_id)
        write_once(home, _path(home, number), entry)


def _tell(home: Home, manifest: dict[str, Any], proposal_id: str | None) -> None:
    program_id, batch_id = manifest["program_id"], manifest["batch_id"]
    approved = (proposal_id or "").startswith(f"{program_id}/{batch_id}/")
    access_log.record(
        home,
        "batch_issued",
        f"approved proposal {proposal_id}" if approved else "issued by a run that was stopped before it said so",
        manifest["approved_by"],
        program_id=program_id,
        batch_id=batch_id,
        regions=sorted({total["region_code"] for total in manifest["totals"]}),
        files=sorted(["manifest.json", *(file["path"] for file in manifest["files"])]),
    )


def _entries(home: Home) -> list[dict[str, Any]]:
    """All records, in order. Raises LedgerError where the chain is broken."""
    entries: list[dict[str, Any]] = []
    previous = None
    paths = sorted(home.issue_log.glob("[0-9]*.json"))
    for number, path in enumerate(paths, start=1):
        content = path.read_bytes()
        try:
            entry = read_hashed(path, of_records=True)
            is_next = path == _path(home, number) and entry["previous_sha256"] == previous
        except (DamagedFile, KeyError, TypeError):
            is_next = False
        if not is_next:
            raise LedgerError(
                f"issue_log/{number:06d}.json is missing or changed: each record holds the SHA-256 of itself and of "
                f"the one before, and {path.name} does not go on from there; restore issue_log/ from its backup"
            )
        entries.append(entry)
        previous = hashlib.sha256(content).hexdigest()
    return entries


def _in_access_log(home: Home) -> list[tuple[str, str, str]]:
    """The batches that the access log calls issued."""
    return [
        (event["program_id"], event["batch_id"].rpartition("-")[0], event["batch_id"])
        for _, _, event in access_log.lines(home)
        if event and event.get("what") == "batch_issued"
    ]


def _check_damaged_lines(home: Home, untold: int) -> None:
    """A line that is not as it was written proves nothing. What it told must be one of the ``untold`` batches that are
    known from elsewhere; else LedgerError."""
    damaged = [(where, line) for where, line, event in access_log.lines(home) if event is None]
    for where, _ in damaged:
        log.warning("%s: is damaged; restore access_log/ from its backup when you can", where)
    of_batches = [where for where, line in damaged if b"batch_issued" in line or b'"batch_id"' in line]
    if len(of_batches) > untold:
        raise LedgerError(
            f"{'; '.join(of_batches)}: the line is damaged, and the batch that it says was issued is in neither "
            "issue_log/ nor exports/; nothing is evaluated, proposed or issued, or it would be paid again. Next step: "
            "restore access_log/ from its backup"
        )


def _check_files(folder: Path) -> None:
    """What was paid, delivered and listed is read from Parquet files: their bytes are those of the manifest."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    written = {file["path"]: file["sha256"] for file in manifest["files"] if Path(file["path"]).match("*.parquet")}
    for name in sorted({"lines.parquet", *written, *(path.name for path in folder.glob("*.parquet"))}):
        path = folder / name
        if (file_sha256(path) if path.exists() else None) != written.get(name):
            raise LedgerError(
                f"{folder}: {name} does not have the SHA-256 of manifest.json; restore the batch from its backup"
            )


def _key(entry: dict[str, Any]) -> tuple[str, str, str]:
    return entry["program_id"], entry["period_id"], entry["batch_id"]


def _named(entry: dict[str, Any]) -> str:
    paid = f"{entry['lines']:,} lines, {entry['amount']:,} {entry['currency']}, issued {entry['issued_at'][:10]}"
    return f"{'/'.join(_key(entry))} ({paid})"


def _path(home: Home, number: int) -> Path:
    return home.issue_log / f"{number:06d}.json"
