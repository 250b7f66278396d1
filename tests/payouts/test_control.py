"""The control report: the four totals that a treasurer signs for are equal, and tampering with it is seen."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from tanso.payouts import batch, issue, propose
from tanso.payouts.decision import decide
from tanso.payouts.files import control
from tanso.payouts.files.layouts import load_layout
from tests.payouts.conftest import KR, House

DAY = date(2021, 6, 1)


@pytest.fixture
def issued(house: House) -> Path:
    """Two cash lines of 20,000 and 10,000, a card of 6,000, and one held."""
    house.money("Q1", 10_000)
    house.money("Q2", 5_000)
    house.money("Q3", 3_000, incentive_type="green_card")
    house.money("Q4", 7_000, hold_reason="bank_account_missing")
    house.publish()
    (proposal,) = propose(house.home, DAY)
    return issue(house.home, proposal, "김 담당 <a&b>").path


def test_computed_proposed_files_and_ledger_agree(issued: Path):
    cash = dict.fromkeys(("computed", "proposed", "files", "ledger"), 30_000)
    card = dict.fromkeys(("computed", "proposed", "files", "ledger"), 6_000)
    assert control.read(issued / control.NAME) == [
        {"region_code": "48170", "incentive_type": "cash", "lines": 2, **cash},
        {"region_code": "48170", "incentive_type": "green_card", "lines": 1, **card},
    ]
    assert control.read_sum(issued / control.NAME) == (3, 36_000, 36_000, 36_000, 36_000)
    manifest = json.loads((issued / "manifest.json").read_text("utf-8"))
    (entry,) = [file for file in manifest["files"] if file["path"] == control.NAME]
    assert entry["amount"] is None and entry["rows"] == 2
    assert entry["sha256"] == hashlib.sha256((issued / control.NAME).read_bytes()).hexdigest()


def test_it_says_in_both_languages_what_is_signed_for(issued: Path):
    page = (issued / control.NAME).read_text("utf-8")
    for words in (
        "지급 대사표",
        "Control report",
        "경상남도 진주시",
        "서명",
        "Signature",
        "승인자",
        "14,000",
        "a" * 64,
    ):
        assert words in page
    assert "김 담당 &lt;a&amp;b&gt;" in page  # who approved, never markup
    assert "http" not in page and "<script" not in page and "src=" not in page  # nothing is fetched
    for personal in ("김철수", "110222333333", "9430001122223333", "Q1"):
        assert personal not in page


def test_tampering_is_seen_when_the_batch_is_read_back(issued: Path, house: House, tmp_path: Path):
    """As ``issue`` does before the rename: on the same decision, with the ledger as it was before."""
    path = issued / control.NAME
    aside = tmp_path / "aside"
    issued.rename(aside)
    for record in (house.home.issue_log, house.home.access_log):
        shutil.rmtree(record)
    with decide(house.home, DAY, KR, "2020H2") as connection:
        layout = load_layout(KR)
        batch.read_back(connection, layout, aside)
        report = aside / path.name
        changed = report.read_text("utf-8").replace("30,000", "31,000", 1)
        report.write_text(changed, "utf-8")
        with pytest.raises(batch.BatchError, match=r"control\.html: SHA-256"):
            batch.read_back(connection, layout, aside)
        # Nor does it help to mend the manifest too.
        manifest = json.loads((aside / "manifest.json").read_text("utf-8"))
        for file in manifest["files"]:
            if file["path"] == control.NAME:
                file["sha256"] = hashlib.sha256(report.read_bytes()).hexdigest()
        (aside / "manifest.json").write_text(json.dumps(manifest), "utf-8")
        with pytest.raises(batch.BatchError, match=r"control\.html: totals"):
            batch.read_back(connection, layout, aside)


def test_a_batch_of_lists_alone_has_a_report_of_nothing(house: House):
    house.eco("N1", {"co2_reduction": (100, date(2019, 5, 15))}, certified_on=date(2019, 5, 15))
    house.publish()
    (proposal,) = propose(house.home, date(2019, 5, 20))
    batch = issue(house.home, proposal, "承認者")
    assert batch.lines == 0
    assert control.read(batch.path / control.NAME) == []
    assert control.read_sum(batch.path / control.NAME) == (0, 0, 0, 0, 0)
    assert "支払照合表" in (batch.path / control.NAME).read_text("utf-8")
