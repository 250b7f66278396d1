"""Readings far above what their own meter usually has: a list to look at (readings with the option ``usage_jump``).

One ``max`` for all meters lets a slip of two digits pass wherever a larger meter could have used as much. Such a
reading may be true all the same (a burst pipe), so it counts and is reported; if it is wrong, a later file corrects it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from tanso import lake, sql
from tanso.ingest.kinds import prorate
from tanso.ingest.model import StagedFile
from tanso.packs.sources import Source
from tanso.settings import Home

OPTION = "usage_jump"
_MONTHS = 6  # a meter with fewer has no usual usage yet


def report(con: duckdb.DuckDBPyConnection, home: Home, source: Source, staged: list[StagedFile]) -> dict[str, Any]:
    """Write ``reports/usage_jumps/<source_id>.csv`` of all readings in force; the note on it, if there are any.

    A meter's usual usage is the median of its months (the lower one of two).
    """
    path = home.reports / "usage_jumps" / f"{source.source_id}.csv"
    path.unlink(missing_ok=True)
    if OPTION not in source.options or not (months := _months(home, source)):
        return {}
    found = con.execute(
        f"""
        with readings as (from read_parquet({sql.texts(months)}, hive_partitioning = false)),
             usual as (
                 select utility, meter_key, quantile_disc(usage, 0.5) as usual_usage
                 from readings group by all
                 having count(*) >= {_MONTHS} and usual_usage > 0
             )
        select utility, meter_key, strftime(usage_month, '%Y-%m'), usage, usual_usage, source_file_id
        from readings join usual using (utility, meter_key)
        where usage >= usual_usage * $factor
        order by all
        """,
        {"factor": source.option(OPTION)},
    ).fetchall()
    if not found:
        return {}
    names = {file.sha256: file.file_name for file in staged}
    header = ["utility", "meter", "usage_month", "usage", "usual_usage", "file"]
    prorate.write_report(path, header, [(*rest, names[sha256]) for *rest, sha256 in found])
    where = path.relative_to(home.root)
    return {
        OPTION: f"{len(found)} months at {source.option(OPTION)} times the meter's usual usage or more, used: {where}"
    }


def _months(home: Home, source: Source) -> list[Path]:
    folder = home.lake / "readings" / f"source_id={source.source_id}"
    return [lake.checked(path) for path in sorted(folder.glob("usage_month=*/data.parquet"))]
