"""What every command shares: how it ends when it cannot go on, in a sentence and with the conventional exit code."""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from collections.abc import Callable

from tanso import shown

STOPPED = 130  # by Ctrl-C: 128 + SIGINT
NOBODY_READS = 141  # 128 + SIGPIPE


def exit_code(command: Callable[[], int]) -> int:
    """Run ``command``; the code to exit with. What the engine or the system can explain is told, not traced back."""
    try:
        code = command()
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # as in `… | head`
        # Else Python complains when it closes what it could not write.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOBODY_READS
    except KeyboardInterrupt:
        print("\nStopped. Nothing is half-written: run it again and it carries on from here.", file=sys.stderr)
        return STOPPED
    except (ValueError, RuntimeError, OSError, sqlite3.Error) as error:
        print(told(error), file=sys.stderr)
        return 1


def told(error: Exception) -> str:
    """An error in words, safe for a terminal; the name of its class only where Python's or a library's need it."""
    return shown.lines(_words(error))


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{os.strerror(error.errno)}. {_NEXT.get(error.errno, 'Fix that')}, and run it again."
    ours = type(error) in (ValueError, RuntimeError) or type(error).__module__.startswith("tanso.")
    return str(error) if ours else f"{type(error).__name__}: {error}"


_NEXT = {
    errno.ENOSPC: "Nothing is half-written; make room",
    errno.EDQUOT: "Nothing is half-written; make room",
    errno.EROFS: "Let TANSO_HOME be a folder that can be written to",
    errno.EACCES: "Let whoever runs this own TANSO_HOME",
    errno.EPERM: "Let whoever runs this own TANSO_HOME",
}
