"""One home, one run at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tanso.files import locked
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
    with ExitStack() as held:
        try:
            held.enter_context(locked(path, wait=False))
        except BlockingIOError:
            raise HomeIsBusy(f"{home.root} is in use ({path} is locked). {path.read_text('utf-8')}") from None
        path.write_text(who, "utf-8")
        yield
