"""Whatever may hold personal data is readable by its owner alone, whatever the umask was."""

from __future__ import annotations

from tanso.settings import Home

# What others may read: files that providers dropped, and the published marts.
OPEN = ("inbox", "warehouse/tanso.duckdb", "warehouse/marts")


def test_all_but_what_is_published_is_private(sample_home: Home):
    """Folders and files alike; ``warehouse`` itself is entered by readers of the marts."""
    root = sample_home.root
    inside = [path for path in root.rglob("*") if not str(path.relative_to(root)).startswith(OPEN)]
    tops = {path.relative_to(root).parts[0] for path in inside}
    assert {"landing", "receipts", "vault", "approvals", "exports", "issue_log", "access_log", "lake"} <= tops
    assert {"quarantine", "rejected", "reports", "lineage", "policies"} <= tops
    opened = [str(path) for path in inside if path.stat().st_mode & 0o077 and path != sample_home.warehouse]
    assert opened == []


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
