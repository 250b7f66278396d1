"""From providers' files to the lake: pull, land, read, judge, stage, publish.

``ingest`` does it all; a scheduler calls ``ingest_source`` per source and then ``publish_lake``. Every step may be
stopped and run again: landed bytes and receipts are records, everything else is made again from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tanso.ingest.model import LakeResult, SourceResult
    from tanso.packs.policy import Policy
    from tanso.packs.sources import Source
    from tanso.settings import Home


def ingest(home: Home, roots: Iterable[Path] | None = None) -> LakeResult:
    """Take in everything new of all packs' sources and publish the lake.

    Raises SourceError or PolicyError for packs that cannot be used; a source that cannot be pulled is a problem in the
    result and stops no other.
    """
    from tanso.packs.policy import load_policy
    from tanso.packs.sources import load_sources

    folders = None if roots is None else list(roots)
    sources, policy = load_sources(folders), load_policy(folders)
    results = [ingest_source(source, home, policy) for source in sources]
    return publish_lake(home, sources, policy, results)


def ingest_source(source: Source, home: Home, policy: Policy | None = None) -> SourceResult:
    """Pull and land what is new of one source, and judge every landed file that has no valid result.

    ``policy`` is loaded if not given. Raises SourceError if the declaration does not suit its kind. Whether it failed
    is kept (``taken.py``), however it ends.
    """
    from tanso.ingest import taken
    from tanso.ingest.intake import take_in
    from tanso.packs.policy import load_policy

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
    from tanso.ingest.publish import publish

    return publish(home, sources, policy, results, expectations)
