"""The readings in force: one Parquet file per source and usage month, of every meter the last file's reading."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from tanso import lake, lake_files, sql
from tanso.ingest.model import StagedFile
from tanso.lake import TABLES
from tanso.packs.sources import Source
from tanso.settings import Home

# What the lake has, and the row of source_file_id, for tracing; so staged files and the lake's can be the same.
COLUMNS = {**TABLES["readings"], "row_no": "BIGINT"}


_FEW_ROWS = 1000  # sorting fewer costs less than finding out


class _OutOfOrder(Exception):
    pass


def stage(con: duckdb.DuckDBPyConnection, source: Source, sha256: str, path: Path, count: int) -> None:
    """Write ``good``, made of ``count`` rows, as the lake has readings, with row_no.

    As it comes, if that is in order already, as files of one month sorted by number are; else, and if the rows are few,
    sorted.
    """
    usages = source.option("usages")
    known = {**_known(source), "source_file_id": sha256}
    if len(usages) == 1:
        known["utility"] = usages[0]["utility"]
    # An ENUM stays one: its texts are written once.
    listed = ", ".join(
        name if name == "tariff" else f"{name}::{kind} as {name}" for name, kind in COLUMNS.items() if name not in known
    )
    for order in ("", " order by usage_month, utility, meter_key, row_no"):
        if not order and (len(usages) > 1 or count < _FEW_ROWS):
            continue
        batches = con.sql(f"select {listed} from good{order}").to_arrow_reader(lake_files.WRITTEN_AT_ONCE)
        types = {name: pa.string() if name in known else batches.schema.field(name).type for name in COLUMNS}
        fields = [pa.field(name, type_, nullable=name == "tariff") for name, type_ in types.items()]
        rows = batches if order else _ascending(batches)
        try:
            lake_files.write_stream(rows, pa.schema(fields), path, known)
            return
        except _OutOfOrder:
            batches.close()


def _ascending(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Raises _OutOfOrder where the rows are of several months or a meter_key is less than the one before."""
    month, last = None, None
    for batch in batches:
        months, keys = pc.min_max(batch["usage_month"]).as_py(), batch["meter_key"]
        month = months["min"] if month is None else month
        is_one = months["min"] == months["max"] == month
        if not is_one or (last is not None and keys[0].as_py().encode() < last):
            raise _OutOfOrder
        if not pc.all(pc.less_equal(keys[:-1], keys[1:])).as_py():
            raise _OutOfOrder
        last = keys[-1].as_py().encode()
        yield batch


def _known(source: Source) -> dict[str, str]:
    return {"program_id": source.program_id, "source_id": source.source_id, "provider": source.provider or ""}


def publish(con: duckdb.DuckDBPyConnection, home: Home, source: Source, staged: list[StagedFile]) -> None:
    """Write ``readings/source_id=…/usage_month=…/data.parquet``.

    A month is rewritten only if other files, or the same in another order, speak for it: its note says which. Of a
    month that one file alone speaks for, and that file for no other, it is the staged file itself.
    """
    folder = home.lake / "readings" / f"source_id={source.source_id}"
    by_month: dict[str, list[StagedFile]] = {}
    for file in staged:
        for month in file.result["figures"]["months"]:
            by_month.setdefault(month, []).append(file)
    for month, files in sorted(by_month.items()):
        path = folder / f"usage_month={month}" / "data.parquet"
        marker = _marker(source, files)
        if [file.result["figures"]["months"] for file in files] == [[month]]:
            _link(files[0], path)
        elif not path.exists() or lake.noted(path)["made_of"] != marker:
            lake_files.publish(con, _in_force(source, files, month), path, marker)
    for path in folder.glob("usage_month=*/data.parquet"):
        if path.parent.name.removeprefix("usage_month=") not in by_month:
            shutil.rmtree(path.parent)


def _marker(source: Source, files: list[StagedFile]) -> str:
    made_of: list[object] = [source.program_id, source.provider, list(COLUMNS.items())]
    made_of += [(file.sha256, file.result["staged_sha256"]) for file in files]
    return hashlib.sha256(repr(made_of).encode()).hexdigest()


def _link(file: StagedFile, path: Path) -> None:
    if not (path.exists() and path.samefile(file.path) and lake.noted(path)["sha256"] == file.result["staged_sha256"]):
        lake_files.link(file.checked(), path, file.result["staged_sha256"])


def _in_force(source: Source, files: list[StagedFile], month: str) -> str:
    """The month's readings in force: of the same meter and utility the last file's."""
    columns = ", ".join(f'{name}::{kind} as "{name}"' for name, kind in COLUMNS.items())
    paths = sql.texts(file.checked() for file in files)
    rows = f"select *, file_index as seq from read_parquet({paths}) where usage_month = date '{month}-01'"
    if len(files) == 1:
        return f"select {columns} from ({rows})"  # staged in the order of utility and meter_key already
    # Only the keys of the files after the first are remembered: those are corrections, and few.
    return f"""
        with versions as ({rows}),
             later as (select utility, meter_key, max(seq) as last_seq from versions where seq > 0 group by all)
        select {columns}
        from versions left join later using (utility, meter_key)
        where seq >= coalesce(last_seq, 0)
        order by utility, meter_key
    """
