"""Evaluation of a half-year at several sizes, beside the floor and what else one might use.

``python -m benchmarks.evaluate --sizes 10000 100000 [--runners ours floor] [--folder …]``
"""

from __future__ import annotations

import argparse
import math
import shutil
import tempfile
import time
from pathlib import Path

import duckdb

from benchmarks import lake, measure, peers, runners
from benchmarks.measure import Figures
from benchmarks.nation import Nation
from tanso.settings import Home

RUNNERS = {
    "floor": runners.floor,
    "anew": runners.anew,
    "ours": runners.ours,
    "writing": runners.writing,
    "polars": peers.polars,
    "pyspark": peers.pyspark,
    "pandas": peers.pandas,
}
Found = dict[str, Figures | None]


class Disagreement(AssertionError):
    """Two runners found something else: at least one of them does not compute what it should."""


def run(home: Home, nation: Nation, names: list[str], times: int = 1) -> Found:
    """Each runner's best of ``times`` runs, in turn, so that whatever else the machine does meets all of them."""
    rounds = [{name: _one(name, home, nation) for name in names} for _ in range(times)]
    found = {name: measure.best([one[name] for one in rounds]) for name in names}
    answers = {name: figures.answer for name, figures in found.items() if figures and figures.answer}
    if len(set(answers.values())) > 1:
        raise Disagreement(f"(evaluated rows, awarded participants, points) of {nation.period_id}: {answers}")
    return found


def _one(name: str, home: Home, nation: Nation) -> Figures | None:
    if name == "ours":
        measure.run(runners.before, home, nation)
    return measure.run(RUNNERS[name], home, nation)


def readings(home: Home) -> int:
    """Rows of the lake's readings."""
    files = str(home.lake / "readings" / "*" / "*" / "data.parquet")
    with duckdb.connect() as con:
        query = "select sum(num_rows)::bigint from parquet_file_metadata(?)"
        return con.execute(query, [files]).fetchone()[0]


def exponent(seconds: dict[int, float]) -> float | None:
    """The slope of log(seconds) over log(participants), by least squares: 1 is proportional."""
    points = [(math.log(size), math.log(value)) for size, value in seconds.items()]
    if len(points) < 2:
        return None
    mean_x, mean_y = (sum(column) / len(points) for column in zip(*points, strict=True))
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)


def lines(size: int, rows: int, found: Found) -> list[str]:
    """The size's table: ``runner seconds cpu peak rows/s ratio``, ratio to the floor."""
    base = found.get("floor")
    shown = [
        f"{size:,} participants, {rows:,} readings",
        f"  {'':8}{'s':>9}{'CPU s':>9}{'GB':>7}{'rows/s':>13}{'x floor':>9}",
    ]
    for name, figures in found.items():
        if figures is None or figures.answer is None:
            shown.append(f"  {name:8}{'na':>9}")
            continue
        ratio = f"{figures.seconds / base.seconds:9.2f}" if base else ""
        shown.append(
            f"  {name:8}{figures.seconds:9.2f}{figures.cpu:9.2f}{figures.peak_gb:7.2f}"
            f"{rows / figures.seconds:13,.0f}{ratio}"
        )
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--runners", nargs="+", choices=RUNNERS, default=["floor", "ours"])
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keep the generated homes here (a temporary folder unless given)")
    options = parser.parse_args()
    seconds = {}
    with tempfile.TemporaryDirectory() as temporary:
        for size in options.sizes:
            nation = Nation(size, options.months)
            home = Home((options.folder or Path(temporary)).resolve() / f"{size}-{options.months}")
            if not home.lake.exists():
                started = time.perf_counter()
                lake.make(home, nation, with_vault=bool(options.folder))  # a batch may follow
                print(f"generated in {time.perf_counter() - started:.0f} s: {home.root}")
            found = run(home, nation, options.runners, options.times)
            print(*lines(size, readings(home), found), sep="\n", flush=True)
            if found.get("ours"):
                seconds[size] = found["ours"].seconds
            if not options.folder:
                shutil.rmtree(home.root)
    if exponent(seconds) is not None:
        print(f"exponent of growth {exponent(seconds):.2f}")


if __name__ == "__main__":
    main()
