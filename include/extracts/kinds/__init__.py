"""What differs between kinds of extracts. One module per kind, named like the kind.

For every landed file the framework (``judge.py``) opens an in-memory DuckDB connection with the value macros
(``values.py``), in schema ``policy`` the kind's ``POLICY_TABLES``, and ``raw``, a table or view: row_no BIGINT (1-based
data row) and one VARCHAR column per declared field: NFKC-folded, trimmed, blank = NULL; a field whose optional column
the file lacks is all NULL. A kind module has

``judge(con, source, context) -> None``
    makes ``refused(row_no BIGINT, reason VARCHAR)``, ``duplicates(row_no BIGINT)`` and ``good(row_no BIGINT, ...)``:
    every row of ``raw`` is in exactly one of them (in ``good`` possibly several times). The columns of ``good`` are
    the lake's or whatever ``publish`` needs, never personal data; they are staged as Parquet, sorted by ``ORDER_BY``
    (all columns if not set).
``publish(con, home, source, staged) -> dict``
    writes the source's share of the lake from the accepted files ``staged: list[StagedFile]``, of each name the last,
    in the order of supersession (file_name, received_no; later wins), called on every publish, also with an empty list.
    Use ``lake_files.write`` (atomic, leaves an unchanged file alone). Returns notes for the run's report (JSON-able, no
    personal data but participant ids), ``{}`` if none. ``con`` is a fresh in-memory connection with the value macros.

and optionally

``IS_SNAPSHOT = True``             each file says all there is; ``publish`` gets all of a name, not the last alone
``check(source) -> None``          raises ``source.error(key, message)`` for options that cannot be used
``keep(con, source, context)``     called once the file is accepted, before its result is stored: writes to the vault
``POLICY_TABLES: tuple[str, ...]`` policy tables that ``judge`` reads: when their rows change, files are judged again
``LENIENT_REASONS: frozenset``      refusals that do not count towards too_many_bad_rows
``blame(source) -> list``           (reason, field, SQL on ``raw`` and ``parsed``): the field is what it is about;
                                   if the SQL holds for none of a reason's fields, all are. For the provider.
``PERSONAL: frozenset``            fields that a provider is not shown again
``AS_RECEIVED: frozenset``         fields of names and addresses: ``raw`` has them a second time, not folded, in columns
                                   named by ``as_received``
``ALSO_STAGED: tuple[str, ...]``   further tables made by ``judge``, staged beside ``good``: ``StagedFile.also(name)``
``figures(con) -> dict``           figures of ``good`` stored with the file's result
``stage(con, source, context, path)``  writes the staged Parquet itself
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from include import on_disk
from include.settings import Home


@dataclass(frozen=True)
class Context:
    """What a kind may know about the file that it judges."""

    sha256: str
    file_name: str
    received_no: int
    policy: Any  # include.packs.policy.Policy
    home: Home
    received: Any = None  # include.extracts.received.Received: ``raw``, and which of its columns are coded
    received_on: date = date.max  # the day of receipt, of the programme's time zone

    @property
    def newest_month(self) -> str:
        """SQL for the last month that a file can speak of: that of its receipt."""
        return f"date '{self.received_on.replace(day=1)}'"


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
        """Parquet of a table named in ``ALSO_STAGED``, checked likewise."""
        return self._checked(self.path.with_name(f"{self.sha256}.{name}.parquet"))

    def _checked(self, path: Path) -> Path:
        if not path.exists() or on_disk.sha256(path) != self.result["written"].get(path.name):
            raise DamagedStaged(self.sha256, path)
        return path


class DamagedStaged(on_disk.DamagedFile):
    """A staged file is not as it was written; judging ``sha256`` again makes it again."""

    def __init__(self, sha256: str, path: Path):
        self.sha256 = sha256
        super().__init__(f"{path} is not as it was written; ingest the source again, which makes it again")


def as_received(field: str) -> str:
    """The column of ``raw`` with a field's texts as received."""
    return f"{field} as received"


def module_of(kind: str) -> ModuleType:
    """The kind's module; the kinds' names are checked when sources are read."""
    return import_module(f"include.extracts.kinds.{kind}")
