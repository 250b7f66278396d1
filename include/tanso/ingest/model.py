"""What the steps of ingest share: a kind of records, a file that is judged or published, and what a run brought."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from tanso.files import DamagedFile, file_sha256
from tanso.settings import Home

if TYPE_CHECKING:
    from tanso.packs.sources import Source


@dataclass(frozen=True)
class Context:
    """What a kind may know about the file that it judges."""

    sha256: str
    file_name: str
    received_no: int
    policy: Any  # tanso.packs.policy.Policy
    home: Home
    received: Any = None  # tanso.ingest.formats.received.Received: ``raw``, and which of its columns are coded
    received_on: date = date.max  # the day of receipt, of the programme's time zone

    @property
    def newest_month(self) -> str:
        """SQL for the last month that a file can speak of: that of its receipt."""
        return f"date '{self.received_on.replace(day=1)}'"


class ReceiptStatus(StrEnum):
    """What became of a received file."""

    LANDED = "landed"
    DUPLICATE = "duplicate"  # the same bytes were landed before
    FORBIDDEN_COLUMN = "forbidden_column"  # its bytes are not kept
    NOT_A_FILE = "not_a_file"  # a link, pipe, socket or device, which is not read


@dataclass(frozen=True)
class Receipt:
    """What was received under a name, and when. A record: written once, never changed."""

    source_id: str
    program_id: str
    file_name: str
    received_no: int  # within the source, from 1
    received_at: str  # ISO 8601, UTC
    status: ReceiptStatus
    size: int | None = None  # None of what is no file
    sha256: str = ""  # likewise empty
    detail: str = ""  # of a forbidden column: what to do about it

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Receipt:
        """What ``content`` gives, read again. Raises ValueError for what lacks a key or has another status."""
        if missing := sorted(_ALWAYS - content.keys()):
            raise ValueError(f"it has no {', '.join(missing)}")
        known = {field.name: content[field.name] for field in fields(cls) if field.name in content}
        return cls(**{**known, "status": ReceiptStatus(content["status"])})

    def content(self) -> dict[str, Any]:
        """JSON-able; without the keys that say nothing of such a file."""
        return {key: value for key, value in asdict(self).items() if value not in (None, "")}


_ALWAYS = {"source_id", "program_id", "file_name", "received_at", "received_no", "status"}


@dataclass(frozen=True)
class StagedFile:
    """An accepted file, judged and waiting to be published."""

    sha256: str
    file_name: str
    received_no: int
    received_at: str  # UTC
    path: Path  # Parquet: the columns of ``good``; read ``checked()``
    result: dict[str, Any]  # the stored result: counts, figures

    def checked(self) -> Path:
        """``path``, its bytes being those that were written; else DamagedStaged."""
        return self._checked(self.path)

    def also(self, name: str) -> Path:
        """Parquet of a table named in the kind's ``also_staged``, checked likewise."""
        return self._checked(self.path.with_name(f"{self.sha256}.{name}.parquet"))

    def _checked(self, path: Path) -> Path:
        if not path.exists() or file_sha256(path) != self.result["written"].get(path.name):
            raise DamagedStaged(self.sha256, path)
        return path


class DamagedStaged(DamagedFile):
    """A staged file is not as it was written; judging ``sha256`` again makes it again."""

    def __init__(self, sha256: str, path: Path):
        self.sha256 = sha256
        super().__init__(f"{path} is not as it was written; ingest the source again, which makes it again")


def _no_causes(source: Source) -> list[tuple[str, str, str]]:
    return []


def _no_figures(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Kind:
    """What is particular to a kind of records; the rest of ingest is the same for all.

    For every landed file ``judge.py`` opens an in-memory DuckDB connection with the value macros (``values.py``), in
    schema ``policy`` the kind's ``policy_tables``, and ``raw``, a table or view: row_no BIGINT (1-based data row) and
    one VARCHAR column per declared field: NFKC-folded, trimmed, blank = NULL; a field whose optional column the file
    lacks is all NULL.
    """

    name: str
    # Reads ``raw``. Makes ``refused(row_no BIGINT, reason VARCHAR)``, ``duplicates(row_no BIGINT)`` and
    # ``good(row_no BIGINT, …)``: every row of ``raw`` is in exactly one of them (in ``good`` possibly several times).
    # The columns of ``good`` are the lake's or whatever ``publish`` needs, never personal data.
    judge: Callable[[duckdb.DuckDBPyConnection, Source, Context], None]
    # Writes the source's share of the lake from its accepted files, of each name the last, in the order of supersession
    # (file_name, received_no; later wins); called on every publish, also with an empty list. Uses ``lake_files.write``
    # (atomic, leaves an unchanged file alone). Returns notes for the run's report (JSON-able, no personal data but
    # participant ids). The connection is a fresh one with the value macros.
    publish: Callable[..., dict[str, Any]]
    # (reason, field, SQL on ``raw`` and ``parsed``): the field is what the reason is about; if the SQL holds for none
    # of a reason's fields, all are. For the provider.
    blame: Callable[[Source], list[tuple[str, str, str]]] = _no_causes
    # Reads ``good``. Figures of it that are stored with the file's result.
    figures: Callable[[duckdb.DuckDBPyConnection], dict[str, Any]] = _no_figures
    # Called once the file is accepted, before its result is stored: writes to the vault.
    keep: Callable[[duckdb.DuckDBPyConnection, Source, Context], None] | None = None
    # Writes the staged Parquet itself; else it is ``good``, sorted by ``order_by``.
    stage: Callable[[duckdb.DuckDBPyConnection, Source, Context, Path], None] | None = None
    order_by: str = "all"
    # Policy tables that ``judge`` reads: when their rows change, files are judged again.
    policy_tables: tuple[str, ...] = ()
    # Further tables made by ``judge``, staged with ``good``: ``StagedFile.also(name)``.
    also_staged: tuple[str, ...] = ()
    # Each file holds the whole state; ``publish`` gets all files of a name, not the last alone.
    is_snapshot: bool = False
    # A participant counts in one of a programme's sources of this kind: ``publish`` gets the ``others`` too.
    excludes_others: bool = False
    # Refusals that do not count towards too_many_bad_rows.
    lenient_reasons: frozenset[str] = frozenset()
    # Fields that a provider is not shown again.
    personal: frozenset[str] = frozenset()
    # Fields of names and addresses: ``raw`` has them a second time, not folded, in columns named by ``as_received``.
    kept_as_received: frozenset[str] = frozenset()


def as_received(field: str) -> str:
    """The column of ``raw`` with a field's texts as received."""
    return f"{field} as received"


@dataclass(frozen=True)
class SourceResult:
    """What one look at a source brought; no personal data."""

    source_id: str
    files: list[dict[str, Any]] = field(
        default_factory=list
    )  # received or judged now: file_name, sha256, status, reason, rows_*
    ignored_files: list[str] = field(default_factory=list)  # they do not match the source's pattern
    left_files: list[dict[str, str]] = field(default_factory=list)  # for the next run: file_name, why
    problems: list[str] = field(default_factory=list)  # e.g. the place cannot be reached

    def summary(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


@dataclass(frozen=True)
class LakeResult:
    """The lake after publishing: the state, and what this run brought."""

    changed: bool  # some table of the lake has other bytes than before
    tables: list[str]  # the tables that changed
    sources: list[SourceResult]  # of this run; empty if only published
    totals: dict[str, dict[str, int]]  # source_id -> files and rows in all: accepted, rejected, duplicate, rows_*
    notes: dict[str, dict[str, Any]]  # source_id -> what the kind reports, e.g. participants kept
    problems: list[str]
    findings: list[dict[str, Any]]  # what is unusual about accepted files as a whole: see expectations.py

    def summary(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)
