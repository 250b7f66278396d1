"""A bit is turned in what says what was paid: the ledger stops, naming it and the way out, before anything is worked
out; where the rest proves what was paid, it goes on."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tanso import cli
from tanso.files import DamagedFile
from tanso.ledger import ledger
from tanso.ledger.ledger import LedgerError
from tanso.payouts import issue, propose
from tanso.privacy import access_log
from tanso.settings import Home
from tests.ingest.test_damage import turn_a_bit
from tests.payouts.conftest import House

DAY = date(2021, 6, 1)
BATCH = "exports/kr_carbon_point/2020H2/2020H2-001"
TOLD = b'"batch_issued", "why": "approved proposal kr_carbon_point'


@pytest.fixture
def paid(house: House) -> House:
    """20,000 won paid, and a batch of notices and points in kind."""
    house.money("Q1", 10_000)
    house.eco("N1", {"co2_reduction": (600, date(2019, 4, 15))})
    for proposal in propose(house.publish(), DAY):
        issue(house.home, proposal, "Kim")
    return house


@pytest.mark.parametrize(
    ("path", "named"),
    [
        (f"{BATCH}/lines.parquet", r"2020H2-001: lines\.parquet does not have the SHA-256.*restore the batch"),
        ("exports/jp_nakano_eco_point/FY2018/FY2018-001/listed.parquet", r"listed\.parquet.*restore the batch"),
        (f"{BATCH}/manifest.json", r"2020H2-001: .*manifest\.json.*restore"),
        ("issue_log/000001.json", r"issue_log/000001\.json.*restore issue_log/"),
        (
            "issue_log/000002.json",
            r"issue_log/000002\.json.*restore issue_log/",
        ),  # none after it has its hash
    ],
)
@pytest.mark.parametrize("part", [0.02, 0.5, 0.98])
def test_records_of_what_was_paid_stop_with_their_name(paid: House, path: str, named: str, part: float):
    damaged = paid.home.root / path
    turn_a_bit(damaged, int(damaged.stat().st_size * part))
    with duckdb.connect() as connection, pytest.raises(LedgerError, match=named):
        ledger.load(connection, paid.home)


def test_a_list_that_is_gone_is_missed(paid: House):
    (paid.home.root / "exports/jp_nakano_eco_point/FY2018/FY2018-001/listed.parquet").unlink()
    with duckdb.connect() as connection, pytest.raises(LedgerError, match=r"listed\.parquet"):
        ledger.load(connection, paid.home)


def _log(home: Home) -> Path:
    return next(home.access_log.glob("*.jsonl"))


def test_any_flipped_bit_of_the_access_log_is_named_and_stops_nobody_who_is_proved(paid: House, caplog):
    """kr_c!rbon_point: the line is damaged, and issue_log/ knows its batch; also as bytes that are no UTF-8."""
    path = _log(paid.home)
    whole = path.read_bytes()
    at = whole.index(b"kr_carbon_point", whole.index(TOLD))
    named, called = (whole.index(word, whole.index(TOLD)) for word in (b"2020H2-001", b"batch_issued"))
    for position, bit in ((at + 4, 0x40), (at, 0x80), (named, 1), (called, 1)):
        content = bytearray(whole)
        content[position] ^= bit
        path.write_bytes(content)
        caplog.clear()
        with duckdb.connect() as connection:
            assert ledger.load(connection, paid.home) == 2
        assert f"access_log/{path.name}, line " in caplog.text and "restore access_log/" in caplog.text
    assert propose(paid.home, DAY) == []


def test_a_damaged_line_about_a_batch_that_nobody_knows_stops(paid: House):
    """An old exports/ and issue_log/ were restored: only the damaged line hints at what was paid."""
    for folder in (paid.home.exports / "kr_carbon_point", paid.home.issue_log):
        folder.rename(paid.home.root / f"old_{folder.name}")
    path = _log(paid.home)
    content = bytearray(path.read_bytes())
    content[content.index(b"kr_carbon_point", content.index(TOLD)) + 4] ^= 0x40
    path.write_bytes(content)
    with duckdb.connect() as connection, pytest.raises(LedgerError, match="line .*damaged.*restore access_log/"):
        ledger.load(connection, paid.home)


def test_a_line_cut_by_a_power_failure_swallows_no_other(tmp_path: Path):
    home = Home(tmp_path)
    access_log.record(home, "explained", "first")
    path = _log(home)
    path.write_bytes(path.read_bytes()[:-20])
    access_log.record(home, "explained", "second")
    events = [event and event["why"] for _, _, event in access_log.lines(home)]
    assert events == [None, "second"]


def test_a_lake_that_is_not_as_it_was_written_pays_nobody(house: House):
    house.money("Q1", 10_000)
    home = house.publish()
    turn_a_bit(home.lake / "participants" / "data.parquet")
    with pytest.raises(DamagedFile, match=r"lake/participants/data\.parquet.*make evaluate"):
        propose(home, DAY)


def test_before_the_first_ingest_of_a_newer_version_propose_says_what_to_do(house: House, monkeypatch, capsys):
    """Neither the lake nor the marts of an earlier version have hashes: a sentence each, and no traceback."""
    house.money("Q1", 10_000)
    home = house.publish()
    monkeypatch.setenv("TANSO_HOME", str(home.root))
    (home.lake / "participants" / "data.parquet.json").unlink()
    assert cli.main(["propose", "--as-of", DAY.isoformat()]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert re.search(
        r"participants/data\.parquet has no SHA-256 noted .*\(make ingest\), then .*\(make evaluate\)", said
    )
    (home.warehouse / "published.json").unlink()
    assert cli.main(["propose", "--as-of", DAY.isoformat()]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert re.search(r"published\.json is missing .*Next step: make ingest, then make evaluate", said)
