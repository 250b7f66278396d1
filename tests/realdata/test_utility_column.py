"""A file that names the utility in a column and writes 0 for nothing: the test pack over a few made-up rows."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from tanso import lake
from tanso.ingest import ingest
from tanso.packs.sources import SourceError
from tanso.settings import Home

PACK = Path(__file__).parent.parent / "packs" / "cambridge_estates"
ROWS = [
    ("x1", "electricity", "2020-01", "100.55", "accepted"),
    ("x1", "gas", "2020-01", "0", "missing_value"),
    ("x1", "gas", "2020-02", "0.000", "missing_value"),
    ("x1", "gas", "2020-03", "0.04", "accepted"),
    ("x1", " Electricity", "2020-02", "7", "unknown_unit"),  # names are compared to the letter
    ("x1", "steam", "2020-01", "7", "unknown_unit"),
    ("x1", "electricity ", "2020-03", "-5", "negative_usage"),
    ("x1", "gas", "2020-04", "n/a", "bad_number"),
    ("x1", "electricity", "2020-04", "", "missing_value"),
    ("x1", "electricity", "2020-01", "100.55", "duplicate"),
    ("x1", "gas", "2020-05", "5,000,001", "usage_out_of_range"),
]


@pytest.fixture
def roots(tmp_path: Path) -> list[Path]:
    shutil.copytree(PACK, tmp_path / "programs" / PACK.name)
    return [tmp_path / "programs"]


def test_rows_go_to_the_utility_they_name(tmp_path: Path, roots: list[Path]) -> None:
    home = Home(tmp_path / "home")
    inbox = home.inbox / "cambridge_meters"
    inbox.mkdir(parents=True)
    text = "".join(f'{building},{utility},{month},"{kwh}"\n' for building, utility, month, kwh, _ in ROWS)
    (inbox / "monthly_2020.csv").write_text("building,utility,ym,kwh\n" + text, encoding="utf-8")
    ingest(home, roots)

    connection = duckdb.connect()
    lake.create_sources(connection, home.lake)
    readings = connection.execute("select utility, usage_month::varchar, usage::varchar from lake.readings").fetchall()
    assert sorted(readings) == [("electricity", "2020-01-01", "100.550"), ("gas", "2020-03-01", "0.040")]
    refused = dict(connection.execute("select row_no, reason from lake.quarantine").fetchall())
    assert refused == {
        number: row[4] for number, row in enumerate(ROWS, start=1) if row[4] not in ("accepted", "duplicate")
    }
    assert connection.execute("select rows_read, rows_accepted, rows_duplicate from lake.files").fetchall() == [
        (11, 2, 1)
    ]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("where: {utility: gas}", "where: {fuel: gas}", "options.usages[1].where"),
        ("where: {utility: gas}", "where: {}", "options.usages[1].where"),
        ("zero_is_missing: true", "zero_is_missing: sometimes", "options.zero_is_missing"),
    ],
)
def test_a_declaration_that_cannot_be_used_says_where(
    tmp_path: Path, roots: list[Path], old: str, new: str, key: str
) -> None:
    path = roots[0] / PACK.name / "sources" / "cambridge_meters.yml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(SourceError) as error:
        ingest(Home(tmp_path / "home"), roots)
    assert str(error.value).startswith(f"{path}: {key}: ")
