"""What Airflow adds to a run: the bundled sample by ``make run``, less the same steps by the command line.

Both work on a fresh home, propose, and issue nothing. A run's share is told of an Airflow that is up, as it is where
runs come again and again: waiting for the scheduler, and a process with its imports per task. What ``make run`` pays
besides (making Airflow's database, start, stop) is told apart.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tanso.local import sample
from tanso.settings import PROJECT_ROOT, Home

AS_OF = "2026-07-01"
# The runner says when Airflow is up and when it is told to stop.
_UP, _STOPS = (re.compile(rf"^ *([0-9.]+) s +Airflow {word}", re.MULTILINE) for word in ("is up", "stops"))


@dataclass(frozen=True)
class Share:
    """Seconds of ``make run``, of its chain while Airflow was up, and of the steps alone."""

    whole: float
    chain: float
    alone: float

    @property
    def of_a_run(self) -> float:
        return self.chain - self.alone


def run(folder: Path) -> Share:
    """Both, one after the other."""
    whole, said = _timed(Home(folder / "airflow"), "tanso.local.headless")
    alone, _ = _timed(Home(folder / "steps"), "tanso.cli", "run")
    up, stops = (float(mark.search(said)[1]) for mark in (_UP, _STOPS))
    return Share(whole, stops - up, alone)


def line(share: Share) -> str:
    """What to print of it."""
    return (
        f"Airflow's share of a run: {share.of_a_run:.1f} s ({share.chain:.1f} s, the steps alone {share.alone:.1f} s); "
        f"making its database, start and stop: {share.whole - share.chain:.1f} s"
    )


def _timed(home: Home, *module: str) -> tuple[float, str]:
    """Seconds, and what was printed."""
    sample.copy_to_inbox(home)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TANSO_", "AIRFLOW"))}
    environment |= {"TANSO_HOME": str(home.root), "TANSO_AS_OF": AS_OF}
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", *module], cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(module)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return time.perf_counter() - started, done.stdout
