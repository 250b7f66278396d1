"""Every reason to refuse a row or a file, through real files: what the marts and the folders say of them."""

from __future__ import annotations

import csv
import json

import pytest

from tests.blackbox.cases_refusals import FORBIDDEN_VALUE, Outcome


def dq(examples):
    columns = "source_id, file_name, status, reason, rows_read, rows_accepted, rows_quarantined, rows_duplicate"
    found = examples.rows(f"select {columns} from marts.dq_files")
    return {(source, name): rest for source, name, *rest in found}


def test_files(examples, outcomes):
    found = dq(examples)
    expected = {key: [one.status, one.reason, *(one.rows or [None] * 4)] for key, one in outcomes.items()}
    assert {key: found.get(key) for key in outcomes} == expected


def test_every_reason_was_tried(outcomes):
    rows = {reason for one in outcomes.values() for reason in one.refused.values()}
    assert rows == {
        *("missing_value", "bad_customer_no", "bad_month", "bad_number", "negative_usage", "unknown_unit"),
        *("usage_out_of_range", "period_reversed", "conflicting_duplicate", "bad_value", "duplicate_application_no"),
    }
    assert {one.reason for one in outcomes.values() if one.reason} == {
        *("forbidden_column", "not_decodable", "not_readable", "schema_mismatch", "empty", "too_many_bad_rows")
    }


def test_rows_add_up(examples):
    wrong = examples.rows(
        "select * from marts.dq_files where status = 'accepted'"
        " and rows_read is distinct from rows_accepted + rows_quarantined + rows_duplicate"
    )
    assert wrong == []
    assert examples.rows("select count(*) from marts.dq_files where status = 'accepted'") > [(30,)]


def test_files_that_match_no_pattern_are_left_alone(examples):
    found = dq(examples)
    for source, name in [("kr_kepco", "readme.txt"), ("kr_enrolments", "enrolments_latest.csv")]:
        assert (source, name) not in found
        assert (examples.home / "inbox" / source / name).exists()
        report = json.loads((examples.home / "reports" / "sources" / f"{source}.json").read_text("utf-8"))
        assert report["ignored_files"] == [name]


def test_refused_rows(examples, outcomes):
    expected = {(*key, row, reason) for key, one in outcomes.items() for row, reason in one.refused.items()}
    found = set(examples.rows("select source_id, file_name, row_no, reason from marts.dq_quarantine"))
    assert {row for row in found if row[:2] in outcomes} == expected


def test_quarantine_files(examples, outcomes):
    for (source, name), one in outcomes.items():
        if not one.refused:
            continue
        sha256 = examples.one("dq_files", "sha256", source_id=source, file_name=name)[0]
        stem = name.rpartition(".")[0]
        (path,) = (examples.home / "quarantine" / source).glob(f"{stem}-{sha256[:8]}*.csv")
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        assert {int(row["row_no"]): row["reason"] for row in rows} == one.refused


def test_quarantine_shows_rows_as_received(examples):
    (path,) = (examples.home / "quarantine" / "kr_kepco").glob("kepco_rows-*.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["row_no"]: row for row in csv.DictReader(file)}
    assert rows["12"]["사용량"] == "100,000.001"
    assert rows["5"]["고객번호"] == "000099002"
    assert rows["6"]["고객번호"] == "'- --", "a spreadsheet would take it for a formula"
    assert rows["11"]["사용량"] == "-5", "numbers are left alone"


def test_rejection_reports(examples, outcomes):
    for (source, name), one in outcomes.items():
        if one.status == "rejected":
            stem = name.rpartition(".")[0]
            (path,) = (examples.home / "rejected" / source).glob(f"{stem}*")
            text = path.read_text("utf-8")
            assert one.reason in text and name in text
    (path,) = (examples.home / "rejected" / "kr_kepco").glob("kepco_w_schema*")
    assert "사용량" in path.read_text("utf-8"), "the report names the missing column"


def test_forbidden_bytes_are_kept_nowhere(examples):
    sha256 = examples.one("dq_files", "sha256", file_name="enrolments_20240701.csv")[0]
    assert len(sha256) == 64
    assert not list((examples.home / "landing").rglob(sha256))
    for path in examples.home.rglob("*"):
        if path.is_file() and examples.home / "inbox" not in path.parents:
            assert FORBIDDEN_VALUE.encode() not in path.read_bytes(), path


def test_landing_holds_the_bytes_received(examples):
    rows = examples.rows(
        "select source_id, file_name, sha256 from marts.dq_files where reason is null or reason != 'forbidden_column'"
    )
    for source, name, sha256 in rows:
        (landed,) = (examples.home / "landing").rglob(sha256)
        assert landed.read_bytes() == (examples.home / "inbox" / source / name).read_bytes()


@pytest.mark.parametrize("kind", ["accepted", "duplicate"])
def test_a_repeated_file_is_taken_once(examples, outcomes: dict[tuple[str, str], Outcome], kind):
    shas = {
        examples.one("dq_files", "sha256", file_name=name, source_id="kr_kepco")
        for name in ("kepco_u.csv", "kepco_v_again.csv")
    }
    assert len(shas) == 1
    assert {one.status for key, one in outcomes.items() if key[1] in ("kepco_u.csv", "kepco_v_again.csv")} >= {kind}
