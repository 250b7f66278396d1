"""A national month of electricity readings from landing to lake, against a floor: ``make bench-ingest ROWS=660000``.
With ``FILES=2000`` that many files of ten readings, and half as many of fifty activities, instead.

The floor is the plain way: decode the same file with Arrow and let DuckDB write the same rows as sorted Parquet, with
no question asked. Both run in processes of their own, one after the other, three times; the best figure of each counts.
Seconds depend on the machine, wall time also on what else it does: the ratios are what to compare.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

HEADER = "고객번호,청구년월,검침시작일,검침종료일,사용량,계약종별,검침구분"
SOURCE = "kr_kepco"
TARIFFS = ["주택용(저압)", "주택용 전력", "주택용(고압)", "일반용(갑) 저압", "농사용(갑)"]
# Defects per 100,000 rows, as providers' files have them; together below the 5 % that would refuse the file.
DEFECTS = {
    "": 0,  # a line as it should be
    "{no},202306,20230516,20230615,,주택용(저압),정상": 150,  # no usage
    "{short},202306,20230516,20230615,{usage},주택용(저압),정상": 100,  # a digit of the number is missing
    '{no},202306,20230516,20230615,"1,{thousand}",주택용(저압),정상': 2000,  # fine, but quoted
    "{no},202306,20230516,20230615,-{usage},주택용(저압),정상": 50,
    "{no},202306,20230615,20230516,{usage},주택용(저압),정상": 50,  # ends before it begins
    "{no},202306,20230516,20230615,９９,주택용（저압）,정상": 500,  # full-width
    "{no},2023-06,2023-05-16,2023-06-15,{usage},주택용(저압),정상": 1000,  # other ways to write a date
    "{other},202306,20230516,20230615,{usage},주택용(저압),정상": 300,  # the customer of the line before again
}


def make(path: Path, rows: int) -> None:
    """Write the month: CP949, CRLF, the same bytes for the same number of rows."""
    draw = np.random.default_rng(660_000)
    templates, shares = list(DEFECTS), np.array(list(DEFECTS.values())) / 100_000
    shares[0] = 1 - shares.sum()
    with path.open("wb") as file:
        file.write(f"{HEADER}\r\n".encode("cp949"))
        for start in range(0, rows, 100_000):
            count = min(100_000, rows - start)
            numbers = 200_000_000 + np.arange(start, start + count) * 7
            usages = draw.gamma(4.0, 70.0, count).astype(int)
            tariffs, reads = draw.integers(0, len(TARIFFS), count), draw.random(count) < 0.03
            kinds = draw.choice(len(templates), count, p=shares)
            lines = []
            for number, usage, tariff, guessed, kind in zip(numbers, usages, tariffs, reads, kinds, strict=True):
                if kind:
                    line = templates[kind].format(
                        no=f"{number:010d}", other=f"{number - 7:010d}", short=f"{number:09d}"[:9], usage=usage,
                        thousand=f"{usage % 1000:03d}",
                    )  # fmt: skip
                else:
                    read = "인정" if guessed else "정상"
                    line = f"{number:010d},202306,20230516,20230615,{usage},{TARIFFS[tariff]},{read}"
                lines.append(line)
            file.write(("\r\n".join(lines) + "\r\n").encode("cp949"))


def make_several(folder: Path, files: int) -> None:
    """Inboxes of many small files: a housing complex's readings of a month, a school's activities."""
    activities = "参加者番号,実施日,行動コード,数量"
    for no in range(files):
        month = f"{2021 + no % 24 // 12}{no % 12 + 1:02d}"
        meters = range(no // 24 * 10, no // 24 * 10 + 10)
        lines = [f"{meter:010d},{month},,,{no % 97 + meter % 10},{TARIFFS[0]},정상" for meter in meters]
        _write(folder / SOURCE / f"kepco_{no:06d}.csv", [HEADER, *lines], "cp949")
    for no in range(files // 2):
        lines = [f"P{no:05d}{row:03d},2018{row % 9 + 1:02d}{no % 28 + 1:02d},walk,1" for row in range(50)]
        _write(folder / "jp_actions" / f"actions_{no:06d}.csv", [activities, *lines], "cp932")


def _write(path: Path, lines: list[str], encoding: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode(encoding))


def floor(folder: Path) -> None:
    """Decode, parse, write."""
    import duckdb
    import pyarrow.csv as arrow_csv

    reader = arrow_csv.open_csv(
        folder / "month.csv",
        arrow_csv.ReadOptions(encoding="cp949", block_size=16 << 20),
        arrow_csv.ParseOptions(newlines_in_values=True),
        arrow_csv.ConvertOptions(column_types=dict.fromkeys(HEADER.split(","), "string")),
    )
    with duckdb.connect() as con:
        con.register("month", reader)
        con.execute(
            f"""
            copy (
                select 고객번호, 청구년월, try_cast(replace(사용량, ',', '') as decimal(18, 3)) as usage,
                    계약종별, 검침구분
                from month order by 고객번호
            ) to '{folder / "floor.parquet"}' (format parquet, compression zstd)
            """
        )


def ours(folder: Path) -> None:
    """Land, read, judge, stage, publish."""
    from tanso.ingest import ingest_source, publish_lake
    from tanso.packs import load_policy, load_sources
    from tanso.settings import Home

    home = Home(folder / "home")
    shutil.rmtree(home.root, ignore_errors=True)
    inbox = home.inbox / SOURCE
    inbox.mkdir(parents=True)
    (inbox / "kepco_202306.csv").hardlink_to(folder / "month.csv")
    [source] = [replace(source, settled_for=0) for source in load_sources() if source.source_id == SOURCE]
    policy = load_policy()
    result = ingest_source(source, home, policy)
    [file] = result.files
    assert file["status"] == "accepted", file
    publish_lake(home, [source], policy, [result], expectations=False)
    counts = {key: file[key] for key in file if key.startswith("rows_")}
    (folder / "counts.json").write_text(json.dumps(counts), encoding="utf-8")


def several(folder: Path) -> None:
    """Land, read, judge, stage, publish, and judge as a whole; the files of ``make_several``."""
    from tanso.ingest import ingest_source, publish_lake
    from tanso.packs import load_policy, load_sources
    from tanso.settings import Home

    home = Home(folder / "home")
    names = sorted(path.name for path in home.inbox.iterdir())
    sources = [replace(source, settled_for=0) for source in load_sources() if source.source_id in names]
    policy = load_policy()
    results = [ingest_source(source, home, policy) for source in sources]
    assert all(file["status"] == "accepted" for result in results for file in result.files)
    publish_lake(home, sources, policy, results)


def _measured(work: Callable[[Path], None], folder: Path, answer) -> None:
    # Imports are not part of it: a run of the pipeline pays them once, not per file.
    import duckdb  # noqa: F401
    import pyarrow.csv  # noqa: F401

    import tanso.ingest.publish
    import tanso.ingest.pull.places  # noqa: F401

    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    work(folder)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    answer.send((seconds, busy, after.ru_maxrss / 1024))


def run(work: Callable[[Path], None], folder: Path) -> tuple[float, float, float]:
    """Seconds, processor seconds and peak memory (MB) of one run in a process of its own."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(work, folder, send))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{work.__name__} ended with {process.exitcode}")
    return receive.recv()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=660_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to work (a temporary folder unless given)")
    parser.add_argument("--files", type=int, help="take so many small files instead of one large one")
    options = parser.parse_args()
    if options.files:
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            make_several(Path(name) / "home" / "inbox", options.files)
            for what in ("small files", "nothing new"):
                wall, busy, peak = run(several, Path(name))
                print(f"{what:14}{wall:7.2f} s{busy:10.2f} s{peak:9,.0f} MB")
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        make(folder / "month.csv", options.rows)
        size = (folder / "month.csv").stat().st_size
        # In turn, so that whatever else the machine does meets both.
        found = [(run(floor, folder), run(ours, folder)) for _ in range(options.times)]
        floors, ours_ = zip(*found, strict=True)
        best = [[min(figures) for figures in zip(*runs, strict=True)] for runs in (floors, ours_)]
        counts = json.loads((folder / "counts.json").read_text(encoding="utf-8"))
    print(f"{options.rows:,} rows, {size / 1e6:,.1f} MB of CP949; {json.dumps(counts)}")
    print(f"{'':14}{'wall':>9}{'processor':>12}{'peak':>12}")
    for name, (wall, busy, peak) in zip(("floor", "land to lake"), best, strict=True):
        print(f"{name:14}{wall:7.2f} s{busy:10.2f} s{peak:9,.0f} MB")
    ratios = [our / least for least, our in zip(*best, strict=True)]
    print(f"{'ratio':14}{ratios[0]:7.2f}  {ratios[1]:10.2f}  {ratios[2]:9.2f}")


if __name__ == "__main__":
    main()
