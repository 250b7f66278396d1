"""Files judged as a whole: what is unusual is found once, stored, and stops nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from include.extracts import expectations
from include.packs.sources import KINDS
from tests.extracts.conftest import Office


def kepco(month: str, rows: int, estimated: int = 0, repeated: int = 0) -> list[str]:
    lines = [f"{number:010d},{month},,,1,,{'인정' if number < estimated else '정상'}" for number in range(rows)]
    return lines + lines[:repeated]


def found(office: Office) -> set[tuple[str, str, str]]:
    findings = office.publish(expectations=True).findings
    return {(finding["file_name"], finding["severity"], finding["figure"]) for finding in findings}


def test_findings(office: Office) -> None:
    for month in ("202101", "202102", "202103"):
        office.drop("kr_kepco", f"kepco_{month}.csv", kepco(month, 100))
    office.drop("kr_kepco", "kepco_202104.csv", kepco("202104", 50))
    office.drop("kr_kepco", "kepco_202105.csv", kepco("202105", 49))
    office.drop("kr_kepco", "kepco_202106.csv", kepco("202106", 8))
    office.drop("kr_kepco", "kepco_202107.csv", kepco("202107", 100, estimated=30))
    office.drop("kr_kepco", "kepco_202108.csv", kepco("202108", 100, estimated=61))
    office.drop("kr_kepco", "kepco_202109.csv", kepco("202109", 90, repeated=10))
    office.drop("kr_kepco", "kepco_202110.csv", [*kepco("202110", 97), "1,,,,,,", "2,,,,,,", "3,,,,,,"])
    office.take_in("kr_kepco")
    # Medians before: 100 (of 3), 100 (of 4: 50, 100), 100 (of 5: 49, 50, 100, 100, 100), 75 (of 6)
    expected = {
        ("kepco_202105.csv", "warning", "rows_ratio"),
        ("kepco_202106.csv", "warning", "rows_ratio"),
        ("kepco_202106.csv", "critical", "rows_ratio"),
        ("kepco_202108.csv", "warning", "estimated_share"),
        ("kepco_202108.csv", "critical", "estimated_share"),
        ("kepco_202109.csv", "warning", "duplicate_share"),
        ("kepco_202110.csv", "warning", "bad_share"),
    }
    assert found(office) == expected
    assert len(office.readings()) > 600


def test_files_are_checked_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.drop("kr_kepco", "kepco_1.csv", kepco("202101", 10, estimated=10))
    office.take_in("kr_kepco")
    first = found(office)
    assert {severity for _, severity, _ in first} == {"warning", "critical"}
    monkeypatch.setattr(expectations, "_judge", lambda *_: pytest.fail("checked again"))
    assert found(office) == first


def test_a_register_that_shrinks_by_half_is_critical() -> None:
    suite = json.loads((expectations.SUITES / "participants.json").read_text(encoding="utf-8"))
    rules = [rule for rule in suite["expectations"] if rule["kwargs"].get("column") == "rows_ratio"]
    assert [(rule["severity"], rule["kwargs"]["min_value"]) for rule in rules] == [("warning", 0.8), ("critical", 0.5)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_suite_that_counts_rows(kind: str) -> None:
    suite = json.loads((expectations.SUITES / f"{kind}.json").read_text(encoding="utf-8"))
    assert suite["name"] == kind
    assert suite["expectations"][0]["type"] == "expect_table_row_count_to_be_between"
    assert all(rule["severity"] in ("warning", "critical") and rule["notes"] for rule in suite["expectations"])


def test_great_expectations_is_not_imported_with_the_package() -> None:
    source = Path(expectations.__file__).read_text(encoding="utf-8")
    assert "\nimport great_expectations" not in source and "great_expectations" in source
    assert "include.extracts" in sys.modules
