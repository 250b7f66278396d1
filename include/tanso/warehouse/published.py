"""What was published, as it was written: ``warehouse/published.json``, for the owner alone.

Money leaves by what was published, so nothing is read that was changed since: marts that some client wrote to, a disk
that lost a bit, a write-ahead log that somebody left. An evaluation makes such files anew; everybody else stops.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tanso.files import DamagedFile, file_sha256, hashed_json, locked, read_hashed, replace_private
from tanso.settings import Home

NAME = "published.json"


class NotPublishedError(FileNotFoundError):
    """No evaluation has been published in this home yet."""

    def __init__(self, home: Home):
        super().__init__(f"No marts have been published yet ({home.database} does not exist). Next step: make evaluate")


class ChangedError(DamagedFile):
    """What lies in ``warehouse/`` is not what was published."""


@contextmanager
def lock(home: Home, exclusive: bool = False) -> Iterator[None]:
    """While it is held nobody replaces a published file (``exclusive``: nor checks or opens one)."""
    with locked(home.warehouse / "published.lock", shared=not exclusive):
        yield


def described(folder: Path, names: list[str]) -> dict[str, dict[str, Any]]:
    """Size, modification time and SHA-256 of files, as ``write`` keeps them."""
    return {
        name: {
            "size": (folder / name).stat().st_size,
            "mtime_ns": (folder / name).stat().st_mtime_ns,
            "sha256": file_sha256(folder / name),
        }
        for name in names
    }


def write(home: Home, built_at: str, files: dict[str, dict[str, Any]]) -> None:
    """Say what is published from now on; ``files`` relative to ``warehouse/``."""
    replace_private(home.warehouse / NAME, hashed_json({"built_at": built_at, "files": files}))


def read(home: Home) -> dict[str, Any] | None:
    """``built_at`` and ``files``; None when it cannot be known."""
    try:
        return read_hashed(home.warehouse / NAME)
    except (FileNotFoundError, DamagedFile):
        return None


def changed(home: Home, by_bytes: bool = True, with_parquet: bool = False) -> str | None:
    """What is not as it was published, in words; None if all is.

    ``by_bytes``: by SHA-256, since a client can put back a time, and a disk changes none; else what has its size and
    time is taken to be the same.
    """
    known = read(home)
    if known is None:
        path = home.warehouse / NAME
        what = "is damaged" if path.exists() else "is missing (an earlier version wrote none)"
        return f"{path} {what}, so it is not known what was published"
    for name, written in known["files"].items():
        path = home.warehouse / name
        if name.endswith(".parquet") and not with_parquet:
            continue
        if not path.exists():
            return f"{path} is missing"
        if wal(path).exists():
            return f"{wal(path)} lies beside it: some program opened published marts for writing"
        stat = path.stat()
        if not by_bytes and [stat.st_size, stat.st_mtime_ns] == [written["size"], written["mtime_ns"]]:
            continue
        if stat.st_size != written["size"] or file_sha256(path) != written["sha256"]:
            return f"{path} is not the file that was published: it was changed or damaged since"
    return None


def check(home: Home, by_bytes: bool = True) -> None:
    """Raise NotPublishedError or ChangedError unless marts and what is carried are those that were published."""
    if not home.database.exists() and read(home) is None:
        raise NotPublishedError(home)
    if reason := changed(home, by_bytes):
        # What an earlier version judged is to be judged anew, too.
        step = "make evaluate" if (home.warehouse / NAME).exists() else "make ingest, then make evaluate"
        raise ChangedError(
            f"{reason}. Nothing is read from it. Next step: {step}, which publishes the marts again; open them "
            "read-only only"
        )


def wal(database: Path) -> Path:
    """DuckDB's write-ahead log of a file. Beside another file it would be applied to that."""
    return database.with_name(database.name + ".wal")
