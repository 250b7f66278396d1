"""What a step read and wrote, before it becomes events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

PRODUCER = "urn:tanso"


@dataclass(frozen=True)
class Dataset:
    """``name`` is the path of what it is below the home; ``fields``: name, type, description."""

    name: str
    rows: int | None = None
    files: int | None = None
    fields: tuple[tuple[str, str, str | None], ...] = ()


@dataclass(frozen=True)
class Job:
    """What read and wrote what: the step itself, or (with another name) a part of it."""

    name: str
    inputs: tuple[Dataset, ...]
    outputs: tuple[Dataset, ...]


class Step:
    """A step that runs. ``made_by`` says what it came to, once it is known."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.started = datetime.now(UTC)
        self.describe: Callable[[], Sequence[Job]] = lambda: ()

    def made(self, describe: Callable[..., Sequence[Job]], *arguments: object) -> None:
        """``describe(*arguments)`` gives the jobs; no job: nothing new, no events."""
        self.describe = lambda: describe(*arguments)
