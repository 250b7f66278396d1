"""The readings in force: one Parquet file per source and usage month, of every meter the last file's reading."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import duckdb

from include.extracts import lake_files
from include.extracts.kinds import StagedFile
from include.lake import TABLES
from include.packs.sources import Source
from include.settings import Home


def publish(con: duckdb.DuckDBPyConnection, home: Home, source: Source, staged: list[StagedFile]) -> None:
    """Write ``readings/source_id=…/usage_month=…/data.parquet``.

    A month is rewritten only if other files, or the same in another order, speak for it: the file remembers which.
    """
    folder = home.lake / "readings" / f"source_id={source.source_id}"
    written = _markers(con, folder)
    by_month: dict[str, list[StagedFile]] = {}
    for file in staged:
        for month in file.result["figures"]["months"]:
            by_month.setdefault(month, []).append(file)
    for month, files in sorted(by_month.items()):
        path = folder / f"usage_month={month}" / "data.parquet"
        marker = _marker(source, files)
        if written.get(str(path)) != marker:
            lake_files.write(con, _in_force(source, files, month), path, {"made_of": marker})
    for path in map(Path, written):
        if path.parent.name.removeprefix("usage_month=") not in by_month:
            shutil.rmtree(path.parent)


def _marker(source: Source, files: list[StagedFile]) -> str:
    made_of = [source.program_id, source.provider, list(TABLES["readings"].items())]
    made_of += [(file.sha256, file.result["staged_sha256"]) for file in files]
    return hashlib.sha256(repr(made_of).encode()).hexdigest()


def _markers(con: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, str]:
    paths = sorted(folder.glob("usage_month=*/data.parquet"))
    if not paths:
        return {}
    metadata = f"parquet_kv_metadata({lake_files.sql_list(paths)})"
    query = f"select file_name, value::varchar from {metadata} where key::varchar = 'made_of'"
    return dict.fromkeys(map(str, paths), "") | dict(con.execute(query).fetchall())


def _in_force(source: Source, files: list[StagedFile], month: str) -> str:
    """The month's readings in force: of the same meter and utility the last file's."""
    known = {
        "program_id": lake_files.sql_text(source.program_id),
        "source_id": lake_files.sql_text(source.source_id),
        "provider": lake_files.sql_text(source.provider or ""),
    }
    columns = ", ".join(f'{known.get(name, name)}::{kind} as "{name}"' for name, kind in TABLES["readings"].items())
    rows = " union all ".join(
        f"select *, {lake_files.sql_text(file.sha256)} as source_file_id, {seq} as seq "
        f"from read_parquet({lake_files.sql_text(str(file.path))}) where usage_month = date '{month}-01'"
        for seq, file in enumerate(files)
    )
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
