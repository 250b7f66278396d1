"""The files of a source's place: a folder, ``sftp://``, ``s3://`` or ``https://``, listed and streamed through fsspec.

A place is only read. What fails for a moment is tried again; whatever is raised in the end is a PullError whose message
names the place and the next step, and holds no secret.
"""

from __future__ import annotations

import hashlib
import html
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote, unquote, urlsplit

from tanso import shown
from tanso.ingest import names
from tanso.ingest.pull import connections, filesystems
from tanso.packs.sources import Source
from tanso.settings import Home

TRIES = 3
PAUSES_S = (1.0, 4.0)  # before the second and the third try
_CHUNK = 8 << 20  # enough for several requests under way at once over sftp
_STAMPED_S = 60  # a file touched later than that may change again within its time stamp's resolution
_AHEAD_S = 600  # a place's clock; a time of change farther ahead is no time of change

_T = TypeVar("_T")


class PullError(Exception):
    """A place, or a file of it, that cannot be read."""


class Incomplete(Exception):
    """A transfer that ended early."""


class NotSettled(Exception):
    """A file that may still be on its way; says why it is left for the next run."""


@dataclass(frozen=True)
class File:
    """A file of a place, or what stands among its files."""

    name: str  # what is not seen is written out
    path: str  # as the file system has it
    stamp: str | None = None  # tells this version of the file from any other; None if nothing does
    is_file: bool = True  # no link, pipe, socket or device


@dataclass(frozen=True)
class Fetched:
    """What a transfer brought."""

    size: int
    sha256: str
    stamp: str | None


class Place:
    """Where a source's files lie. Raises PullError when its connection cannot be used."""

    def __init__(self, source: Source, home: Home) -> None:
        self._source = source
        self.is_remote = "://" in source.pull_url
        self._url = source.pull_url if self.is_remote else str(home.root / source.pull_url)
        self._is_http = self._url.startswith("https://")
        self._connection = connections.Connection()
        try:
            if source.connection:
                self._connection = connections.find(source.connection)
            self._connect: Callable[[], tuple[Any, str]] = filesystems.connector(self._url, self._connection)
        except Exception as error:  # a missing package, an unreadable key, an unknown scheme …
            raise self._failed("", error) from None
        self._files: Any = None  # a file system of fsspec, once it is connected
        self._folder = ""

    def files(self) -> list[File]:
        """All files, and what is neither file nor folder, in ascending order of their names. A local folder, or a
        prefix of a bucket, that is not there is empty."""
        return sorted(self._tried("", self._listed), key=lambda file: file.name)

    def stamp(self, file: File) -> str | None:
        """The file's stamp; over https this is a request."""
        if not self._is_http:
            return file.stamp
        try:
            return _stamp(self._files.info(file.path))
        except Exception:  # fetching the file will say what is wrong
            return None

    def fetch(self, file: File, into: BinaryIO) -> Fetched:
        """Stream the file's bytes, from the start again if a transfer was not whole; void after an error.

        Raises NotSettled for a file that changed lately, or while it was read.
        """

        def transfer() -> Fetched:
            into.seek(0)
            into.truncate()
            return self._transferred(file, into)

        return self._tried(f"/{file.name}", transfer)

    def _listed(self) -> list[File]:
        if self._source.files:
            base = self._folder.rstrip("/")
            return [File(names.known_as(name), f"{base}/{quote(name)}") for name in self._source.files]
        try:
            entries = self._files.ls(self._folder, detail=True)
        except FileNotFoundError:
            if self.is_remote and not self._is_empty_prefix():
                raise
            return []
        if self._is_http and not entries and self._files.info(self._folder).get("mimetype") != "text/html":
            raise ValueError("the server answers with no page of links; name the files in pull.files")
        found = {}
        for entry in entries:
            if self._is_http:
                entry["name"] = html.unescape(entry["name"])
            name = self._name(entry["name"])
            if name and (entry["type"] != "directory" or entry.get("islink")):
                stamp = None if self._is_http else _stamp(entry)
                found[name] = File(name, entry["name"], stamp, _is_file(entry))
        return list(found.values())

    def _name(self, path: str) -> str | None:
        """The file's bare name, as it is known; None for what is none, like links of a page that sort it."""
        if self._is_http:
            parts = urlsplit(path)
            if parts.query or parts.fragment:
                return None
            path = unquote(parts.path, errors="surrogateescape")
        name = PurePosixPath(path).name
        return names.known_as(name) if name not in ("", ".", "..") else None

    def _is_empty_prefix(self) -> bool:
        """A bucket knows no folders: where nothing lies below a prefix, the bucket must be there at least."""
        if not self._url.startswith("s3://"):
            return False
        self._files.ls(self._folder.split("/")[0])
        return True

    def _transferred(self, file: File, into: BinaryIO) -> Fetched:
        before = {} if self._is_http else self._files.info(file.path)
        if not self._is_http and not _is_file(before):
            raise NotSettled("it has changed since")
        self._must_be_settled(before)
        digest, size = hashlib.sha256(), 0
        with self._opened(file.path) as (remote, headers), ThreadPoolExecutor(1) as beside:
            self._must_be_settled(headers)
            hashed = None
            while chunk := remote.read(_CHUNK):
                if hashed:
                    hashed.result()
                hashed = beside.submit(digest.update, chunk)
                into.write(chunk)
                size += len(chunk)
        entry = headers if self._is_http else self._files.info(file.path)
        if not self._is_http and _marks(before) != _marks(entry):
            raise NotSettled("it changed while it was read")
        announced = entry.get("Content-Length") if self._is_http else entry.get("size")
        if announced is not None and int(announced) != size:
            raise Incomplete(f"the transfer ended after {size} of {announced} bytes")
        return Fetched(size, digest.hexdigest(), _stamp(entry))

    def _must_be_settled(self, entry: Mapping[str, Any]) -> None:
        """By the clocks of the place and of this machine; a place that tells no time is trusted."""
        wanted, changed_at = self._source.settled_for, _changed_at(entry)
        if wanted and changed_at is not None and -_AHEAD_S <= time.time() - changed_at < wanted:
            raise NotSettled(f"it changed less than {wanted} seconds ago")

    @contextmanager
    def _opened(self, path: str) -> Iterator[tuple[BinaryIO, Mapping[str, Any]]]:
        """The file as a stream, and what an HTTP server says about these very bytes."""
        if self._is_http:
            # One request, read as it comes; the size is given so that none is asked for.
            with self._files.open(path, "rb", block_size=0, size=1) as remote:
                yield remote, remote.r.headers
        else:
            with self._files.open(path, "rb") as remote:
                yield remote, {}

    def _tried(self, what: str, action: Callable[[], _T]) -> _T:
        for number in range(TRIES):
            try:
                if self._files is None:
                    self._files, self._folder = self._connect()
                return action()
            except NotSettled:  # no fault of the place
                raise
            except Exception as error:  # a kind of its own per file system
                self._files = None  # the connection may be what broke
                if number + 1 == TRIES or filesystems.is_final(error):
                    raise self._failed(what, error) from None
                time.sleep(PAUSES_S[number])
        raise AssertionError("not reached")

    def _failed(self, what: str, error: Exception) -> PullError:
        said = shown.escaped(self._connection.without_secrets(str(error)).split("\n")[0]) or "no reason given"
        return PullError(
            f"{self._source.source_id}: {self._source.pull_url.rstrip('/')}{what} cannot be pulled: "
            f"{type(error).__name__}: {said}"
        )


def _marks(entry: Mapping[str, Any]) -> list[Any]:
    """What changes with a file's content, of those a place tells."""
    names = ("size", "Content-Length", "ETag", "mtime", "created", "ino", "Last-Modified")
    return [str(entry[name]) for name in names if entry.get(name) is not None]


def _stamp(entry: Mapping[str, Any]) -> str | None:
    """None too while the file was touched so lately that a change might leave its time stamp as it is."""
    tag = entry.get("ETag")
    if tag and not str(tag).startswith("W/"):
        return f"{tag}"
    latest = max((at for at in (_changed_at(entry), entry.get("created")) if at is not None), default=None)
    if latest is None or latest > time.time() - _STAMPED_S:
        return None
    return " ".join(_marks({name: value for name, value in entry.items() if name != "ETag"}))


def _changed_at(entry: Mapping[str, Any]) -> float | None:
    """When the content changed last, as the place tells it."""
    at = entry.get("mtime", entry.get("LastModified"))
    if at is None and entry.get("Last-Modified"):
        try:
            at = parsedate_to_datetime(entry["Last-Modified"])
        except ValueError:  # a server that tells no time
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return at.timestamp() if isinstance(at, datetime) else at


def _is_file(entry: Mapping[str, Any]) -> bool:
    return entry["type"] == "file" and not entry.get("islink")
