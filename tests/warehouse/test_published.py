"""What is published is what is used: marts alone, for old clients too, and nothing of it once it was changed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date

import duckdb
import pytest

from tanso.payouts import propose
from tanso.settings import Home
from tanso.warehouse import ChangedError, connect
from tests.ingest.test_damage import turn_a_bit
from tests.payouts.conftest import KR, House, house  # noqa: F401  # the fixture
from tests.warehouse.conftest import MART

DAY = date(2021, 6, 1)


def test_the_published_file_holds_the_marts_alone_and_opens_from_1_2_on(project, place):
    project.evaluate(place.home)
    with duckdb.connect(str(place.home.database), read_only=True) as marts:
        schemas = marts.execute("select schema_name from duckdb_schemas() where not internal").fetchall()
        tags = marts.execute("select tags from duckdb_databases() where path is not null").fetchone()[0]
    assert schemas == [("marts",)]
    assert tags["storage_version"].startswith("v1.2.0")
    assert place.home.database.stat().st_mode & 0o777 == 0o444
    assert place.home.carried.stat().st_mode & 0o777 == 0o600
    parquet = place.home.warehouse / "marts" / "fct_usage.parquet"
    assert parquet.stat().st_mode & 0o777 == 0o444
    with duckdb.connect() as own:
        assert own.execute("select usage::text from read_parquet($1)", [str(parquet)]).fetchall() == [("178.000",)]


def test_carried_builds_keep_the_version_and_vanished_marts_leave_no_parquet(project, place):
    project.model("fct_more", MART + "select 1 as one")
    project.evaluate(place.home)
    (project.path / "models" / "fct_more.sql").unlink()
    place.reading("238")
    project.evaluate(place.home)
    with duckdb.connect(str(place.home.database), read_only=True) as marts:
        tags = marts.execute("select tags from duckdb_databases() where path is not null").fetchone()[0]
    assert tags["storage_version"].startswith("v1.2.0")
    assert [path.name for path in (place.home.warehouse / "marts").iterdir()] == ["fct_usage.parquet"]


def test_meters_are_in_no_byte_of_what_analysts_open(project, place):
    project.model(
        "int_units",
        "{{ config(schema='intermediate', materialized='table') }} "
        "select meter_key, usage from {{ ref('stg_readings') }}",
    )
    project.model("fct_usage", MART + "select usage from {{ ref('int_units') }}")
    place.reading("178", meter="0190817263")
    project.evaluate(place.home)
    assert b"0190817263" in place.home.carried.read_bytes()
    for path in (place.home.database, *(place.home.warehouse / "marts").iterdir()):
        assert b"0190817263" not in path.read_bytes()


def a_bit(home: Home) -> None:
    turn_a_bit(home.database)


def a_bit_of_what_is_carried(home: Home) -> None:
    turn_a_bit(home.carried)


def a_bit_of_the_parquet(home: Home) -> None:
    turn_a_bit(home.warehouse / "marts" / "fct_usage.parquet")


def a_bit_of_the_note(home: Home) -> None:
    turn_a_bit(home.warehouse / "published.json")


def another_amount(home: Home) -> None:
    """An analyst's client that writes, the time put back."""
    before = home.database.stat()
    home.database.chmod(0o644)
    with duckdb.connect(str(home.database)) as marts:
        marts.execute("update marts.fct_usage set usage = usage + 1000")
    os.utime(home.database, ns=(before.st_atime_ns, before.st_mtime_ns))


def a_log_beside(home: Home) -> None:
    home.database.with_name("tanso.duckdb.wal").write_bytes(b"of another file")


def a_file_gone(home: Home) -> None:
    home.carried.unlink()


@pytest.mark.parametrize(
    "change",
    [
        a_bit,
        a_bit_of_what_is_carried,
        a_bit_of_the_parquet,
        a_bit_of_the_note,
        another_amount,
        a_log_beside,
        a_file_gone,
    ],
)
def test_what_was_changed_is_published_again(project, place, change: Callable[[Home], None], caplog):
    project.evaluate(place.home)
    change(place.home)
    if change is not a_bit_of_the_parquet:  # nobody of ours reads those
        with pytest.raises(ChangedError, match=r"warehouse/.*make evaluate"):
            connect(place.home)
    assert project.evaluate(place.home).status == "built"
    assert "published again" in caplog.text
    assert place.usages() == ["178.000"]
    assert list(place.home.warehouse.glob("*.wal")) == []
    assert project.evaluate(place.home).status == "unchanged"


def test_money_does_not_leave_by_changed_marts(house: House):  # noqa: F811
    """F8 d: a million points more, by a client that opened the published file for writing, as they do by default."""
    house.money("Q1", 10_000)
    home = house.publish()
    before = home.database.stat()
    with duckdb.connect(str(home.database)) as marts:
        marts.execute(f"update marts.fct_point_awards set points = points + 1000000 where program_id = '{KR}'")
    os.utime(home.database, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ChangedError, match="tanso.duckdb is not the file that was published.*make evaluate"):
        propose(home, DAY)


def test_a_file_that_another_program_writes_to_is_named_with_the_next_step(project, place):
    project.evaluate(place.home)
    place.home.database.chmod(0o644)
    code = f"import duckdb; c = duckdb.connect({str(place.home.database)!r}); print('open', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True) as writer:
        assert writer.stdout.readline() == "open\n"
        with pytest.raises(ChangedError, match=r"open for writing in another program \(PID [0-9]+\).*Next step"):
            connect(place.home)
        writer.communicate("\n")


def test_history_is_not_the_published_file(project, place):
    project.evaluate(place.home)
    place.reading("238")
    project.evaluate(place.home)
    [kept] = (place.home.warehouse / "history").iterdir()
    assert kept.stat().st_ino != place.home.database.stat().st_ino
    assert kept.stat().st_mode & 0o777 == 0o600
    with duckdb.connect(str(kept), read_only=True) as marts:
        assert [str(usage) for (usage,) in marts.execute("select usage from marts.fct_usage").fetchall()] == ["178.000"]
