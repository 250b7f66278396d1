"""The committed sample is what ``tools/make_sample.py`` writes, and shows every reason for which a row is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tools.make_sample import PROGRAMS
from tools.sample.files import Planted

# contracts: rows refused, readings and other kinds, and the Korean enrolment rules
REASONS = {
    "missing_value", "bad_customer_no", "bad_month", "bad_number", "negative_usage", "unknown_unit",
    "usage_out_of_range", "period_reversed", "conflicting_duplicate", "bad_value", "duplicate_participant",
    "duplicate_application_no", "region_excluded", "consent_missing", "electricity_missing", "customer_no_missing",
    "complex_unit_missing", "duplicate_login_id", "duplicate_household", "duplicate_customer_no",
}  # fmt: skip
# Refusals by an enrolment rule say something about the member, not about the file.
ENROLMENT_RULES = REASONS & {
    "duplicate_participant", "region_excluded", "consent_missing", "electricity_missing", "customer_no_missing",
    "complex_unit_missing", "duplicate_login_id", "duplicate_household", "duplicate_customer_no",
}  # fmt: skip


def _digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.glob("*/sample/*/*"))
    }


def test_committed_sample_is_what_the_generator_writes(written: tuple[Path, list[Planted]]) -> None:
    folder, planted = written
    digests = _digests(folder)
    assert len(digests) == len(planted) == 63
    assert digests == _digests(PROGRAMS)


def test_every_reason_is_planted(written: tuple[Path, list[Planted]]) -> None:
    assert {reason for file in written[1] for reason in file.quarantined} == REASONS


def test_no_accepted_file_has_too_many_bad_rows(written: tuple[Path, list[Planted]]) -> None:
    for file in written[1]:
        bad = sum(rows for reason, rows in file.quarantined.items() if reason not in ENROLMENT_RULES)
        assert file.rows_read < 20 or bad * 20 <= file.rows_read, file


def test_one_file_of_each_programme_is_refused_and_one_comes_twice(written: tuple[Path, list[Planted]]) -> None:
    rest = [(file.source_id, file.status, file.reason) for file in written[1] if file.status != "accepted"]
    assert rest == [
        ("kr_waterworks", "rejected", "schema_mismatch"),
        ("kr_citygas", "duplicate", None),
        ("jp_meter_slips", "rejected", "not_decodable"),
    ]


def test_sample_stays_small() -> None:
    sizes = {path: path.stat().st_size for path in PROGRAMS.glob("*/sample/*/*")}
    assert sum(sizes.values()) < 4_000_000
    assert max(sizes.values()) < 1_000_000
