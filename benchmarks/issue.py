"""A batch proposed and issued, with all its files and its manifest, from the marts of a generated nation.

``python -m benchmarks.issue --home <folder>``: a home that ``benchmarks.evaluate --folder`` left, evaluated.
"""

from __future__ import annotations

import argparse
import shutil
import time
from datetime import date
from pathlib import Path

from benchmarks import measure
from benchmarks.measure import Figures
from benchmarks.nation import LAST_MONTH, Nation, packs
from tanso.settings import Home

AS_OF = date(LAST_MONTH[0] + 1, 6, 1)
APPROVERS = ("Benchmark", "Second person")


def batch(home: Home, nation: Nation) -> dict[str, float]:
    """Propose what is due and issue the period's batch; what was issued before is thrown away first."""
    from tanso.payouts import NotApproved, issue, propose

    records = (home.exports, home.proposals, home.approvals, home.issue_log, home.access_log, home.lake / "ledger")
    for folder in records:
        shutil.rmtree(folder, ignore_errors=True)
    started = time.perf_counter()
    proposals = propose(home, AS_OF, [packs(home)])
    proposed = time.perf_counter()
    [due] = [proposal for proposal in proposals if proposal.period_id == nation.period_id]
    issued = None
    for person in APPROVERS:  # as many as policy asks for
        try:
            issued = issue(home, due.proposal_id, person, [packs(home)])
            break
        except NotApproved:
            continue
    ended = time.perf_counter()
    files = [path for path in issued.path.rglob("*") if path.is_file()]
    return {
        "lines": issued.lines,
        "files": len(files),
        "mb": sum(path.stat().st_size for path in files) / 1e6,
        "propose": proposed - started,
        "issue": ended - proposed,
    }


def run(home: Home, nation: Nation) -> Figures | None:
    """In a process of its own."""
    return measure.run(batch, home, nation)


def line(figures: Figures | None) -> str:
    """What to print of it."""
    if figures is None:
        return "  issue: na"
    made = figures.answer
    return (
        f"  {made['lines']:,} lines in {made['files']:,} files ({made['mb']:,.0f} MB): "
        f"propose {made['propose']:.1f} s, issue {made['issue']:.1f} s; "
        f"{figures.cpu:.1f} CPU s, {figures.peak_gb:.2f} GB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True)
    print(line(run(Home(parser.parse_args().home.resolve()), Nation(0))))


if __name__ == "__main__":
    main()
