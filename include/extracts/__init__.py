"""From providers' files to the lake: pull, land, read, judge, stage, publish.

``ingest`` does it all; a scheduler calls ``ingest_source`` per source and then ``publish_lake``. Every step may be
stopped and run again: landed bytes and receipts are records, everything else is made again from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from include.settings import Home

if TYPE_CHECKING:
    from include.packs.policy import Policy
    from include.packs.sources import Source


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


def ingest(home: Home, roots: Iterable[Path] | None = None) -> LakeResult:
    """Take in everything new of all packs' sources and publish the lake.

    Raises SourceError or PolicyError for packs that cannot be used; a source that cannot be pulled is a problem in the
    result and stops no other.
    """
    from include.packs.policy import load_policy
    from include.packs.sources import load_sources

    folders = None if roots is None else list(roots)
    sources, policy = load_sources(folders), load_policy(folders)
    results = [ingest_source(source, home, policy) for source in sources]
    return publish_lake(home, sources, policy, results)


def ingest_source(source: Source, home: Home, policy: Policy | None = None) -> SourceResult:
    """Pull and land what is new of one source, and judge every landed file that has no valid result.

    ``policy`` is loaded if not given. Raises SourceError if the declaration does not suit its kind. Whether it failed
    is kept (``taken.py``), however it ends.
    """
    from include.extracts import taken
    from include.extracts.intake import take_in
    from include.packs.policy import load_policy

    with taken.look(home, source.source_id) as problems:
        result = take_in(source, home, load_policy() if policy is None else policy)
        problems += result.problems
    return result


def publish_lake(
    home: Home,
    sources: Sequence[Source],
    policy: Policy,
    results: Sequence[SourceResult] = (),
    expectations: bool = True,
) -> LakeResult:
    """Merge all judged files into the lake's tables, touching only what changed. ``results`` are passed on.

    Without ``expectations`` accepted files are not judged as a whole (which costs seconds when there are new ones).
    """
    from include.extracts.publish import publish

    return publish(home, sources, policy, results, expectations)
