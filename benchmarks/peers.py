"""What else one might evaluate with, written as its users would, on the same files. Answers as in ``runners.py``.

Whole numbers (thousandths of a unit) where the tool has them; the baseline of a half-year is 6 / n x the sum of its
months' means, so both sides of a tier's edge are multiplied by 2 n (a month's mean is one of one or two values).
"""

from __future__ import annotations

import csv
import importlib.util
import os
import resource
import shutil
import sys
from pathlib import Path

from jinja2 import Template

from benchmarks.nation import Nation
from benchmarks.runners import Answer, variables
from tanso.settings import Home

PANDAS_GB = 16
# Apart from the environment: Great Expectations imports whatever engine it finds.
PACKAGES = Path(sys.prefix) / "peers"


def _found(package: str) -> bool:
    sys.path.append(str(PACKAGES))
    return importlib.util.find_spec(package) is not None


def _rows(policy: str, table: str) -> list[dict[str, str]]:
    with (Path(policy) / f"{table}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _tiers(policy: str, period_id: str) -> list[dict]:
    """Tiers in force, rates in whole percent."""
    return [
        {
            "participant_class": row["participant_class"],
            "utility": row["utility"],
            "percent_from": round(float(row["rate_from"]) * 100),
            "percent_to": round(float(row["rate_to"] or 10_000) * 100),
            "points": int(row["points"]),
        }
        for row in _rows(policy, "reduction_tiers")
        if row["valid_from"] <= period_id <= (row["valid_to"] or "9999")
    ]


def polars(home: Home, nation: Nation) -> Answer | None:
    """Lazy frames on the streaming engine."""
    if not _found("polars"):
        return None
    import polars as pl

    given = variables(home, nation)
    lake, policy, starts_no, ends_no = given["lake"], given["policy"], given["starts_no"], given["ends_no"]

    def month_no(column: str) -> pl.Expr:
        return pl.col(column).dt.year().cast(pl.Int32) * 12 + pl.col(column).dt.month().cast(pl.Int32) - 1

    regions = pl.LazyFrame(_rows(policy, "region_policies")).select("region_code", "utilities")
    short_stay = month_no("joined_on") - month_no("moved_in_on") - 1 < 12
    units = (
        pl.scan_parquet(f"{lake}/participant_utilities/*.parquet")
        .join(pl.scan_parquet(f"{lake}/participants/*.parquet"), on=["program_id", "participant_id"])
        .join(regions, on="region_code")
        .filter(
            pl.col("utilities").str.split(" ").list.contains(pl.col("utility")),
            pl.col("participant_class") != "complex",
            month_no("joined_on") < starts_no,
            pl.col("withdrawn_on").is_null() | (month_no("withdrawn_on") > ends_no),
        )
        .with_columns(
            first_no=(month_no("moved_in_on") + 1).fill_null(0),
            anchor_no=pl.when(short_stay.fill_null(False)).then(starts_no).otherwise(month_no("joined_on")),
        )
        .select(
            "participant_id", "participant_class", "provider", "utility", "meter_key", "first_no", "anchor_no"
        )
        .with_row_index("unit_no")
        .collect(engine="streaming")
    )  # fmt: skip
    shut_out = pl.lit(False)
    for row in _rows(policy, "excluded_tariffs"):
        found = pl.col("tariff").str.starts_with(row["tariff"])
        if row["match"] != "prefix":
            found = pl.col("tariff") == row["tariff"]
        shut_out = shut_out | ((pl.col("utility") == row["utility"]) & found).fill_null(False)
    actual = pl.col("month_no") >= starts_no
    past = pl.col("month_no").is_between(pl.col("anchor_no") - 24, pl.col("anchor_no") - 1) & ~pl.col("shut_out")
    sums = (
        pl.scan_parquet(f"{lake}/readings/*/*/data.parquet", hive_partitioning=False)
        .select(
            "provider",
            "utility",
            "meter_key",
            month_no=month_no("usage_month"),
            milli=(pl.col("usage") * 1000).cast(pl.Int64),
            shut_out=shut_out,
        )
        .with_columns(slot=(pl.col("month_no") - starts_no + 1200) % 12)
        .filter(pl.col("slot") < 6, pl.col("month_no") <= ends_no)
        .join(units.lazy(), on=["provider", "utility", "meter_key"])
        .filter(pl.col("month_no") >= pl.col("first_no"))
        .group_by("unit_no", "slot")
        .agg(
            actual=pl.col("milli").filter(actual).sum(),
            actuals=actual.sum(),
            shut_out=(pl.col("shut_out") & actual).any(),
            past=pl.col("milli").filter(past).sum(),
            pasts=past.sum(),
        )
        .group_by("unit_no")
        .agg(
            actual=pl.col("actual").sum(),
            actuals=pl.col("actuals").sum(),
            shut_out=pl.col("shut_out").any(),
            baseline_2n=6 * (pl.col("past") * 2 // pl.col("pasts")).fill_null(0).sum(),
            n2=2 * (pl.col("pasts") > 0).sum(),
        )
        .filter(
            pl.col("actuals") == 6, ~pl.col("shut_out"), pl.col("n2") >= 2 * given["min_months"],
            pl.col("baseline_2n") > 0,
        )
        .collect(engine="streaming")
    )  # fmt: skip
    saved = 100 * (pl.col("baseline_2n") - pl.col("actual") * pl.col("n2"))
    awards = (
        sums.join(units.select("unit_no", "participant_id", "participant_class", "utility"), on="unit_no")
        .join(pl.DataFrame(_tiers(policy, nation.period_id)), on=["participant_class", "utility"])
        .filter(
            saved >= pl.col("percent_from") * pl.col("baseline_2n"),
            saved < pl.col("percent_to") * pl.col("baseline_2n"),
        )
    )
    return sums.height, awards["participant_id"].n_unique(), awards["points"].sum()


def pyspark(home: Home, nation: Nation) -> Answer | None:
    """Spark SQL on this machine alone, its start included."""
    if not _found("pyspark") or not shutil.which("java"):
        return None
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    from pyspark.sql import SparkSession

    given = variables(home, nation)
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "8g")
        .config("spark.sql.shuffle.partitions", "8")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.log.level", "ERROR")
        .config("spark.local.dir", str(home.root / "spark"))
        .config("spark.sql.warehouse.dir", str(home.root / "spark"))
        .getOrCreate()
    )
    policy = given["policy"]
    # The folders' names say what the rows say too, as text.
    rows = spark.read.option("recursiveFileLookup", "true").parquet(f"{given['lake']}/readings")
    rows.createOrReplaceTempView("readings")
    for table in ("participants", "participant_utilities"):
        spark.read.parquet(f"{given['lake']}/{table}").createOrReplaceTempView(table)
    for table in ("region_policies", "excluded_tariffs"):
        spark.createDataFrame(_rows(policy, table)).createOrReplaceTempView(table)
    spark.createDataFrame(_tiers(policy, nation.period_id)).createOrReplaceTempView("tier")
    numbers = {name: int(given[name]) for name in ("starts_no", "ends_no", "min_months")}
    statement = Template(Path(__file__).with_name("spark.sql").read_text("utf-8"))
    row = spark.sql(statement.render(numbers)).collect()[0]
    return row.evaluated, row.awarded, row.points or 0


def pandas(home: Home, nation: Nation) -> Answer:
    """The script that a municipality would write: everything in memory, floating point, a little tolerance at edges."""
    import pandas as pd

    # Rather an error than a machine that swaps.
    resource.setrlimit(resource.RLIMIT_AS, (PANDAS_GB << 30, PANDAS_GB << 30))
    given = variables(home, nation)
    lake, policy, starts_no, ends_no = home.lake, given["policy"], given["starts_no"], given["ends_no"]

    def month_no(days: pd.Series) -> pd.Series:
        days = pd.to_datetime(days)
        return days.dt.year * 12 + days.dt.month - 1

    people = pd.concat(pd.read_parquet(path) for path in sorted(lake.glob("participants/*.parquet")))
    uses = pd.concat(pd.read_parquet(path) for path in sorted(lake.glob("participant_utilities/*.parquet")))
    regions = pd.DataFrame(_rows(policy, "region_policies"))[["region_code", "utilities"]]
    units = uses.merge(people, on=["program_id", "participant_id"]).merge(regions, on="region_code")
    units["joined_no"], units["left_no"] = month_no(units["joined_on"]), month_no(units["withdrawn_on"])
    units["first_no"] = month_no(units["moved_in_on"]) + 1
    runs_it = units.apply(lambda unit: unit["utility"] in unit["utilities"].split(), axis=1)
    units = units[
        runs_it
        & (units["participant_class"] != "complex")
        & (units["joined_no"] < starts_no)
        & (units["left_no"].isna() | (units["left_no"] > ends_no))
    ]
    units["anchor_no"] = units["joined_no"].where(~(units["joined_no"] - units["first_no"] < 12), starts_no)
    units["first_no"] = units["first_no"].fillna(0)

    columns = ["provider", "utility", "meter_key", "usage_month", "usage", "tariff"]
    parts = []
    for path in sorted(lake.glob("readings/*/*/data.parquet")):
        part = pd.read_parquet(path, columns=columns, partitioning=None)
        part["month_no"] = month_no(part["usage_month"])
        part["usage"] = part["usage"].astype(float)
        parts.append(part[((part["month_no"] - starts_no) % 12 < 6) & (part["month_no"] <= ends_no)])
    readings = pd.concat(parts)
    readings["shut_out"] = False
    for row in _rows(policy, "excluded_tariffs"):
        tariffs = readings["tariff"].fillna("")
        found = tariffs.str.startswith(row["tariff"]) if row["match"] == "prefix" else tariffs == row["tariff"]
        readings["shut_out"] |= found & (readings["utility"] == row["utility"])

    key = ["participant_id", "participant_class", "utility"]
    used = readings.merge(units, on=["provider", "utility", "meter_key"])
    used = used[used["month_no"] >= used["first_no"]]
    now = used[used["month_no"] >= starts_no].groupby(key).agg(
        actual=("usage", "sum"), months=("usage", "size"), shut_out=("shut_out", "any")
    )  # fmt: skip
    past = used[used["month_no"].between(used["anchor_no"] - 24, used["anchor_no"] - 1) & ~used["shut_out"]]
    means = past.groupby([*key, past["month_no"] % 12])["usage"].mean().groupby(level=[0, 1, 2])
    now = now.join(means.agg(["sum", "count"]), how="inner")
    now["baseline"] = now["sum"] * 6 / now["count"]
    now = now[
        (now["months"] == 6) & ~now["shut_out"] & (now["count"] >= given["min_months"]) & (now["baseline"] > 0)
    ].reset_index()
    rate = 100 * (now["baseline"] - now["actual"]) / now["baseline"] + 1e-9
    rated = now.assign(rate=rate).merge(pd.DataFrame(_tiers(policy, nation.period_id)), on=key[1:])
    awards = rated[(rated["rate"] >= rated["percent_from"]) & (rated["rate"] < rated["percent_to"])]
    return len(now), awards["participant_id"].nunique(), int(awards["points"].sum())
