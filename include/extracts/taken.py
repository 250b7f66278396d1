"""Which sources failed when they were looked at last: what they would have brought is missing from the lake.

``lake/_taken/<source_id>.json`` says how the last look ended. As long as one lasts it holds the lock of
``<source_id>.began``, which says so: one that died is told from one that is at work.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from include import days, on_disk
from include.extracts import lake_files
from include.packs.sources import Source
from include.settings import Home


@contextmanager
def look(home: Home, source_id: str) -> Iterator[list[str]]:
    """One look at a source. The caller puts into the list what could not be taken; so is an error."""
    problems: list[str] = []
    with (on_disk.private_folder(_folder(home)) / f"{source_id}.began").open("a") as began:
        fcntl.flock(began, fcntl.LOCK_EX)
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
    _note(home, source_id, [*_ended(home, source_id)["problems"], problem])


def is_looked_at(home: Home, source_id: str, since: datetime) -> bool:
    """Whether a look at the source ended at ``since`` or later."""
    return datetime.fromisoformat(_ended(home, source_id)["at"]) >= since


def failed(home: Home, sources: Sequence[Source]) -> dict[str, dict[str, list[str]]]:
    """Programme -> source -> what could not be taken, of the sources whose last look failed."""
    found: dict[str, dict[str, list[str]]] = {}
    for source in sources:
        problems = list(_ended(home, source.source_id)["problems"])
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
        "would stay. Mend that and ingest again; or start the proposal with despite_failed_sources "
        "(--despite-failed-sources)."
    )


def _folder(home: Home) -> Path:
    return home.lake / "_taken"


def _note(home: Home, source_id: str, problems: Sequence[str]) -> None:
    ended = {"at": days.now().isoformat(), "problems": list(problems)}
    lake_files.write_json(ended, on_disk.private_folder(_folder(home)) / f"{source_id}.json")


def _ended(home: Home, source_id: str) -> dict:
    """How the last look that ended did. None is no failure: it was of before this was kept, or the lake is new."""
    path = _folder(home) / f"{source_id}.json"
    never = {"at": datetime.min.replace(tzinfo=UTC).isoformat(), "problems": []}
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return never
    except ValueError:
        return never | {"problems": [f"{source_id}: {path} cannot be read; ingest the source again"]}


def _died(home: Home, source_id: str) -> bool:
    try:
        with (_folder(home) / f"{source_id}.began").open() as began:
            fcntl.flock(began, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return bool(began.read())
    except (FileNotFoundError, BlockingIOError):
        return False
