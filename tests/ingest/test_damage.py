"""One bit of each kind of stored file is turned: what can be made again is, what cannot stops with its name.

A bit in the middle of a file lies in its data; sizes and modification times are put back as they were.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tanso import lake
from tanso.files import file_sha256
from tanso.ingest import ingest_source, taken
from tanso.ingest.publish import NotJudged, make_damaged_again
from tests.ingest.conftest import Office
from tests.ingest.test_lake import FILES, IN_FORCE, digest, fill

TAKEN = ("kr_kepco", "kr_apartments", "jp_meter_slips", "kr_waterworks")


def turn_a_bit(path: Path, position: int | None = None) -> None:
    before, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2 if position is None else position] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)
    path.chmod(before.st_mode)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def run(office: Office) -> list[str]:
    """An ingest of everything, and what an evaluation does first."""
    problems = []
    for source_id in TAKEN:
        problems += ingest_source(office.sources[source_id], office.home, office.policy).problems
    used = [office.sources[source_id] for source_id in TAKEN]
    office.publish(expectations=True)
    hashes = {path.relative_to(office.home.lake).as_posix(): file_sha256(path) for path in lake.files(office.home.lake)}
    if lake.damaged(office.home.lake, hashes):
        make_damaged_again(office.home, used, office.policy)
    return problems


DERIVED = (
    "lake/readings/source_id=kr_kepco/*/data.parquet",
    "lake/readings/source_id=kr_apartments/*/data.parquet",
    "lake/readings/*/*/data.parquet.json",
    "lake/slips/*.parquet",
    "lake/files/*.parquet",
    "lake/quarantine/*.parquet",
    "lake/_staged/*/*.json",
    "lake/_staged/*/*.checks.json",
    "lake/_staged/jp_meter_slips/*.parquet",
    "lake/_staged/kr_apartments/*.parquet",
    "lake/_staged/kr_kepco/*.refused.parquet",
)


@pytest.mark.parametrize("kind", DERIVED)
def test_what_can_be_made_again_is(office: Office, kind: str) -> None:
    """The lake says afterwards what it said before, byte for byte, without a problem."""
    fill(office)
    office.publish(expectations=True)
    kept = [f"lake/{table}" for table in lake.TABLES] + ["landing", "receipts"]
    before = digest(office.home, *kept)
    damaged = sorted(office.home.root.glob(kind))
    assert damaged
    for path in damaged:
        if path.stat().st_size:
            turn_a_bit(path)
    assert run(office) == []
    assert digest(office.home, *kept) == before
    assert [row for row in office.readings() if len(row[1]) == 10] == IN_FORCE


def test_a_damaged_staged_file_is_not_used_for_another_month(office: Office) -> None:
    """kepco_c.csv makes January and February anew from the staged rows of a and b: 20 of meter 2 stays 20."""
    for name in ("kepco_a.csv", "kepco_b.csv", "kepco_c.csv"):
        office.drop("kr_kepco", name, FILES[name])
    office.take_in("kr_kepco")
    for path in office.home.lake.glob("_staged/kr_kepco/*.parquet"):
        turn_a_bit(path)
    for path in office.home.lake.glob("readings/*/*/data.parquet"):
        lake.remove(path)
    office.publish()
    assert office.readings() == IN_FORCE


def test_landed_bytes_that_are_others_stop_their_source_alone(office: Office) -> None:
    """F8 a: digits changed in landing/, the lake deleted: the file is named, and nothing of it is judged."""
    fill(office)
    [landed] = [path for path in office.home.landing.glob("??/*") if b",10," in path.read_bytes()]
    turn_a_bit(landed, landed.read_bytes().index(b",10,") + 1)
    for path in office.home.lake.glob("_staged/*/*.json"):
        path.unlink()
    result = ingest_source(office.sources["kr_kepco"], office.home, office.policy)
    [problem] = result.problems
    assert "kepco_a.csv" in problem and landed.name in problem and "restore landing/" in problem
    assert ingest_source(office.sources["kr_apartments"], office.home, office.policy).problems == []


def test_after_an_upgrade_nothing_is_removed_before_it_was_judged_anew(office: Office) -> None:
    """A lake of an earlier version, without hashes: evaluating says to ingest first, and the lake keeps its rows."""
    fill(office)
    for path in office.home.lake.glob("**/*.json"):  # notes beside lake files, results of judgements
        path.unlink()
    before = digest(office.home, "lake")
    used = [office.sources[source_id] for source_id in TAKEN]
    with pytest.raises(NotJudged, match=r"is not judged by this version yet.*make ingest, then make evaluate"):
        make_damaged_again(office.home, used, office.policy)
    assert digest(office.home, "lake") == before
    assert run(office) == []
    assert [row for row in office.readings() if len(row[1]) == 10] == IN_FORCE


def _bit(receipt: Path) -> None:
    turn_a_bit(receipt, receipt.read_bytes().index(b"kepco_b.csv"))


RECEIPTS = {
    "a bit": _bit,
    "no JSON": lambda receipt: receipt.write_bytes(b"{"),
    "no text": lambda receipt: receipt.write_bytes(b"\xff\x00"),
    "a list": lambda receipt: receipt.write_bytes(b"[]"),
    "an empty object": lambda receipt: receipt.write_bytes(b"{}"),
}


@pytest.mark.parametrize("damage", RECEIPTS.values(), ids=RECEIPTS)
def test_a_damaged_receipt_fails_its_source_alone(office: Office, damage: Callable[[Path], object]) -> None:
    """The other sources' new files are published; of the failed one the lake keeps what it had, and its programme
    waits. With the receipt put back the source is taken in again."""
    fill(office)
    office.publish(expectations=True)
    kept = ["lake/readings/source_id=kr_kepco", "lake/quarantine", "landing"]
    before, known = digest(office.home, *kept), office.file("kepco_b.csv")
    receipt = office.home.receipts / "kr_kepco" / "000002.json"
    as_written = receipt.read_bytes()
    damage(receipt)
    [problem] = ingest_source(office.sources["kr_kepco"], office.home, office.policy).problems
    pattern = r"kr_kepco: .*kr_kepco/000002\.json is damaged.*restore receipts/ from its backup, then ingest again"
    assert re.match(pattern, problem)

    assert digest(office.home, *kept) == before
    office.drop("kr_waterworks", "water_new.xlsx", ["A-1,202401,7,정상"])
    assert ingest_source(office.sources["kr_waterworks"], office.home, office.policy).problems == []
    assert office.publish(expectations=True).problems == [problem]
    assert office.file("water_new.xlsx")[0] == "accepted"
    assert office.file("kepco_b.csv") == known
    assert digest(office.home, "lake/readings/source_id=kr_kepco") == {
        path: sha256 for path, sha256 in before.items() if "source_id=kr_kepco" in str(path)
    }
    failed = taken.failed(office.home, list(office.sources.values()))
    assert failed == {office.sources["kr_kepco"].program_id: {"kr_kepco": [problem]}}

    receipt.write_bytes(as_written)
    assert run(office) == []
    assert taken.failed(office.home, list(office.sources.values())) == {}
