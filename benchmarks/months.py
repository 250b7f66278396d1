"""What a new month costs, by real files through the command line: after 3 and after 10 years of history.

``python -m benchmarks.months --participants 10000``
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import tempfile
from pathlib import Path

import duckdb

from benchmarks import extracts, measure, nation
from benchmarks.measure import Figures
from benchmarks.nation import Nation
from tanso.settings import Home

HISTORIES = (36, 120)
STEPS = ("first", "nothing new", "a month more")


def cli(home: Home, *steps: str) -> str:
    """Run steps of the command line in this process; what they printed. RuntimeError if one fails."""
    os.environ |= {"TANSO_HOME": str(home.root), "TANSO_PROGRAMS": str(nation.packs(home))}
    from tanso.cli import main

    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        for step in steps:
            if main([step]):
                raise RuntimeError(f"{step} failed: {said.getvalue()}")
    return said.getvalue()


def fill(con: duckdb.DuckDBPyConnection, home: Home, made: Nation, months: range) -> None:
    """Put the extracts of these months into the inbox."""
    for source in nation.sources(home, made):
        if source.kind == "readings":
            for month_no in months:
                extracts.write_month(con, home, made, source, month_no)


def run(folder: Path, participants: int, months: int) -> dict[str, Figures]:
    """Ingest and evaluate: all months but the last, then nothing new, then the last month."""
    made = Nation(participants, months)
    home = Home(folder / f"{participants}-{months}-files")
    nation.write_pack(home, made)
    found = {}
    with duckdb.connect() as con:
        declared = nation.sources(home, made)
        nation.settle(con, declared, made)
        extracts.write_register(con, home, made, declared)
        fill(con, home, made, range(made.first_no, made.last_no))
        for step in STEPS:
            if step == STEPS[-1]:
                fill(con, home, made, range(made.last_no, made.last_no + 1))
            found[step] = measure.run(cli, home, "ingest", "evaluate")
    return found


def lines(participants: int, found: dict[int, dict[str, Figures]]) -> list[str]:
    """The table: per step and history seconds (processor seconds)."""
    shown = [
        f"{participants:,} participants, real files, ingest and evaluate: s (CPU s)",
        f"  {'':14}" + "".join(f"{f'{months // 12} years':>18}" for months in found),
    ]
    for step in STEPS:
        cells = [made[step] for made in found.values()]
        shown.append(f"  {step:14}" + "".join(f"{f'{f.seconds:.1f} ({f.cpu:.1f})' if f else 'na':>18}" for f in cells))
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--participants", type=int, default=10_000)
    parser.add_argument("--histories", type=int, nargs="+", default=list(HISTORIES))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = {months: run(Path(folder), options.participants, months) for months in options.histories}
    print(*lines(options.participants, found), sep="\n")


if __name__ == "__main__":
    main()
