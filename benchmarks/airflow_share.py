"""What Airflow adds to a run: the bundled sample by ``make run``, less the same steps by the command line.

Both work on a fresh home, propose, and issue nothing. With Airflow come its database, its start, its stop, and a
process with its imports per task.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from include.operate import sample
from include.settings import PROJECT_ROOT, Home

AS_OF = "2026-07-01"


def run(folder: Path) -> tuple[float, float]:
    """Seconds with Airflow, and of the steps alone."""
    by_airflow = _seconds(Home(folder / "airflow"), "include.operate.headless")
    alone = _seconds(Home(folder / "steps"), "include.cli", "run")
    return by_airflow, alone


def line(by_airflow: float, alone: float) -> str:
    """What to print of it."""
    return f"Airflow's share of a run: {by_airflow - alone:.1f} s ({by_airflow:.1f} s, the steps alone {alone:.1f} s)"


def _seconds(home: Home, *module: str) -> float:
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
    return time.perf_counter() - started
