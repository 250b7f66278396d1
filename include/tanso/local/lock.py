"""One home, one run at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from tanso.files import keep_to_owner
from tanso.settings import Home


class HomeIsBusy(RuntimeError):
    """Somebody else is working on this home."""


@contextmanager
def hold(home: Home, who: str = "Another run is working on it; wait for it to end.") -> Iterator[None]:
    """Keep others from working on ``home`` meanwhile; the lock goes with the process, however it ends.

    ``who`` is what the others are told. Raises HomeIsBusy when it is taken.
    """
    home.close_to_others()
    path = home.root / ".lock"
    with path.open("a") as file:
        keep_to_owner(path)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HomeIsBusy(f"{home.root} is in use ({path} is locked). {path.read_text('utf-8')}") from None
        path.write_text(who, "utf-8")
        yield
