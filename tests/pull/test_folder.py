"""A folder: what tells a changed file, and a file that somebody is still writing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from include.extracts import pull
from tests.pull.conftest import Programme, put, readings

OLD, NEW = readings(100), readings(200)  # of one size


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were read, in a world where every file has rested long enough."""
    names: list[str] = []
    fetch = pull.Place.fetch

    def noted(self: pull.Place, file: pull.File, into) -> pull.Fetched:
        names.append(file.name)
        return fetch(self, file, into)

    monkeypatch.setattr(pull.Place, "fetch", noted)
    monkeypatch.setattr(pull, "_SETTLED_S", -60)
    return names


def test_an_unchanged_file_is_not_read_again(programme: Programme, fetched: list[str]) -> None:
    put(programme.home.inbox, "m_1.csv", OLD)
    programme.declare("meters", "inbox")
    programme.ingest()
    programme.ingest()
    assert fetched == ["m_1.csv"]
    put(programme.home.inbox, "m_2.csv", OLD)
    programme.ingest()
    assert fetched == ["m_1.csv", "m_2.csv"]
    assert [receipt["status"] for receipt in programme.receipts("meters")] == ["landed", "duplicate"]


def test_other_bytes_with_the_old_size_and_time_are_seen(programme: Programme, fetched: list[str]) -> None:
    path = put(programme.home.inbox, "m_1.csv", OLD)
    programme.declare("meters", "inbox")
    programme.ingest()
    before = path.stat()
    path.write_bytes(NEW)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    programme.ingest()
    assert fetched == ["m_1.csv"] * 2
    assert programme.landed() == sorted([OLD, NEW])


def test_what_was_seen_is_worth_nothing_without_its_receipt(programme: Programme, fetched: list[str]) -> None:
    """Restored from an older backup, or another folder declared: everything is read and compared again."""
    put(programme.home.inbox, "m_1.csv", OLD)
    programme.declare("meters", "inbox")
    programme.ingest()
    for path in (programme.home.receipts / "meters").iterdir():
        path.unlink()
    programme.ingest()
    assert fetched == ["m_1.csv"] * 2 and len(programme.receipts("meters")) == 1
    programme.declare("meters", str(programme.home.inbox))
    programme.ingest()
    assert fetched == ["m_1.csv"] * 3 and len(programme.receipts("meters")) == 1


@pytest.mark.parametrize("writes", [1, 99])
def test_a_file_that_is_being_written_waits(programme: Programme, monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    path = put(programme.home.inbox, "m_1.csv", OLD)
    programme.declare("meters", "inbox")
    opened, left = pull.Place._opened, [writes]

    @contextmanager
    def while_written(self: pull.Place, name: str) -> Iterator:
        with opened(self, name) as stream:
            yield stream
        if left[0]:
            left[0] -= 1
            with path.open("ab") as file:
                file.write(f"{100 + left[0]},2024-01,7\n".encode())

    monkeypatch.setattr(pull.Place, "_opened", while_written)
    problems = programme.ingest().problems
    if writes == 1:
        assert problems == [] and programme.landed() == [path.read_bytes()]  # the second try took all of it
    else:
        [problem] = problems
        assert problem == "meters: inbox/m_1.csv cannot be pulled: Incomplete: the file changed while it was read"
        assert programme.landed() == [] and programme.receipts("meters") == []


def test_a_missing_folder_is_empty(programme: Programme) -> None:
    programme.declare("meters", "inbox/meters")
    assert programme.ingest().problems == []


def test_nothing_is_half_landed_when_the_run_is_stopped(programme: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    put(programme.home.inbox, "m_1.csv", OLD)
    programme.declare("meters", "inbox")

    def stopped(self: pull.Place, file: pull.File, into) -> None:
        into.write(OLD[:20])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pull.Place, "fetch", stopped)
        with pytest.raises(KeyboardInterrupt):
            programme.ingest()
    assert programme.receipts("meters") == []
    assert programme.ingest().problems == []
    assert programme.landed() == [OLD]
