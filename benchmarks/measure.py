"""Run a piece of work in a process of its own: seconds, processor seconds, peak memory, and what it found."""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Figures:
    """``cpu`` counts user and system time of the process and its children, ``peak_gb`` the peaks of those that run."""

    seconds: float
    cpu: float
    peak_gb: float
    answer: Any


LIMIT_SECONDS = 1800


def run(work: Callable[..., Any], *arguments: Any) -> Figures | None:
    """From the process's first import of what ``work`` needs to its answer; None if it did not survive, or not in time.

    ``work`` must be importable by name; Python's own start is not counted.
    """
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(send, work, *arguments))
    process.start()
    send.close()
    try:
        return receive.recv() if receive.poll(LIMIT_SECONDS) else None
    except EOFError:
        return None
    finally:
        process.join(10)
        process.kill()
        process.join()


def best(runs: list[Figures | None]) -> Figures | None:
    """The fastest; None if one did not survive."""
    return None if None in runs else min(runs, key=lambda run: run.seconds)


def _measured(send, work: Callable[..., Any], *arguments: Any) -> None:
    started = time.perf_counter()
    answer = work(*arguments)
    seconds = time.perf_counter() - started
    cpu, peak = _used()
    send.send(Figures(seconds, cpu, peak, answer))
    send.close()


def _used() -> tuple[float, float]:
    """Processor seconds and peak memory in GB of this process and of those it started and that run."""
    own, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime
    peak = max(own.ru_maxrss, ended.ru_maxrss)  # of a child that has ended Linux counts what its parent had, too
    for child in _descendants(os.getpid()):
        try:
            status = (child / "status").read_text()
            stat = (child / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        peak += int(status.partition("VmHWM:")[2].split()[0]) if "VmHWM:" in status else 0
        cpu += (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return cpu, peak / 1024**2


def _descendants(pid: int) -> list[Path]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [Path(f"/proc/{child}"), *_descendants(int(child))]
    return found
