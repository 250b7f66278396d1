"""Ingest finds in the sample exactly what was planted, file by file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb
import pytest

from tanso import lake
from tanso.settings import Home
from tools.sample.files import Planted


@pytest.fixture(scope="module")
def planted(written: tuple[Path, list[Planted]]) -> list[Planted]:
    return written[1]


@pytest.fixture(scope="module")
def connection(sample_home: Home) -> duckdb.DuckDBPyConnection:
    """Schema ``lake`` of the home with the sample."""
    connection = duckdb.connect()
    lake.create_sources(connection, sample_home.lake)
    return connection


def test_files_are_accepted_and_refused_as_planted(
    connection: duckdb.DuckDBPyConnection, planted: list[Planted]
) -> None:
    found = connection.execute(
        "select source_id, file_name, status, reason, rows_read, rows_accepted, rows_quarantined, rows_duplicate "
        "from lake.files order by all"
    ).fetchall()
    wanted = []
    for file in planted:
        counts = (file.rows_read, file.rows_accepted, file.rows_quarantined, file.rows_duplicate)
        accepted = file.status == "accepted"
        wanted.append((file.source_id, file.file_name, file.status, file.reason, *(counts if accepted else [None] * 4)))
    assert found == sorted(wanted, key=str)


def test_rows_are_refused_for_the_planted_reasons(
    connection: duckdb.DuckDBPyConnection, planted: list[Planted]
) -> None:
    found: dict[tuple[str, str], Counter[str]] = {}
    for source_id, file_name, reason, rows in connection.execute(
        "select source_id, file_name, reason, count(*) from lake.quarantine group by all"
    ).fetchall():
        found.setdefault((source_id, file_name), Counter())[reason] = rows
    assert found == {(file.source_id, file.file_name): file.quarantined for file in planted if file.quarantined}


def test_correction_supersedes_the_closed_month(connection: duckdb.DuckDBPyConnection) -> None:
    """JJ0045's March 2021 was billed twice, differently; the correction is the only reading there is."""
    found = connection.execute(
        "select usage_month::varchar, files.file_name from lake.readings "
        "join lake.files on files.sha256 = readings.source_file_id and files.status = 'accepted' "
        "where meter_key = '0100000045' and utility = 'electricity' "
        "and usage_month between date '2021-01-01' and date '2021-04-30' "
        "order by 1"
    ).fetchall()
    half_year, correction = "kepco_202101-202106.csv", "kepco_202101-202106_correction.csv"
    assert found == [
        ("2021-01-01", half_year),
        ("2021-02-01", half_year),
        ("2021-03-01", correction),
        ("2021-04-01", half_year),
    ]


def test_every_utility_in_use_of_active_members_has_readings_but_two(connection: duckdb.DuckDBPyConnection) -> None:
    """JJ0029 mistyped the meter's number; JJ0030 named a company that sends nothing."""
    found = connection.execute(
        "select distinct participant_id, utility from lake.participant_utilities "
        "anti join lake.readings using (program_id, provider, utility, meter_key) "
        "where provider is not null order by 1"
    ).fetchall()
    assert found == [("JJ0029", "electricity"), ("JJ0030", "gas")]


def test_lake_holds_no_personal_data(connection: duckdb.DuckDBPyConnection) -> None:
    for table in lake.TABLES:
        text = str(connection.execute(f"select * from lake.{table}").fetchall()) if table != "readings" else ""
        for personal in ("999-000", "999000", "010-0000", "example.com", "표본로", "見本1丁目", "NGUYỄN", "김가온"):
            assert personal not in text, (table, personal)
