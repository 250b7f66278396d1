"""All benchmarks: ``make bench PARTICIPANTS=100000 [SIZES="10000 100000 1000000"]``.

Every ratio is of two runs beside each other. ``ingest_ratio`` and ``evaluate_ratio`` are ours over the floor's seconds;
``polars_ratio``, ``spark_ratio`` and ``pandas_ratio`` are the peer's over ours. ``na``: not installed, or not survived.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from benchmarks import airflow_share, evaluate, ingest, ingest_sources, issue, lake, months
from benchmarks.measure import Figures
from benchmarks.nation import Nation
from tanso.settings import Home

PARTS = ("ingest", "evaluate", "issue", "months", "airflow")
MONTHS_PARTICIPANTS = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--participants", type=int, default=100_000)
    parser.add_argument("--sizes", type=int, nargs="*", help="of the evaluation; 10,000, 100,000 and N unless given")
    parser.add_argument("--times", type=int, default=1, help="rounds of each evaluation, of which the best counts")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--runners", nargs="+", choices=evaluate.RUNNERS, default=list(evaluate.RUNNERS))
    parser.add_argument("--folder", type=Path, help="where to work (a temporary folder unless given)")
    options = parser.parse_args()
    participants = options.participants
    sizes = sorted({*(options.sizes or [10_000, 100_000]), participants})
    figures = dict.fromkeys(
        ("ingest_ratio", "evaluate_ratio", "issue_seconds", "peak_gb", "polars_ratio", "spark_ratio", "pandas_ratio",
         "exponent", "anew_ratio", "airflow_seconds")
    )  # fmt: skip
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name).resolve()
        if "ingest" in options.parts:
            figures["ingest_ratio"] = _ingest(folder, participants)
        if "evaluate" in options.parts:
            figures |= _evaluate(folder, sizes, participants, options)
        if "months" in options.parts:
            size = min(participants, MONTHS_PARTICIPANTS)
            _say(months.lines(size, {history: months.run(folder, size, history) for history in months.HISTORIES}))
        if "airflow" in options.parts:
            found = airflow_share.run(folder)
            _say([airflow_share.line(found)])
            figures["airflow_seconds"] = found.of_a_run
    shown = (f"{key}={'na' if value is None else f'{value:.2f}'}" for key, value in figures.items())
    print(f"bench participants={participants} {' '.join(shown)}")


def _ingest(folder: Path, participants: int) -> float:
    _say(ingest_sources.lines(participants, ingest_sources.run(folder, participants)))
    ingest.make(folder / "month.csv", participants)
    floor, ours = ingest.run(ingest.floor, folder), ingest.run(ingest.ours, folder)
    _say(
        [
            f"  a month of {participants:,} meters of one source, beside the floor of decoding and writing it:",
            f"  {ours[0]:.2f} s : {floor[0]:.2f} s, {ours[1]:.2f} : {floor[1]:.2f} CPU s, "
            f"{ours[2] / 1024:.2f} : {floor[2] / 1024:.2f} GB",
        ]
    )
    return ours[0] / floor[0]


def _evaluate(folder: Path, sizes: list[int], participants: int, options: argparse.Namespace) -> dict:
    seconds, figures = {}, {}
    for size in sizes:
        nation = Nation(size)
        home = Home(folder / f"{size}")
        lake.make(home, nation, with_vault=size == participants)
        found = evaluate.run(home, nation, options.runners, options.times)
        _say(evaluate.lines(size, evaluate.readings(home), found))
        if found.get("ours"):
            seconds[size] = found["ours"].seconds
        if size == participants:
            figures = _ratios(found)
            if "issue" in options.parts and found.get("ours"):
                issued = issue.run(home, nation)
                _say([issue.line(issued)])
                figures["issue_seconds"] = issued.answer["issue"] if issued else None
        shutil.rmtree(home.root)
    figures["exponent"] = evaluate.exponent(seconds)
    if figures["exponent"] is not None:
        _say([f"exponent of growth: {figures['exponent']:.2f}, over {len(seconds)} sizes"])
    return figures


def _ratios(found: dict[str, Figures | None]) -> dict[str, float]:
    ours, floor = found.get("ours"), found.get("floor")
    if not ours:
        return {}
    ratios = {"peak_gb": ours.peak_gb}
    if floor:
        ratios["evaluate_ratio"] = ours.seconds / floor.seconds
        if found.get("anew"):
            ratios["anew_ratio"] = found["anew"].seconds / floor.seconds
    for key, name in {"polars_ratio": "polars", "spark_ratio": "pyspark", "pandas_ratio": "pandas"}.items():
        peer = found.get(name)
        if peer and peer.answer:
            ratios[key] = peer.seconds / ours.seconds
    return ratios


def _say(lines: list[str]) -> None:
    print(*lines, sep="\n", flush=True)


if __name__ == "__main__":
    main()
