"""One national month of each source of readings, in its own format, from landing to lake."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from benchmarks import extracts, measure, nation
from benchmarks.measure import Figures
from benchmarks.nation import Nation
from tanso.settings import Home


def take(home: Home, source_id: str) -> tuple[int, int]:
    """Ingest a source's files and publish the lake; rows accepted and refused."""
    from tanso.ingest import ingest_source, publish_lake
    from tanso.packs import load_policy, load_sources

    policy = load_policy([nation.packs(home)])
    [source] = [source for source in load_sources([nation.packs(home)]) if source.source_id == source_id]
    result = ingest_source(source, home, policy)
    publish_lake(home, [source], policy, [result], expectations=False)
    refused = [file["file_name"] for file in result.files if file["status"] != "accepted"]
    if refused:
        raise RuntimeError(f"refused whole: {', '.join(refused)}")
    return tuple(sum(file[count] for file in result.files) for count in ("rows_accepted", "rows_quarantined"))


def run(folder: Path, participants: int) -> dict[str, tuple[int, Figures | None]]:
    """source_id -> bytes of its last month's files, and what taking them cost."""
    home, made, found = Home(folder / f"{participants}-month"), Nation(participants), {}
    nation.write_pack(home, made)
    declared = nation.sources(home, made)
    with duckdb.connect() as con:
        nation.settle(con, declared, made)
        for source in declared:
            if source.kind == "readings":
                files = extracts.write_month(con, home, made, source, made.last_no)
                size = sum(file.stat().st_size for file in files)
                found[source.source_id] = (size, measure.run(take, home, source.source_id))
    shutil.rmtree(home.root)
    return found


def lines(participants: int, found: dict[str, tuple[int, Figures | None]]) -> list[str]:
    """The table."""
    shown = [
        f"a month of {participants:,} participants",
        f"  {'':16}{'MB':>8}{'rows':>11}{'s':>8}{'GB':>6}{'rows/s':>11}",
    ]
    for source_id, (size, figures) in found.items():
        if figures is None:
            shown.append(f"  {source_id:16}{size / 1e6:8.1f}{'na':>11}")
            continue
        rows = sum(figures.answer)
        shown.append(
            f"  {source_id:16}{size / 1e6:8.1f}{rows:11,}{figures.seconds:8.1f}{figures.peak_gb:6.2f}"
            f"{rows / figures.seconds:11,.0f}"
        )
    return shown
