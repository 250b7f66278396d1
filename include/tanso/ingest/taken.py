"""Which sources failed when they were looked at last: what they would have brought is missing from the lake.

``lake/_taken/<source_id>.json`` says how the last look ended. As long as one lasts it holds the lock of
``<source_id>.began``, which says so: one that died is told from one that is at work. Looks that end alike leave the
same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from tanso import lake_files
from tanso.files import locked, private_folder
from tanso.packs.sources import Source
from tanso.settings import Home


@contextmanager
def look(home: Home, source_id: str) -> Iterator[list[str]]:
    """One look at a source. The caller puts into the list what could not be taken; so is an error."""
    problems: list[str] = []
    private_folder(_folder(home))
    with locked(_began(home, source_id)) as began:
        began.write("began")
        began.flush()
        try:
            yield problems
        except BaseException as error:
            problems.append(f"{source_id}: {type(error).__name__}: {error}")
            raise
        finally:
            _note(home, source_id, problems)
            began.truncate(0)


def not_taken(home: Home, source_id: str, problem: str) -> None:
    """Say that a source is not wholly in the lake, whatever its last look said."""
    _note(home, source_id, sorted({*_ended(home, source_id), problem}))


def is_looked_at(home: Home, source_id: str, since: datetime) -> bool:
    """Whether a look at the source began or ended at ``since`` or later."""
    path = _began(home, source_id)
    return path.exists() and path.stat().st_mtime >= since.timestamp()


def failed(home: Home, sources: Sequence[Source]) -> dict[str, dict[str, list[str]]]:
    """Programme -> source -> what could not be taken, of the sources whose last look failed."""
    found: dict[str, dict[str, list[str]]] = {}
    for source in sources:
        problems = _ended(home, source.source_id)
        if _died(home, source.source_id):
            problems.append(f"{source.source_id}: taking it in was stopped before its end")
        if problems:
            found.setdefault(source.program_id, {})[source.source_id] = problems
    return found


def sentence(program_id: str, sources: dict[str, list[str]]) -> str:
    """Why nothing of a programme is proposed or issued, and what to do."""
    return (
        f"Nothing of {program_id} is proposed or issued, since in the newest ingest the sources "
        f"{', '.join(sources)} failed ({next(iter(sources.values()))[0]}), and a rate worked out from what is left "
        "would stay. Fix that and ingest again; or start the proposal with despite_failed_sources "
        "(--despite-failed-sources)."
    )


def _folder(home: Home) -> Path:
    return home.lake / "_taken"


def _began(home: Home, source_id: str) -> Path:
    return _folder(home) / f"{source_id}.began"


def _note(home: Home, source_id: str, problems: Sequence[str]) -> None:
    folder = private_folder(_folder(home))
    lake_files.write_json({"problems": list(problems)}, folder / f"{source_id}.json")


def _ended(home: Home, source_id: str) -> list[str]:
    """What the last look that ended could not take. None is no failure: the lake is new, or older than this."""
    path = _folder(home) / f"{source_id}.json"
    try:
        problems: list[str] = json.loads(path.read_text("utf-8"))["problems"]
        return problems
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError):
        return [f"{source_id}: {path} cannot be read; ingest the source again"]


def _died(home: Home, source_id: str) -> bool:
    path = _began(home, source_id)
    try:
        if not path.exists():
            return False
        with locked(path, wait=False, shared=True) as began:
            return bool(began.read())
    except BlockingIOError:
        return False
