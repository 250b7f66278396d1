"""Where things are. Everything the pipeline keeps lives under one folder, ``TANSO_HOME``.

Read lazily from the environment: importing this module touches no file, so a DAG file may import it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tanso.files import private_folder, shared_folder

PROJECT_ROOT = Path(__file__).resolve().parents[2]


# For the owner alone. Not so the inbox, which others fill, and the warehouse, whose published marts others read.
_PRIVATE = (
    "landing", "receipts", "vault", "exports", "approvals", "issue_log", "policies", "access_log", "lake", "quarantine",
    "rejected", "proposals", "reports", "backfill", "lineage", "airflow", "scratch",
)  # fmt: skip


@dataclass(frozen=True)
class Home:
    """The folders of one installation.

    *Records* (never changed, backed up): ``landing``, ``receipts``, ``vault``, ``approvals``, ``exports``,
    ``issue_log``, ``policies``, ``access_log``.
    *Derived* (may be deleted, the next run makes them again): everything else but ``inbox``.
    """

    root: Path

    def close_to_others(self) -> None:
        """Make the home if it is missing, and close to others what an earlier version, or a hand, left open to them.

        Behind a closed folder no file is reached, whatever its own mode.
        """
        shared_folder(self.root)
        for folder in (self.root / name for name in _PRIVATE):
            if folder.is_dir():
                private_folder(folder)

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def receipts(self) -> Path:
        return self.root / "receipts"

    @property
    def vault(self) -> Path:
        return self.root / "vault"

    @property
    def exports(self) -> Path:
        return self.root / "exports"

    @property
    def approvals(self) -> Path:
        return self.root / "approvals"

    @property
    def issue_log(self) -> Path:
        """Which batches were issued, kept apart from the batches themselves."""
        return self.root / "issue_log"

    @property
    def policies(self) -> Path:
        """Policy and source declarations as each evaluation met them first."""
        return self.root / "policies"

    @property
    def access_log(self) -> Path:
        return self.root / "access_log"

    @property
    def lake(self) -> Path:
        return self.root / "lake"

    @property
    def quarantine(self) -> Path:
        return self.root / "quarantine"

    @property
    def rejected(self) -> Path:
        return self.root / "rejected"

    @property
    def proposals(self) -> Path:
        return self.root / "proposals"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def feedback(self) -> Path:
        """What providers are sent about refused rows and files."""
        return self.reports / "feedback"

    @property
    def data_docs(self) -> Path:
        """How each file was judged as a whole, as web pages."""
        return self.reports / "data_docs"

    @property
    def backfill(self) -> Path:
        """The marts as they were on past days."""
        return self.root / "backfill"

    @property
    def lineage(self) -> Path:
        """OpenLineage events, unless they go to a server."""
        return self.root / "lineage"

    @property
    def scratch(self) -> Path:
        """Where ``tanso dbt`` builds, for whoever works on the rules."""
        return self.root / "scratch"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse"

    @property
    def database(self) -> Path:
        """The published marts; open it read-only."""
        return self.warehouse / "tanso.duckdb"

    @property
    def carried(self) -> Path:
        """What the next evaluation begins with and the marts do not show (meters lie in it), and how they were made."""
        return self.warehouse / "carried.duckdb"


# DuckDB reads a path with one of these as a pattern, and would take files of other folders for ours.
_PATTERN_SIGNS = "*?["


def _no_pattern(variable: str, path: Path) -> Path:
    """Raises ValueError for a path that DuckDB, which has no setting against it, would read as a pattern."""
    if found := [sign for sign in _PATTERN_SIGNS if sign in str(path)]:
        raise ValueError(
            f"{variable}: the path {path} has {' '.join(found)} in it, with which it would be read as a pattern for "
            f"many files. Rename the folder, or set {variable} to one without * ? [ in its path."
        )
    return path


def home() -> Home:
    """``TANSO_HOME``, by default ``var/`` in the checkout. Raises ValueError when that is no folder, or no name for
    one."""
    root = Path(os.environ.get("TANSO_HOME") or PROJECT_ROOT / "var").resolve()
    if root.exists() and not root.is_dir():
        raise ValueError(f"TANSO_HOME must be a folder, and {root} is none; name another, or move that away.")
    return Home(_no_pattern("TANSO_HOME", root))


def program_roots() -> list[Path]:
    """The folders that hold packs: ``TANSO_PROGRAMS``, ``:``-separated, by default ``include/programs``.

    Raises ValueError for one that has no name for a folder."""
    configured = os.environ.get("TANSO_PROGRAMS")
    if not configured:
        folders = [PROJECT_ROOT / "include" / "programs"]
    else:
        folders = [Path(folder).resolve() for folder in configured.split(":") if folder]
    return [_no_pattern("TANSO_PROGRAMS", folder) for folder in folders]


def as_of() -> date | None:
    """The day that decides what is payable: ``TANSO_AS_OF`` (``YYYY-MM-DD``); None: today, in each programme's time
    zone.

    Raises ValueError, naming the variable and its value, when it is no date.
    """
    configured = os.environ.get("TANSO_AS_OF")
    if not configured:
        return None
    try:
        return date.fromisoformat(configured)
    except ValueError:
        raise ValueError(f"TANSO_AS_OF must be YYYY-MM-DD, not {configured!r}") from None
