"""A restored backup is older than what was paid: what was paid is not paid again, and what is missing is named."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tanso.ledger import issue_log, ledger
from tanso.ledger.ledger import LedgerError
from tanso.payouts import issue, propose
from tanso.payouts.decision import standing
from tanso.settings import Home
from tests.payouts.conftest import House

DAY = date(2021, 6, 1)


class Backups:
    """Copies of folders of a home, to put back."""

    def __init__(self, home: Home, folder: Path):
        self.home, self.folder = home, folder

    def take(self, *names: str) -> None:
        for name in names:
            shutil.copytree(self.home.root / name, self.folder / name)

    def restore(self, *names: str) -> None:
        for name in names:
            shutil.rmtree(self.home.root / name)
            if (self.folder / name).exists():
                shutil.copytree(self.folder / name, self.home.root / name)


@pytest.fixture
def paid_twice(house: House, tmp_path: Path) -> Backups:
    """20,000 won paid; a backup of everything; 6,000 more paid after a correction."""
    house.money("Q1", 10_000)
    pay(house)
    backups = Backups(house.home, tmp_path / "backup")
    backups.take("lake", "warehouse", "exports", "issue_log", "access_log", "approvals")
    house.money("Q1", 13_000)
    pay(house)
    return backups


def pay(house: House) -> None:
    (proposal,) = propose(house.publish(), DAY)
    issue(house.home, proposal, "Kim")


def paid(home: Home) -> list[tuple[str, int]]:
    with duckdb.connect() as connection:
        ledger.load(connection, home)
        return connection.execute("select batch_id, amount from ledger order by all").fetchall()


BOTH = [("2020H2-001", 20_000), ("2020H2-002", 6_000)]


def test_an_older_lake_and_warehouse_pay_nothing_again(paid_twice: Backups):
    paid_twice.restore("lake", "warehouse")
    # Its marts know neither the correction nor the batches: 20,000 are due, 26,000 are paid.
    assert propose(paid_twice.home, DAY) == []
    (row,) = standing(paid_twice.home, DAY)
    assert (row["due"], row["paid"], row["overpaid"]) == (20_000, 26_000, 6_000)
    assert ledger.refresh(paid_twice.home) == 2 and paid(paid_twice.home) == BOTH


def test_a_deleted_lake_or_warehouse_pays_nothing_again(paid_twice: Backups, house: House):
    for name in ("lake", "warehouse"):
        shutil.rmtree(house.home.root / name)
    with pytest.raises(FileNotFoundError, match="Next step: make evaluate"):
        propose(house.home, DAY)
    assert ledger.refresh(house.home) == 2
    assert propose(house.publish(), DAY) == []


def test_an_older_list_of_returns_pays_nothing_again(paid_twice: Backups, house: House):
    house.returned("2020H2-001", 1)
    house.publish()
    (row,) = standing(house.home, DAY)
    assert (row["paid"], row["held"]) == (6_000, 20_000)
    paid_twice.restore("lake")  # which knows of no return
    (row,) = standing(house.home, DAY)
    assert (row["paid"], row["held"], row["to_pay"]) == (26_000, 0, 0)


@pytest.mark.parametrize("older", [("exports",), ("exports", "issue_log"), ("exports", "access_log")])
def test_older_exports_are_refused_and_what_is_missing_is_named(paid_twice: Backups, house: House, older):
    kept = paid_twice.home.root.parent / "newer"
    shutil.copytree(paid_twice.home.exports, kept)
    paid_twice.restore(*older)
    message = r"exports/ lacks 1 batches that were issued: kr_carbon_point/2020H2/2020H2-002.*put these folders back"
    for refused in (
        lambda: propose(house.home, DAY),
        lambda: standing(house.home, DAY),
        lambda: ledger.refresh(house.home),
    ):
        with pytest.raises(LedgerError, match=message):
            refused()
    # The next step that the message names.
    name = "kr_carbon_point/2020H2/2020H2-002"
    shutil.copytree(kept / name, house.home.exports / name)
    assert propose(house.home, DAY) == [] and paid(house.home) == BOTH


def test_lost_exports_are_refused(paid_twice: Backups):
    shutil.rmtree(paid_twice.home.exports)
    with pytest.raises(LedgerError, match=r"lacks 2 batches.*2020H2-001 \(1 lines, 20,000 KRW, issued "):
        propose(paid_twice.home, DAY)


def test_an_older_issue_log_is_brought_up_to_date(paid_twice: Backups):
    paid_twice.restore("issue_log")
    assert propose(paid_twice.home, DAY) == []
    entries = [json.loads(path.read_text("utf-8")) for path in sorted(paid_twice.home.issue_log.glob("*.json"))]
    assert [(entry["number"], entry["batch_id"]) for entry in entries] == [(1, "2020H2-001"), (2, "2020H2-002")]
    first = (paid_twice.home.issue_log / "000001.json").read_bytes()
    assert entries[1]["previous_sha256"] == hashlib.sha256(first).hexdigest()
    events = next(paid_twice.home.access_log.glob("*.jsonl")).read_text("utf-8")
    assert events.count('"batch_issued"') == 2  # and is told only once


@pytest.mark.parametrize("how", ["gone", "changed"])
def test_a_broken_chain_is_refused(paid_twice: Backups, how: str):
    first = paid_twice.home.issue_log / "000001.json"
    if how == "gone":
        first.unlink()
    else:
        first.write_text(first.read_text("utf-8").replace('"amount": 20000', '"amount": 10000'), "utf-8")
    with pytest.raises(LedgerError, match=r"issue_log/00000[12]\.json is missing or changed.*restore issue_log/"):
        propose(paid_twice.home, DAY)


def test_a_batch_made_to_look_as_if_less_had_been_paid_is_refused(paid_twice: Backups):
    """Lines and manifest agree with each other, but not with what was issued."""
    batch = paid_twice.home.exports / "kr_carbon_point" / "2020H2" / "2020H2-001"
    lines, manifest = batch / "lines.parquet", batch / "manifest.json"
    with duckdb.connect() as connection:
        changed = connection.sql(f"select * replace (5000::bigint as amount) from '{lines}'").to_arrow_table()
        connection.from_arrow(changed).write_parquet(str(lines))
    manifest.write_text(manifest.read_text("utf-8").replace('"amount": 20000', '"amount": 5000'), "utf-8")
    with pytest.raises(LedgerError, match=r"manifest\.json is not the one that was issued"):
        propose(paid_twice.home, DAY)


def test_the_log_of_an_installation_that_had_none_begins_with_what_was_issued(paid_twice: Backups):
    shutil.rmtree(paid_twice.home.issue_log)
    issue_log.append(paid_twice.home, ledger.batches(paid_twice.home))
    assert len(list(paid_twice.home.issue_log.glob("*.json"))) == 2
    issue_log.check(paid_twice.home, ledger.batches(paid_twice.home))
