"""Whose personal data a purge erases, when, and what stays."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tanso import cli, days
from tanso.explain.explain import explain
from tanso.ingest import ingest_source
from tanso.ingest.landing import land
from tanso.ingest.verdicts import judge
from tanso.packs import load_policy, load_sources
from tanso.payouts import issue, propose
from tanso.privacy import vault
from tanso.purge.retention import purge
from tanso.settings import Home
from tests import built
from tests.killing import killed_after, killed_before
from tests.payouts.conftest import KR, SNAPSHOT, House, house  # noqa: F401  # the fixture

PAID_AT = datetime(2021, 6, 10, tzinfo=UTC)


@pytest.fixture(autouse=True, scope="module")
def _in_2100():
    """A purge takes no day that is yet to come."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(days, "now", lambda: datetime(2100, 1, 1, tzinfo=UTC))
        yield


def purge_in_2100(home: Home, as_of: date, apply: bool) -> None:
    """In a process of its own."""
    days.now = lambda: datetime(2100, 1, 1, tzinfo=UTC)
    purge(home, as_of, apply)


def publish(house: House, years: str = "5", **ended: date | None) -> Home:  # noqa: F811
    """The house, its register named as one of the pack's, and members whose membership ended."""
    for participant_id, day in ended.items():
        house.register[KR, participant_id]["withdrawn_on"] = day
    home = house.publish()
    (home.vault / "register").rename(home.vault / "kr_enrolments")
    with built.changed(home) as marts:
        marts.execute(
            "create or replace table carried.policy.programs as "
            f"select '{KR}' as program_id, 'Asia/Seoul' as time_zone, {years} as retention_years"
        )
    return home


def paid(home: Home, *participant_ids: str) -> None:
    with built.changed(home) as marts:
        for participant_id in participant_ids:
            marts.execute(
                "update tanso.marts.fct_payouts set paid_amount = amount where participant_id = ?", [participant_id]
            )


def in_vault(home: Home) -> list[str]:
    return vault.participants(home, home.vault / "kr_enrolments" / f"{SNAPSHOT}.parquet")


@pytest.fixture
def members(house: House) -> Home:  # noqa: F811
    """Q1 left in March 2020 and was paid on 10 June 2021; Q2 left then and was never paid; Q3 is a member."""
    house.money("Q1", 10_000)
    house.person(KR, "Q2", "48170", account_no="110222444444", bank_code="088")
    house.money("Q3", 10_000)
    home = publish(house, Q1=date(2020, 3, 1), Q2=date(2020, 3, 1))
    (proposal,) = propose(home, date(2021, 6, 1))
    issue(home, proposal, "a", issued_at=PAID_AT)
    paid(home, "Q1", "Q3")
    return home


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (date(2025, 2, 28), []),
        (date(2025, 3, 1), ["Q2"]),  # five years after the membership, never paid
        (date(2026, 6, 9), ["Q2"]),
        (date(2026, 6, 10), ["Q1", "Q2"]),  # five years after the last payment
        (date(2099, 1, 1), ["Q1", "Q2"]),  # a member stays
    ],
)
def test_retention_runs_from_the_last_payment(members: Home, as_of: date, expected: list[str]):
    found = purge(members, as_of)
    assert [member["participant_id"] for member in found.members] == expected
    assert in_vault(members) == ["Q1", "Q2", "Q3"]  # a look changes nothing


def test_the_last_payment_has_the_day_that_it_is_where_the_programme_is(house: House):  # noqa: F811
    """Issued on 10 June 2021 at 00:30 in Seoul, when it is 9 June 15:30 in UTC: kept until 10 June 2026."""
    house.money("Q1", 10_000)
    home = publish(house, Q1=date(2020, 3, 1))
    (proposal,) = propose(home, date(2021, 6, 1))
    issue(home, proposal, "a", issued_at=datetime(2021, 6, 9, 15, 30, tzinfo=UTC))
    paid(home, "Q1")
    assert purge(home, date(2026, 6, 9)).members == []
    (member,) = purge(home, date(2026, 6, 10)).members
    assert (member["last_paid_on"], member["kept_until"]) == (date(2021, 6, 10), date(2026, 6, 10))


def test_who_left_is_erased_and_nothing_else_changes(members: Home):
    before = files_of(members, "exports", "lake")
    purge(members, date(2026, 6, 10), apply=True)
    assert in_vault(members) == ["Q3"]
    assert files_of(members, "exports", "lake") == before
    assert vault.read(members, KR, [(SNAPSHOT, "Q1"), (SNAPSHOT, "Q3")])["participant_id"].to_pylist() == ["Q3"]
    again = purge(members, date(2026, 6, 10), apply=True)
    assert (again.members, again.vault) == ([], {})
    (log,) = members.access_log.glob("*.jsonl")
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert [event["participants"] for event in events if event["what"] == "purged"] == [["Q1", "Q2"]]


def test_who_has_something_to_get_is_kept_and_named(members: Home):
    with built.changed(members) as marts:
        marts.execute("update tanso.marts.fct_payouts set amount = amount + 500 where participant_id = 'Q1'")
    found = purge(members, date(2026, 6, 10), apply=True)
    assert [member["participant_id"] for member in found.waiting] == ["Q1"]
    assert in_vault(members) == ["Q1", "Q3"]


def test_a_programme_without_a_retention_erases_nobody(house: House):  # noqa: F811
    house.money("Q1", 10_000)
    home = publish(house, years="null::integer", Q1=date(2000, 1, 1))
    assert purge(home, date(2099, 1, 1)).members == []


def files_of(home: Home, *folders: str) -> dict[str, bytes]:
    paths = (path for folder in folders for path in sorted((home.root / folder).rglob("*")) if path.is_file())
    return {str(path.relative_to(home.root)): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def purged(sample_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The sample, purged long after: its first Korean register is older than its retention."""
    home = Home(tmp_path_factory.mktemp("purged") / "home")
    shutil.copytree(sample_home.root, home.root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANSO_HOME", str(home.root))
        patch.setenv("TANSO_AS_OF", "2033-02-01")
        assert cli.main(["purge"]) == 0
        assert files_of(home, "landing", "vault") == files_of(sample_home, "landing", "vault")
        assert cli.main(["purge", "--apply"]) == 0
    return home


def test_the_sample_loses_old_registers_and_former_members(purged: Home, sample_home: Home):
    gone = set(files_of(sample_home, "landing", "quarantine")) - set(files_of(purged, "landing", "quarantine"))
    (receipt,) = [r for r in land.receipts(purged, "kr_enrolments") if r.file_name == "enrolments_20201231.csv"]
    old = str(land.landed_path(purged, receipt.sha256).relative_to(purged.root))
    refused = f"quarantine/kr_enrolments/enrolments_20201231-{receipt.sha256[:8]}.csv"
    assert {old, refused} <= gone
    # The newest register stays, whatever its age.
    assert not any(land.receipts(purged, "kr_enrolments")[-1].sha256 in name for name in gone)
    assert vault.participants(purged, purged.vault / "kr_enrolments" / f"{receipt.sha256}.parquet") == []


def test_ledger_receipts_and_lake_are_what_they_were(purged: Home, sample_home: Home):
    assert files_of(purged, "exports") == files_of(sample_home, "exports")
    before = files_of(sample_home, "receipts")
    assert {name: content for name, content in files_of(purged, "receipts").items() if name in before} == before
    assert [found["files"] for found in explain(purged, "CJ0002", "2021H1")]  # and can be explained


LONG_AFTER = date(2033, 2, 1)


@pytest.mark.parametrize("how", ["before every change in turn", "at any moment"])
def test_killed_and_run_again_it_erases_the_same_and_loses_nothing(
    purged: Home, sample_home: Home, tmp_path: Path, how: str
):
    home = Home(tmp_path / "home")
    shutil.copytree(sample_home.root, home.root, ignore=shutil.ignore_patterns("warehouse"))
    home.warehouse.symlink_to(sample_home.warehouse)  # which it only reads
    # Of runs that were killed: a register on its way in, a vault file and a batch half-written.
    for left in ("landing/.incoming", "vault/kr_enrolments/.x-1.tmp", "exports/p/2021H1/.2021H1-001-1/cash.csv"):
        (home.root / left).parent.mkdir(parents=True, exist_ok=True)
        (home.root / left).write_text("names")
    if how == "at any moment":
        # The first is early enough for any machine: what ends before it is killed leaves nothing to the next.
        moments = (0.05, 0.1, 0.2, 0.35, 0.6, 0.9)
        assert sum(killed_after(moment, purge_in_2100, home, LONG_AFTER, True) for moment in moments) > 0
    else:
        at = 1
        while killed_before(at, purge_in_2100, home, LONG_AFTER, True):
            at += 2
        assert at > 8
    found = purge(home, LONG_AFTER, apply=True)
    assert purge(home, LONG_AFTER).files == [] and (found.vault == {} or how == "at any moment")
    kept = ("exports", "landing", "lake", "quarantine", "receipts", "issue_log", "approvals")
    assert files_of(home, *kept) == files_of(purged, *kept)
    assert everybody(home) == everybody(purged) != everybody(sample_home)
    assert not (home.landing / ".incoming").exists()
    # Whoever was erased by a run that was killed stands in the log.
    events = [json.loads(line) for log in home.access_log.glob("*.jsonl") for line in log.read_text().splitlines()]
    started = {one for event in events if event["what"] == "purge_started" for one in event["participants"]}
    assert {one for ids in everybody(sample_home).values() for one in ids} - {
        one for ids in everybody(purged).values() for one in ids
    } <= started


def everybody(home: Home) -> dict[str, list[str]]:
    """Whose personal data are in which file of the vault."""
    paths = sorted(home.vault.glob("*/*.parquet"))
    return {str(path.relative_to(home.vault)): vault.participants(home, path) for path in paths}


def test_the_lake_is_made_again_without_the_erased_bytes(purged: Home, sample_home: Home, monkeypatch):
    monkeypatch.setenv("TANSO_HOME", str(purged.root))
    shutil.rmtree(purged.lake)
    landed = set(files_of(purged, "landing"))
    assert cli.main(["ingest"]) == 0
    assert set(files_of(purged, "landing")) == landed  # what lies in the inbox still is not taken in again
    tables = [
        name
        for name in files_of(sample_home, "lake")
        if not name.startswith(("lake/_staged", "lake/ledger", "lake/_pulled"))
    ]
    made = files_of(purged, "lake")
    assert {name: made.get(name) for name in tables} == {
        name: content for name, content in files_of(sample_home, "lake").items() if name in tables
    }


def test_who_was_erased_stays_erased_when_a_register_is_judged_again(purged: Home, monkeypatch):
    source = next(source for source in load_sources() if source.source_id == "kr_enrolments")
    kept = {path.name: vault.participants(purged, path) for path in (purged.vault / "kr_enrolments").glob("*.parquet")}
    monkeypatch.setattr(judge, "_code", lambda kind: "another version")
    result = ingest_source(source, purged, load_policy())
    assert result.problems == [] and len(result.files) == 3
    again = {path.name: vault.participants(purged, path) for path in (purged.vault / "kr_enrolments").glob("*.parquet")}
    assert again == kept and "JJ0033" not in kept[max(kept, key=lambda name: len(kept[name]))]
    assert ingest_source(source, purged, load_policy()).files == []  # and is not judged at every look


def test_nothing_to_erase_is_said_so(sample_home: Home, tmp_path: Path, capsys, monkeypatch):
    monkeypatch.setenv("TANSO_HOME", str(sample_home.root))
    assert cli.main(["purge", "--as-of", "2020-01-01"]) == 0
    assert "nothing to erase" in capsys.readouterr().out
