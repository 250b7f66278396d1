"""The lake as a whole: corrections, repeated bytes, rebuilding, interrupted and repeated runs."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tanso.ingest import ingest, ingest_source
from tanso.ingest.kinds.registry import KINDS
from tanso.ingest.landing import land
from tanso.ingest.pull import places
from tanso.ingest.verdicts import judge
from tanso.settings import PROJECT_ROOT, Home
from tests.ingest.conftest import Office


def kepco(number: int, month: str, usage: object) -> str:
    return f"{number:010d},{month},,,{usage},주택용,정상"


def digest(home: Home, *folders: str) -> dict[str, str]:
    """Every file below the folders -> hash of its bytes."""
    files = [path for folder in folders for path in (home.root / folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(home.root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


FILES = {
    "kepco_a.csv": [kepco(1, "202101", 10), kepco(2, "202101", 20), kepco(1, "202102", 11)],
    "kepco_b.csv": [kepco(1, "202101", 15), kepco(3, "202103", 30)],
    "kepco_c.csv": [kepco(1, "202101", 12), kepco(2, "202102", 21), kepco(9, "202102", "x")],
}
IN_FORCE = [
    ("electricity", "0000000001", "2021-01", "12.000"),
    ("electricity", "0000000001", "2021-02", "11.000"),
    ("electricity", "0000000002", "2021-01", "20.000"),
    ("electricity", "0000000002", "2021-02", "21.000"),
    ("electricity", "0000000003", "2021-03", "30.000"),
]


@pytest.mark.parametrize("arrival", list(itertools.permutations(FILES)))
def test_names_decide_and_not_the_order_of_arrival(office: Office, arrival: tuple[str, ...]) -> None:
    for name in arrival:
        office.drop("kr_kepco", name, FILES[name])
        office.take_in("kr_kepco")
    assert office.readings() == IN_FORCE
    source = office.query("select source_file_id from lake.readings where usage = 12")
    landed = hashlib.sha256((office.home.inbox / "kr_kepco" / "kepco_c.csv").read_bytes()).hexdigest()
    assert source == [(landed,)]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    versions=st.lists(
        st.dictionaries(
            st.tuples(st.integers(1, 4), st.sampled_from(["202101", "202102"])),
            st.integers(0, 9),
            min_size=1,
            max_size=5,
        ),
        min_size=1,
        max_size=5,
        unique_by=lambda rows: tuple(rows.items()),
    ),
    data=st.data(),
)
def test_the_last_name_wins_per_meter_and_month(
    office: Office, versions: list[dict[tuple[int, str], int]], data: st.DataObject
) -> None:
    if office.home.root.exists():
        shutil.rmtree(office.home.root)
    for position in data.draw(st.permutations(range(len(versions)))):
        rows = [kepco(number, month, usage) for (number, month), usage in versions[position].items()]
        office.drop("kr_kepco", f"kepco_{position}.csv", rows)
        office.take_in("kr_kepco")
    expected: dict[tuple[int, str], int] = {}
    for version in versions:
        expected |= version
    assert office.readings() == sorted(
        ("electricity", f"{number:010d}", f"{month[:4]}-{month[4:]}", f"{usage}.000")
        for (number, month), usage in expected.items()
    )


def test_the_same_bytes_are_taken_once(office: Office) -> None:
    office.drop("kr_kepco", "kepco_a.csv", FILES["kepco_a.csv"])
    office.take_in("kr_kepco")
    office.drop("kr_kepco", "kepco_b.csv", FILES["kepco_a.csv"])
    result = office.take_in("kr_kepco")
    assert [file["status"] for file in result.files] == ["duplicate"]
    assert office.file("kepco_b.csv") == ("duplicate", None, None, None, None, None)
    assert len(office.readings()) == 3
    assert len(office.query("select * from lake.files")) == 2
    assert office.take_in("kr_kepco").files == []  # neither is new any more


def test_the_same_bytes_from_two_sources_are_two_files(office: Office) -> None:
    office.sources["other"] = replace(
        office.sources["kr_kepco"], source_id="other", provider="p", pull_url="inbox/other"
    )
    for source_id in ("kr_kepco", "other"):
        path = office.drop("kr_kepco", "kepco_a.csv", FILES["kepco_a.csv"])
        (office.home.inbox / "other").mkdir(exist_ok=True)
        shutil.copy(path, office.home.inbox / "other")
        office.take_in(source_id)
    assert office.query("select source_id, status from lake.files order by all") == [
        ("kr_kepco", "accepted"),
        ("other", "accepted"),
    ]
    assert len(office.readings()) == 6


def test_the_same_name_with_other_bytes_the_later_received_wins(office: Office) -> None:
    for usage in (3, 1, 2):
        office.drop("kr_kepco", "kepco_a.csv", [kepco(1, "202101", usage)])
        office.take_in("kr_kepco")
    assert office.readings() == [("electricity", "0000000001", "2021-01", "2.000")]
    assert office.query("select status from lake.files") == [("accepted",)] * 3
    office.drop("kr_kepco", "kepco_a.csv", [kepco(1, "202101", 3)])  # bytes taken before
    office.take_in("kr_kepco")
    assert office.readings() == [("electricity", "0000000001", "2021-01", "2.000")]


def fill(office: Office) -> None:
    for name, rows in FILES.items():
        office.drop("kr_kepco", name, rows)
    office.drop("kr_apartments", "apt_1.csv", ["K1,2,101,2021.07,200,11,", "K1,2,102,2021.07,x,,"])
    office.drop("jp_meter_slips", "slips_1.csv", ["N1,電気,2018-07,280,300", "N1,ガス,2018-07,,300"])
    office.drop("kr_waterworks", "water_1.xlsx", b"broken")
    office.take_in("kr_kepco", "kr_apartments", "jp_meter_slips", "kr_waterworks")


def test_derived_folders_are_rebuilt_to_the_same_bytes(office: Office) -> None:
    fill(office)
    before = digest(office.home, "lake", "quarantine", "rejected")
    records = digest(office.home, "landing", "receipts", "inbox")
    assert any("readings" in name for name in before)
    for folder in (office.home.lake, office.home.quarantine, office.home.rejected, office.home.inbox):
        shutil.rmtree(folder)
    (office.home.inbox / "kr_kepco").mkdir(parents=True)
    for source_id in ("kr_kepco", "kr_apartments", "jp_meter_slips", "kr_waterworks"):
        (office.home.inbox / source_id).mkdir(exist_ok=True)
        ingest_source(office.sources[source_id], office.home, office.policy)
    assert office.publish().changed
    assert digest(office.home, "lake", "quarantine", "rejected") == before
    assert {name: sha for name, sha in records.items() if "inbox" not in name} == digest(
        office.home, "landing", "receipts"
    )


def test_only_touched_months_are_rewritten(office: Office) -> None:
    office.drop("kr_kepco", "kepco_a.csv", FILES["kepco_a.csv"])
    office.take_in("kr_kepco")
    partitions = office.home.lake / "readings" / "source_id=kr_kepco"
    before = {path: path.stat().st_mtime_ns for path in partitions.rglob("*.parquet")}
    assert sorted(path.parent.name for path in before) == ["usage_month=2021-01", "usage_month=2021-02"]
    office.drop("kr_kepco", "kepco_b.csv", [kepco(1, "202102", 99)])
    office.take_in("kr_kepco")
    changed = [path.parent.name for path, written in before.items() if path.stat().st_mtime_ns != written]
    assert changed == ["usage_month=2021-02"]


def test_nothing_new_changes_nothing(office: Office) -> None:
    fill(office)
    before = digest(office.home, "lake", "landing", "receipts", "quarantine", "rejected")
    for source_id in ("kr_kepco", "kr_apartments", "jp_meter_slips", "kr_waterworks"):
        assert ingest_source(office.sources[source_id], office.home, office.policy).files == []
    published = office.publish()
    assert not published.changed and published.tables == []
    assert digest(office.home, "lake", "landing", "receipts", "quarantine", "rejected") == before
    json.dumps(published.summary())


@pytest.mark.parametrize("lost", ["_staged/kr_kepco/*.json", "_staged/kr_kepco/*.parquet", "readings/*/*/*", "files/*"])
def test_an_interrupted_ingest_heals(office: Office, lost: str) -> None:
    fill(office)
    before = digest(office.home, "lake", "quarantine")
    for path in office.home.lake.glob(lost):
        path.unlink()
    office.take_in("kr_kepco")
    assert digest(office.home, "lake", "quarantine") == before


def test_an_interrupted_landing_heals(office: Office) -> None:
    fill(office)
    receipts = sorted((office.home.receipts / "kr_kepco").iterdir())
    receipts[-1].unlink()  # landed, but not recorded
    (office.home.landing / ".incoming").write_bytes(b"half a file")
    office.take_in("kr_kepco")
    assert office.readings()[:1] == IN_FORCE[:1]
    assert len(list((office.home.receipts / "kr_kepco").iterdir())) == 3
    assert not (office.home.landing / ".incoming").exists()


def test_publishing_reports_what_is_not_judged(office: Office) -> None:
    fill(office)
    for path in office.home.lake.glob("_staged/kr_kepco/*.json"):
        path.unlink()
    assert len(office.publish().problems) == 3


def test_lost_bytes_are_a_problem_and_stop_nothing(office: Office) -> None:
    fill(office)
    for path in office.home.lake.glob("_staged/kr_kepco/*.json"):
        path.unlink()
    sha256 = json.loads((office.home.receipts / "kr_kepco" / "000003.json").read_text(encoding="utf-8"))["sha256"]
    (office.home.landing / sha256[:2] / sha256).unlink()
    result = ingest_source(office.sources["kr_kepco"], office.home, office.policy)
    assert len(result.problems) == 1 and "kepco_c.csv" in result.problems[0]
    assert len(result.files) == 2


def test_a_changed_declaration_judges_again(office: Office) -> None:
    fill(office)
    assert office.refused()[-1] == (3, "bad_number")
    kepco_source = office.sources["kr_kepco"]
    usage = {**kepco_source.options["usages"][0], "max": 14}
    office.sources["kr_kepco"] = replace(
        kepco_source, options={**kepco_source.options, "usages": [usage]}, fingerprint="another"
    )
    office.take_in("kr_kepco")
    assert office.readings()[0] == ("electricity", "0000000001", "2021-01", "12.000")
    assert ("electricity", "0000000003", "2021-03", "30.000") not in office.readings()
    assert not (office.home.lake / "readings" / "source_id=kr_kepco" / "usage_month=2021-03").exists()
    assert ("usage_out_of_range",) in office.query("select reason from lake.quarantine")


def test_changed_policy_judges_again_only_what_reads_it(office: Office) -> None:
    office.drop("kr_citygas", "gas_1.csv", ["A1,2021-01,435,MJ,,"])
    office.take_in("kr_citygas")
    rows = [{**row, "divide_by": row["divide_by"] * 2} for row in office.policy.tables["unit_conversions"]]
    changed = replace(office.policy, tables={**office.policy.tables, "unit_conversions": rows}, fingerprint="another")
    slips, gas = office.sources["jp_meter_slips"], office.sources["kr_citygas"]
    assert judge.fingerprint(slips, changed) == judge.fingerprint(slips, office.policy)
    assert judge.fingerprint(gas, changed) != judge.fingerprint(gas, office.policy)
    office.policy = changed
    office.take_in("kr_citygas")
    assert office.readings() == [("gas", "A1", "2021-01", "5.000")]


def test_a_source_no_longer_declared_leaves_the_lake(office: Office) -> None:
    fill(office)
    del office.sources["kr_kepco"], office.sources["jp_meter_slips"]
    assert set(office.publish().tables) == {"readings", "slips", "files", "quarantine", "providers"}
    assert {row[0] for row in office.query("select source_id from lake.readings")} == {"kr_apartments"}
    assert office.query("select * from lake.slips") == []


def test_totals_and_providers(office: Office) -> None:
    fill(office)
    published = office.publish()
    assert published.totals["kr_kepco"] == {
        "accepted": 3,
        "rejected": 0,
        "duplicate": 0,
        "rows_read": 8,
        "rows_accepted": 7,
        "rows_quarantined": 1,
        "rows_duplicate": 0,
    }
    assert published.totals["kr_waterworks"]["rejected"] == 1
    assert office.query("select utility, provider, source_id from lake.providers order by all") == [
        ("electricity", "이지스", "kr_apartments"),
        ("electricity", "한국전력", "kr_kepco"),
        ("gas", "이지스", "kr_apartments"),
        ("water", "수도사업소", "kr_waterworks"),
        ("water", "이지스", "kr_apartments"),
    ]


def test_rows_that_went_no_way_are_noticed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = KINDS["readings"]

    def forgetful(con, source, context):
        readings.judge(con, source, context)
        con.execute("create table fewer as from good where row_no <> 2")
        con.execute("drop view good")
        con.execute("alter table fewer rename to good")

    monkeypatch.setitem(KINDS, "readings", dataclasses.replace(readings, judge=forgetful))
    office.drop("kr_kepco", "kepco_a.csv", FILES["kepco_a.csv"])
    with pytest.raises(AssertionError, match="kepco_a.csv"):
        ingest_source(office.sources["kr_kepco"], office.home, office.policy)


def test_the_samples_are_taken_in_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All kinds through one door, and once more: nothing changes."""
    monkeypatch.setattr(places, "_STAMPED_S", 3600)  # else a slow machine notes, the second time, that the files rested
    home = Home(tmp_path / "home")
    for sample in sorted((PROJECT_ROOT / "include" / "programs").glob("*/sample")):
        shutil.copytree(sample, home.inbox, dirs_exist_ok=True)
    first = ingest(home, [PROJECT_ROOT / "include" / "programs"])
    assert first.changed and first.problems == []
    assert all(figures["accepted"] for source, figures in first.totals.items() if source != "kr_returns")
    for figures in first.totals.values():
        assert figures["rows_read"] == sum(figures[f"rows_{way}"] for way in ("accepted", "quarantined", "duplicate"))
    before = digest(home, "lake")
    second = ingest(home, [PROJECT_ROOT / "include" / "programs"])
    assert not second.changed and not any(result.files for result in second.sources)
    assert digest(home, "lake") == before


def test_one_ingest_at_a_time(office: Office) -> None:
    office.drop("kr_kepco", "kepco_a.csv", FILES["kepco_a.csv"])
    waiting = threading.Thread(target=office.take_in, args=("kr_kepco",))
    with land.lock(office.home):
        waiting.start()
        waiting.join(timeout=0.5)
        assert waiting.is_alive() and not office.home.landing.exists()
    waiting.join(timeout=60)
    assert len(office.readings()) == 3
