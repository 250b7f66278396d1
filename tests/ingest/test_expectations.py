"""Files judged as a whole: what is unusual is found once, stored, shown, and stops nothing."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tanso.ingest.kinds.registry import KINDS
from tanso.ingest.verdicts import data_docs, expectations
from tests.ingest.conftest import Office


def kepco(month: str, rows: int, estimated: int = 0, repeated: int = 0, usage: str = "10") -> list[str]:
    lines = [f"{number:010d},{month},,,{usage},,{'인정' if number < estimated else '정상'}" for number in range(rows)]
    return lines + lines[:repeated]


def found(office: Office) -> set[tuple[str, str, str]]:
    findings = office.publish(expectations=True).findings
    return {(finding["file_name"], finding["severity"], finding["figure"]) for finding in findings}


def compared(file: expectations.StagedFile, before: list[expectations.StagedFile]) -> dict:
    """The file's figures, with these before it."""
    known = expectations._Before()
    for other in before:
        known.figures(other)
    return known.figures(file)


def test_findings_on_both_sides_of_each_threshold(office: Office) -> None:
    for month in ("202001", "202002", "202003"):
        office.drop("kr_kepco", f"kepco_{month}.csv", kepco(month, 100))
    # Each month stands alone against the median of the months before, which stays 100 rows of 10 kWh.
    cases = {
        "202004": (kepco("202004", 51), set()),
        "202005": (kepco("202005", 50), {("warning", "customers_ratio")}),
        "202006": (kepco("202006", 100), set()),
        "202007": (kepco("202007", 10), {("warning", "customers_ratio")}),
        "202008": (kepco("202008", 100), set()),
        "202009": (kepco("202009", 9), {("warning", "customers_ratio"), ("critical", "customers_ratio")}),
        "202010": (kepco("202010", 100), set()),
        "202011": (kepco("202011", 199), set()),
        "202012": (kepco("202012", 200), {("warning", "customers_ratio")}),
        "202101": (kepco("202101", 100, estimated=30), set()),
        "202102": (kepco("202102", 100, estimated=31), {("warning", "estimated_share")}),
        "202103": (kepco("202103", 100, estimated=60), {("warning", "estimated_share")}),
        "202104": (
            kepco("202104", 100, estimated=61),
            {("warning", "estimated_share"), ("critical", "estimated_share")},
        ),
        "202105": (kepco("202105", 95, repeated=5), set()),
        "202106": (kepco("202106", 94, repeated=6), {("warning", "duplicate_share")}),
        "202107": ([*kepco("202107", 98), "1,,,,,,", "2,,,,,,"], set()),
        "202108": ([*kepco("202108", 97), "1,,,,,,", "2,,,,,,", "3,,,,,,"], {("warning", "bad_share")}),
    }
    for month, (lines, _) in cases.items():
        office.drop("kr_kepco", f"kepco_{month}.csv", lines)
    office.take_in("kr_kepco")
    expected = {(f"kepco_{month}.csv", *finding) for month, (_, findings) in cases.items() for finding in findings}
    assert found(office) == expected
    assert len(office.readings()) > 1500


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ("30", set()),
        ("30.1", {"warning"}),
        ("100", {"warning"}),
        ("100.1", {"warning", "critical"}),
        ("3.3", set()),
        ("3.2", {"warning"}),
        ("1", {"warning"}),
        ("0.9", {"warning", "critical"}),
        ("0", {"warning", "critical"}),
    ],
)
def test_usage_beyond_the_months_before(office: Office, usage: str, expected: set[str]) -> None:
    """10 in each of three months: more than 3 times as much, or less than a third, is unusual."""
    files = []
    for month in ("202001", "202002", "202003"):
        files.append(staged(month, {"electricity": [100, "10.000"]}))
    figures = compared(staged("202004", {"electricity": [100, usage]}), files)
    assert severities("usage_ratio", figures["usage_ratio"]) == expected


def test_a_correction_takes_no_customer_away() -> None:
    files = [staged(month, {"electricity": [100, "10"]}) for month in ("202001", "202002", "202003", "202004")]
    correction = staged("202004", {"electricity": [2, "10"]})
    assert compared(correction, files)["customers_ratio"] == 1


def test_of_several_utilities_the_farthest_counts_and_two_months_are_too_few() -> None:
    months = ("202001", "202002", "202003")
    files = [staged(month, {"gas": [100, "10"], "water": [100, "10"]}) for month in months]
    newest = staged("202004", {"gas": [120, "10"], "water": [25, "10"]})
    assert compared(newest, files)["customers_ratio"] == 0.25
    assert compared(newest, files[1:])["customers_ratio"] is None


@pytest.mark.parametrize(
    ("last", "expected"), [("202003", set()), ("202002", {"warning"}), ("202012", {"warning", "critical"})]
)
def test_a_source_that_lags_behind(office: Office, last: str, expected: set[str]) -> None:
    """Electricity has May 2020, the apartments their newest two months before or more; December 2019 is five before."""
    month = {"202003": "202003", "202002": "202002", "202012": "201911"}[last]
    office.drop("kr_kepco", "kepco_1.csv", kepco("202005", 3))
    office.drop("kr_apartments", "apt_1.csv", ["A1,1,1,201901,1,1,1"])
    office.drop("kr_apartments", "apt_2.csv", [f"A1,1,1,{month},1,1,1"])
    office.take_in("kr_kepco", "kr_apartments")
    assert found(office) == {("apt_2.csv", severity, "months_behind") for severity in expected}


def test_five_months_behind_is_no_half_year() -> None:
    assert severities("months_behind", 5) == {"warning"} and severities("months_behind", 6) == {"warning", "critical"}


def test_a_file_of_which_nothing_can_be_used_is_critical(office: Office) -> None:
    office.drop("kr_kepco", "kepco_1.csv", ["x,202001,,,1,,"] * 3)
    office.take_in("kr_kepco")
    assert found(office) == {
        ("kepco_1.csv", "critical", "rows_accepted"),
        ("kepco_1.csv", "warning", "bad_share"),
    }


def test_files_are_checked_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.drop("kr_kepco", "kepco_1.csv", kepco("202101", 10, estimated=10))
    office.take_in("kr_kepco")
    first = found(office)
    assert {severity for _, severity, _ in first} == {"warning", "critical"}
    monkeypatch.setattr(expectations, "_judge", lambda *_: pytest.fail("checked again"))
    assert found(office) == first


def test_each_page_has_its_own_name_and_figures(office: Office) -> None:
    rows = {"kepco_a.csv": 25, "kepco_<b> $x.csv": 50}
    for name, count in rows.items():
        lines = kepco("202101", count)
        office.drop("kr_kepco", name, [*lines[:-1], lines[-1].replace(",10,", ",x,")])
    office.take_in("kr_kepco")
    office.publish(expectations=True)
    pages = {path.name[:7]: path.read_text("utf-8") for path in (office.home.data_docs / "kr_kepco").iterdir()}
    for start, name, share, other in (
        ("kepco_a", "kepco_a.csv", "0.04", "0.02"),
        ("kepco_<", "kepco_&lt;b&gt; $x.csv", "0.02", "0.04"),
    ):
        assert f"<h1>kr_kepco / {name}</h1>" in pages[start]
        assert f"<td>{share}</td>" in pages[start] and f"<td>{other}</td>" not in pages[start]
        assert "nothing to compare with" in pages[start]


def test_data_docs_are_readable_offline(office: Office) -> None:
    office.drop("kr_kepco", "kepco_<1>.csv", kepco("202101", 10, estimated=10))
    office.take_in("kr_kepco")
    office.publish(expectations=True)
    [page] = (office.home.data_docs / "kr_kepco").iterdir()
    index = data_docs.index_path(office.home)
    text, listed = page.read_text(encoding="utf-8"), index.read_text(encoding="utf-8")
    for content in (text, listed):
        assert not re.search(r"https?:|<script|@import|<img", content)
        assert "kepco_&lt;1&gt;.csv" in content
    row = re.search(r"<tr><td><code>estimated_share</code></td><td>at most 0.6</td>.*?</tr>", text, re.DOTALL)[0]
    assert "<td>1</td>" in row and '<td class="critical">✗ not met (critical)</td>' in row
    assert "<td>at least 1</td><td>10</td>" in text and '<td class="met">✓ met</td>' in text
    assert (page.parent / re.search(r'stylesheet" href="([^"]+)"', text)[1]).exists()
    assert (index.parent / "style.css").exists() and "kr_kepco/kepco_%3C1%3E-" in listed
    assert re.search(r"critical: estimated_share 1<", listed)
    page.unlink()
    office.publish(expectations=True)
    assert page.read_text(encoding="utf-8") == text


def test_a_register_that_shrinks_by_half_is_critical() -> None:
    rules = [rule for rule in suite("participants") if rule["kwargs"].get("column") == "rows_ratio"]
    assert [(rule["severity"], rule["kwargs"]["min_value"]) for rule in rules] == [("warning", 0.8), ("critical", 0.5)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_suite_that_counts_rows(kind: str) -> None:
    rules = suite(kind)
    assert rules[0]["type"] == "expect_table_row_count_to_be_between"
    assert rules[1]["severity"] == "critical" and rules[1]["kwargs"] == {"column": "rows_accepted", "min_value": 1}
    assert all(rule["severity"] in ("warning", "critical") and rule["notes"] for rule in rules)


def test_great_expectations_is_not_imported_with_the_package() -> None:
    source = Path(expectations.__file__).read_text(encoding="utf-8")
    assert not re.search(r"(?m)^(import|from) great_expectations", source) and "great_expectations" in source
    assert "tanso.ingest" in sys.modules


def suite(kind: str) -> list[dict]:
    read = json.loads((expectations.SUITES / f"{kind}.json").read_text(encoding="utf-8"))
    assert read["name"] == kind
    return read["expectations"]


def staged(month: str, utilities: dict[str, list]) -> expectations.StagedFile:
    """An accepted file of one month: utility -> readings and median usage."""
    rows = sum(count for count, _ in utilities.values())
    figures = {"months": [month], "by_month": {month: utilities}, "readings": rows, "estimated": 0}
    result = {"rows_read": rows, "rows_quarantined": 0, "rows_duplicate": 0, "figures": figures}
    return expectations.StagedFile(month, f"{month}.csv", 1, "2021-01-01T00:00:00Z", Path(month), result)


def severities(figure: str, value: float) -> set[str]:
    """What the suite of readings says of one figure, by a plain reading of its bounds."""
    found = set()
    for rule in suite("readings"):
        bounds = rule["kwargs"]
        if bounds.get("column") == figure and not (bounds.get("min_value", value) <= value <= bounds["max_value"]):
            found.add(rule["severity"])
    return found
