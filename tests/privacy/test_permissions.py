"""Whatever may hold personal data is readable by its owner alone, whatever the umask was."""

from __future__ import annotations

import pytest

from include.settings import Home

RECORDS = ["landing", "receipts", "vault", "approvals", "exports", "issue_log", "proposals", "access_log"]


@pytest.mark.parametrize("folder", RECORDS)
def test_records_are_private(sample_home: Home, folder: str):
    top = sample_home.root / folder
    inside = [top, *top.rglob("*")]
    assert len(inside) > 1
    assert [str(path) for path in inside if path.stat().st_mode & 0o077] == []


def test_refused_rows_are_private(sample_home: Home):
    """The rows as received, names included; the folder itself only names sources."""
    inside = list(sample_home.quarantine.rglob("*"))
    assert any(path.suffix == ".csv" for path in inside)
    assert [str(path) for path in inside if path.stat().st_mode & 0o077] == []


def test_a_batchs_files_are_private(sample_home: Home):
    files = [path for path in sample_home.exports.rglob("*.csv") if path.is_file()]
    assert len(files) > 50
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
    folders = {parent for path in files for parent in path.relative_to(sample_home.exports).parents}
    assert {oct((sample_home.exports / folder).stat().st_mode & 0o777) for folder in folders} == {"0o700"}
