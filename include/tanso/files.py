"""Files as they lie on disk: brought there, kept from others' eyes, told apart by their bytes."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO

_OWN_SHA256 = "sha256_of_this"


class DamagedFile(ValueError):
    """A stored file is not as it was written; the message names it and the way out."""


def sync(path: Path) -> None:
    """Bring a file's content or a folder's entries to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_sha256(path: Path) -> str:
    """Of the file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def private_folder(path: Path) -> Path:
    """The folder, which only its owner may enter; made, with those above it, if it is missing."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)
    return path


def private_tree(folder: Path) -> None:
    """A folder that some library filled: from now on only its owner may enter it and read what is in it."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)


def shared_folder(path: Path) -> Path:
    """The folder; if it is missing it is made for everybody to read, whatever the process's umask. Its owner may close
    it."""
    if not path.exists():
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o755)
    return path


def private_file(path: Path) -> BinaryIO:
    """Open a file that only its owner may read, for writing; what was in it is gone."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)  # it may have been there
    return os.fdopen(descriptor, "wb")


def keep_to_owner(path: Path) -> Path:
    """A file that some library wrote: from now on only its owner may read it."""
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return path


def replace_private(path: Path, content: bytes) -> None:
    """Put ``content`` in the place of ``path``: whole, on disk before it is seen, and only for its owner."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with private_file(temporary) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


@contextmanager
def locked(path: Path, wait: bool = True, shared: bool = False) -> Iterator[TextIO]:
    """Hold the lock on a file, which is made if it is missing; its text may be read, and added to.

    The lock goes with the process, however it ends. ``shared``: several may hold it, as long as nobody holds it alone.
    Raises BlockingIOError when another has it and ``wait`` is false. (The library filelock empties the file it locks,
    which tells here who holds it, and has no shared locks on a plain file.)
    """
    with os.fdopen(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "r+", encoding="utf-8") as file:
        keep_to_owner(path)
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        yield file


def hashed_json(value: dict[str, Any]) -> bytes:
    """``value`` as JSON with the SHA-256 of itself in it, so that ``read_hashed`` notices every changed byte."""
    plain = json.loads(json.dumps(value))
    whole = {**plain, _OWN_SHA256: _own_sha256(plain)}
    return json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def read_hashed(path: Path, of_records: bool = False) -> dict[str, Any]:
    """What ``hashed_json`` has written. Raises FileNotFoundError, DamagedFile if it is not what was written.

    ``of_records``: those of older versions have no hash, and are taken as they are.
    """
    try:
        value: dict[str, Any] = json.loads(path.read_bytes())
        if of_records and isinstance(value, dict) and _OWN_SHA256 not in value:
            return value
        is_whole = value.pop(_OWN_SHA256) == _own_sha256(value)
    except (ValueError, LookupError, TypeError, AttributeError):
        is_whole = False
    if not is_whole:
        raise DamagedFile(f"{path} is damaged: its content does not have the SHA-256 that was written with it")
    return value


def _own_sha256(value: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
