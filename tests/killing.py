"""Work in a process that is killed with -9: before a given change on disk, or at some moment."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from typing import Any

# Forked from a server that has everything imported: a process a kill would take seconds otherwise.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tanso.payouts", "tanso.purge.retention", "tanso.packs"])
CHANGES = ("replace", "link", "unlink", "rmdir")  # what a reader would see: functions of ``os``


def killed_before(at: int, work: Callable, *arguments: Any) -> bool:
    """Run ``work`` in a process that is killed before its ``at``-th change on disk; False if it ended before that."""
    process = CONTEXT.Process(target=_count_and_die, args=(at, work, arguments))
    process.start()
    process.join(300)
    return _was_killed(process)


def killed_after(seconds: float, work: Callable, *arguments: Any) -> bool:
    """Run ``work`` in a process that is killed so many seconds after it began; False if it ended before that."""
    began = CONTEXT.Event()
    process = CONTEXT.Process(target=_begin, args=(began, work, arguments))
    process.start()
    assert began.wait(300)
    time.sleep(seconds)
    process.kill()
    process.join(60)
    return _was_killed(process)


def _was_killed(process: Any) -> bool:
    assert process.exitcode in (0, -signal.SIGKILL), f"ended with {process.exitcode}: see its traceback"
    return process.exitcode != 0


def _begin(began: Any, work: Callable, arguments: tuple) -> None:
    began.set()
    work(*arguments)


def _count_and_die(at: int, work: Callable, arguments: tuple) -> None:
    made = 0

    def dying(real: Callable) -> Callable:
        def change(*values: Any, **named: Any) -> Any:
            nonlocal made
            made += 1
            if made == at:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*values, **named)

        return change

    for name in CHANGES:
        setattr(os, name, dying(getattr(os, name)))
    work(*arguments)
