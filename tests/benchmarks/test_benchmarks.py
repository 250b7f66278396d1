"""The benchmarks compare like with like: what they generate passes every check, and the floor finds what we find."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from benchmarks import evaluate, extracts, lake, nation, runners
from benchmarks.nation import Nation
from tanso.lake import columns_sql
from tanso.settings import Home

SMALL = Nation(400)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("nation"))
    lake.make(home, SMALL)
    return home


def test_the_floor_finds_what_the_marts_say(generated: Home) -> None:
    """The build runs every dbt test on the generated lake, too."""
    found = runners.ours(generated, SMALL)
    evaluated, awarded, points = found
    assert evaluated > 2 * SMALL.participants and awarded > SMALL.participants / 4 and points > 0
    assert runners.floor(generated, SMALL) == found
    assert runners.writing(generated, SMALL) == found


def test_the_same_nation_is_made_again(generated: Home, tmp_path: Path) -> None:
    again = Home(tmp_path)
    lake.make(again, SMALL)
    files = sorted(path.relative_to(generated.lake) for path in generated.lake.rglob("*.parquet"))
    # 36 months of 4 sources, the register's two tables, files, providers, refused rows
    assert len(files) == 36 * 4 + 5
    assert all((generated.lake / file).read_bytes() == (again.lake / file).read_bytes() for file in files)


def test_floor_by_hand(tmp_path: Path) -> None:
    """Two households, electricity, July to December 2023, joined in January 2023: the baseline is 2021 and 2022.

    One used 100 kWh a month and uses 90: 10 % is the second tier, 10,000 points. The other used 100 and 120 (mean 110)
    and uses 105: 1 - 105 / 110 = 4.5 %, no points. A third has no reading in December 2023 and is not evaluated.
    """
    home, made = Home(tmp_path), Nation(10)
    nation.write_pack(home, made)
    use = {"A": (100, 100, 90), "B": (100, 120, 105), "C": (100, 100, 90)}
    with duckdb.connect() as con:
        for table in ("participants", "participant_utilities", "readings"):
            con.execute(f"create table {table} ({columns_sql(table)})")
        for who, years in use.items():
            con.execute(
                "insert into participants (program_id, participant_id, participant_class, region_code, joined_on) "
                "values ('p', ?, 'individual', '26000', '2023-01-15')",
                [who],
            )
            con.execute("insert into participant_utilities values ('p', ?, 'electricity', 'grid', ?)", [who, who])
            for year, usage in zip((2021, 2022, 2023), years, strict=True):
                months = range(7, 12 if (who, year) == ("C", 2023) else 13)
                con.executemany(
                    "insert into readings (provider, utility, meter_key, usage_month, usage) "
                    "values ('grid', 'electricity', ?, ?, ?)",
                    [[who, f"{year}-{month:02d}-01", usage] for month in months],
                )
        for table, path in {
            "participants": "participants/r.parquet",
            "participant_utilities": "participant_utilities/r.parquet",
            "readings": "readings/source_id=s/usage_month=all/data.parquet",
        }.items():
            (home.lake / path).parent.mkdir(parents=True, exist_ok=True)
            con.execute(f"copy {table} to '{home.lake / path}' (format parquet)")
    assert runners.floor(home, made) == (2, 1, 10_000)


def test_real_files_are_taken(tmp_path: Path) -> None:
    """A month of every source in its own format: one row in a hundred is refused, none of the files."""
    from tanso.ingest import ingest_source
    from tanso.packs import load_policy

    home, made = Home(tmp_path), Nation(500)
    nation.write_pack(home, made)
    declared = nation.sources(home, made)
    policy = load_policy([nation.packs(home)])
    with duckdb.connect() as con:
        nation.settle(con, declared, made)
        extracts.write_register(con, home, made, declared)
        for source in declared:
            if source.kind == "readings":
                extracts.write_month(con, home, made, source, made.last_no)
    for source in declared:
        if source.kind in ("readings", "participants"):
            [file] = ingest_source(source, home, policy).files
            assert file["status"] == "accepted", file
            assert file["rows_accepted"] > 0
    assert file["rows_quarantined"] < file["rows_read"] * 0.05


def test_exponent() -> None:
    assert evaluate.exponent({10: 3.0, 100: 30.0, 1000: 300.0}) == pytest.approx(1)
    assert evaluate.exponent({10: 1.0, 100: 100.0}) == pytest.approx(2)
    assert evaluate.exponent({10: 1.0}) is None
