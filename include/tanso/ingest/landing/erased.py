"""Register files whose bytes were erased: what was made of them, without personal data, is kept as a record.

``receipts/<source_id>/erased/<sha256>.*``: the file's result and staged facts. With them the lake is made again
although there is nothing left to judge; they stay as they were judged last, whatever declaration or policy says by now.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tanso import lake_files
from tanso.files import DamagedFile, file_sha256, hashed_json, read_hashed, sync
from tanso.ingest import names
from tanso.ingest.lake.staged import staged_folder, stored_result
from tanso.ingest.landing import land
from tanso.ingest.model import DamagedStaged, Receipt
from tanso.settings import Home


def folder(home: Home, source_id: str) -> Path:
    return home.receipts / source_id / "erased"


def is_erased(home: Home, source_id: str, sha256: str) -> bool:
    return (folder(home, source_id) / f"{sha256}.json").exists()


def erase(home: Home, receipt: Receipt) -> None:
    """Keep what was made of a landed file, then remove its bytes and its refused rows.

    May be stopped anywhere and run again. Raises FileNotFoundError if the file was never judged,
    DamagedStaged if what was made of it is damaged.
    """
    source_id, sha256 = receipt.source_id, receipt.sha256
    stored = staged_folder(home, source_id) / f"{sha256}.json"
    record = folder(home, source_id)
    if not is_erased(home, source_id, sha256):
        result = stored_result(home, source_id, sha256)
        if result is None:
            raise FileNotFoundError(f"{stored}: {receipt.file_name} is not judged; ingest the source first")
        refused = {str(path.relative_to(home.root)) for path in _refused_rows(home, receipt)}
        result["files"] = [name for name in result["files"] if name not in refused]
        for name, written in result.get("written", {}).items():
            if file_sha256(stored.with_name(name)) != written:  # kept for ever: nothing could make it again
                raise DamagedStaged(sha256, stored.with_name(name))
            lake_files.write_bytes(record / name, stored.with_name(name).read_bytes())
        lake_files.write_hashed_json(result, stored)
        # The record's result comes last: with it the record is whole, and the next run does nothing of this.
        lake_files.write_bytes(record / f"{sha256}.json", hashed_json(result))
        for path in (*record.iterdir(), record):
            sync(path)
    for path in _refused_rows(home, receipt):
        path.unlink(missing_ok=True)
    land.landed_path(home, sha256).unlink(missing_ok=True)


def _refused_rows(home: Home, receipt: Receipt) -> list[Path]:
    """Where refused rows are shown: to us, and to the provider."""
    return [names.path_for(folder, receipt, ".csv") for folder in (home.quarantine, home.feedback)]


def restore(home: Home, source_id: str, sha256: str, fingerprint: str) -> dict[str, Any] | None:
    """Stage the facts of an erased file again; its result, or None if the file was not erased."""
    if not is_erased(home, source_id, sha256):
        return None
    record, staged = folder(home, source_id), staged_folder(home, source_id)
    try:
        result = read_hashed(record / f"{sha256}.json", of_records=True) | {"fingerprint": fingerprint}
    except DamagedFile as error:
        raise DamagedFile(f"{error}; restore receipts/ from its backup") from None
    if "written" not in result:  # kept by an older version, or refused whole
        result["written"] = {path.name: file_sha256(path) for path in record.glob(f"{sha256}.*parquet")}
    for name, written in result["written"].items():
        if not (record / name).exists() or file_sha256(record / name) != written:
            raise DamagedFile(
                f"{record / name}: what was kept of {result['file_name']}, which a purge erased, is gone or changed; "
                "restore receipts/ from its backup"
            )
        lake_files.write_bytes(staged / name, (record / name).read_bytes())
    lake_files.write_hashed_json(result, staged / f"{sha256}.json")
    return result
