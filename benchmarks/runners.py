"""Evaluate a half-year of a home's lake: ourselves, the floor, and what else one might use. Each returns what it found.

An answer is (evaluated rows, participants with points, points) of the reduction tiers: they must all be equal.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.nation import Nation, month_name, packs
from tanso import sql
from tanso.settings import Home

Answer = tuple[int, int, int]
MIN_MONTHS = 3
FLOOR = Path(__file__).with_name("floor.sql")
FOUND = """
    select
        (select count(*) from marts.fct_reductions where period_id = $1 and status = 'evaluated'),
        count(distinct participant_id), coalesce(sum(points), 0)::bigint
    from marts.fct_point_awards
    where period_id = $1 and award_type = 'reduction' and utility is not null
"""
_PERIOD = "period_id = getvariable('period_id')"
# mart -> which of its rows the half-year adds
HALF_YEAR = {
    "fct_monthly_usage": "usage_month >= getvariable('first_month')",
    **dict.fromkeys(
        ("fct_monthly_comparisons", "fct_reductions", "fct_point_awards", "fct_rankings", "fct_payouts"), _PERIOD
    ),
}


def before(home: Home, nation: Nation) -> None:
    """Publish what was known before the half-year's first month: where ``ours`` begins."""
    from tanso.warehouse import evaluate

    shutil.rmtree(home.warehouse, ignore_errors=True)
    aside = home.root / "later"
    first = f"usage_month={month_name(nation.last_no - 5)}"
    later = [folder for folder in (home.lake / "readings").glob("*/*") if folder.name >= first]
    for folder in later:
        (aside / folder.parent.name).mkdir(parents=True, exist_ok=True)
        folder.rename(aside / folder.parent.name / folder.name)
    evaluate(home, [packs(home)])
    for folder in later:
        (aside / folder.parent.name / folder.name).rename(folder)


def ours(home: Home, nation: Nation) -> Answer:
    """The half-year's months have come in: all marts, all tests, published, on top of what was."""
    from tanso.warehouse import evaluate

    evaluate(home, [packs(home)])
    return _published(home, nation)


def anew(home: Home, nation: Nation) -> Answer:
    """The same with nothing published before: every reading of every month is written."""
    from tanso.warehouse import evaluate

    shutil.rmtree(home.warehouse, ignore_errors=True)
    evaluate(home, [packs(home)])
    return _published(home, nation)


def writing(home: Home, nation: Nation) -> Answer:
    """What nobody can save who keeps these marts: the rows of the half-year, read where they are published, written."""
    import duckdb

    path = home.root / "written.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as con:
        _as_we_do(con)
        con.execute(f"attach {sql.text(home.database)} as published (read_only)")
        con.execute("set variable period_id = ?", [nation.period_id])
        con.execute("set variable first_month = ?::date", [f"{month_name(nation.last_no - 5)}-01"])
        con.execute("create schema marts")
        for mart, rows in HALF_YEAR.items():
            con.execute(f"create table marts.{mart} as from published.marts.{mart} where {rows}")
        con.execute("detach published; checkpoint")
        answer = con.execute(FOUND, [nation.period_id]).fetchone()
    path.unlink()
    return answer


def _published(home: Home, nation: Nation) -> Answer:
    from tanso.warehouse import connect

    with connect(home) as con:
        con.execute("set memory_limit = '1GB'")  # the question is not part of the work whose memory is measured
        return con.execute(FOUND, [nation.period_id]).fetchone()


def floor(home: Home, nation: Nation) -> Answer:
    """One hand-written statement for reductions and tiers, in DuckDB, with as much of the machine as we take."""
    import duckdb

    with duckdb.connect() as con:
        _as_we_do(con)
        for name, value in variables(home, nation).items():
            con.execute(f"set variable {name} = ?", [value])
        return con.execute(FLOOR.read_text("utf-8")).fetchone()


def _as_we_do(con) -> None:
    from tanso.warehouse import run_dbt

    con.execute(f"set threads = {int(run_dbt.variables(Path())['TANSO_DUCKDB_THREADS'])}")
    con.execute("set memory_limit = '8GB'")
    con.execute("set preserve_insertion_order = false; set enable_progress_bar = false")


def variables(home: Home, nation: Nation) -> dict[str, str | int]:
    """What every runner is told."""
    return {
        "lake": str(home.lake),
        "policy": str(packs(home) / nation.program_id / "policy"),
        "period_id": nation.period_id,
        "starts_no": nation.last_no - 5,
        "ends_no": nation.last_no,
        "min_months": MIN_MONTHS,
    }
