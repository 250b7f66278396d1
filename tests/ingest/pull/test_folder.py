"""A folder: what tells a changed file, and a file that somebody is still writing."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pytest

from tanso.ingest.model import LakeResult
from tanso.ingest.pull import places
from tanso.lake import create_sources
from tanso.packs import sources
from tanso.reports.summary import summarize
from tests.ingest.pull.conftest import Programme, put, readings

OLD, NEW = readings(100), readings(200)  # of one size


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were read, in a world where every file has rested long enough."""
    names: list[str] = []
    fetch = places.Place.fetch

    def noted(self: places.Place, file: places.File, into) -> places.Fetched:
        names.append(file.name)
        return fetch(self, file, into)

    monkeypatch.setattr(places.Place, "fetch", noted)
    monkeypatch.setattr(places, "_STAMPED_S", -60)
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


def left(result: LakeResult) -> dict[str, str]:
    """File name -> why it is left for the next run."""
    return {file["file_name"]: file["why"] for source in result.sources for file in source.left_files}


def test_a_file_that_changes_while_it_is_read_is_left(programme: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(programme.home.inbox, "m_1.csv", OLD)
    programme.declare("meters", "inbox")
    opened = places.Place._opened

    @contextmanager
    def while_written(self: places.Place, name: str) -> Iterator:
        with opened(self, name) as stream:
            yield stream
        with path.open("ab") as file:
            file.write(b"99,2024-01,7\n")

    with monkeypatch.context() as patch:
        patch.setattr(places.Place, "_opened", while_written)
        result = programme.ingest()
    assert result.problems == [] and left(result) == {"m_1.csv": "it changed while it was read"}
    assert programme.landed() == [] and programme.receipts("meters") == []
    assert programme.ingest().problems == [] and programme.landed() == [path.read_bytes()]


@pytest.mark.parametrize(
    ("age_s", "is_left"),
    # As old as a source wants it, or not; a clock that is ahead by a minute; a date that is none.
    [(0, True), (50, True), (70, False), (-59, True), (-86_400 * 365, False)],
)
def test_a_file_that_changed_lately_is_left(programme: Programme, age_s: int, is_left: bool) -> None:
    put(programme.home.inbox, "m_1.csv", OLD, age_s)
    programme.declare("meters", "inbox", settled_for=60)
    result = programme.ingest()
    assert left(result) == ({"m_1.csv": "it changed less than 60 seconds ago"} if is_left else {})
    assert programme.landed() == ([] if is_left else [OLD]) and result.problems == []


def test_a_known_file_that_is_being_replaced_is_left_too(programme: Programme) -> None:
    path = put(programme.home.inbox, "m_1.csv", OLD)
    programme.declare("meters", "inbox", settled_for=60)
    programme.ingest()
    path.write_bytes(NEW[:-3])
    assert list(left(programme.ingest())) == ["m_1.csv"] and programme.landed() == [OLD]
    put(programme.home.inbox, "m_1.csv", NEW)
    assert left(programme.ingest()) == {} and programme.landed() == sorted([OLD, NEW])


def test_five_seconds_unless_the_source_says_otherwise(programme: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "SETTLED_FOR_S", 5)  # as it is outside tests
    put(programme.home.inbox, "m_1.csv", OLD, age_s=0)
    put(programme.home.inbox, "m_2.csv", NEW, age_s=6)
    programme.declare("meters", "inbox")
    assert left(programme.ingest()) == {"m_1.csv": "it changed less than 5 seconds ago"}
    programme.declare("meters", "inbox", settled_for=0)
    assert left(programme.ingest()) == {}
    assert programme.landed() == sorted([OLD, NEW])


@pytest.mark.parametrize("settled_for", [-1, "5", 2.5, True, None])
def test_how_long_is_a_number_of_seconds(programme: Programme, settled_for: object) -> None:
    programme.declare("meters", "inbox", settled_for=settled_for)
    with pytest.raises(sources.SourceError, match=r"pull.settled_for: must be a whole number of seconds, 0 or more"):
        programme.ingest()


def test_what_is_named_as_an_upload_is_left(programme: Programme) -> None:
    uploads = ["m_1.csv.part", "m_2.csv.tmp", "m_3.csv.FILEPART", "m_4.Tmp"]
    for name in [*uploads, "m_5.csv"]:
        put(programme.home.inbox, name, OLD)
    programme.declare("meters", "inbox")
    result = programme.ingest()
    assert left(result) == dict.fromkeys(uploads, "it is named as an upload in progress is")
    assert result.sources[0].ignored_files == [] and programme.landed() == [OLD]
    assert "m_3.csv.FILEPART  it is named as an upload in progress is" in _summary(programme, result)


def _summary(programme: Programme, result: LakeResult) -> str:
    """Of a run that took the one source."""
    (programme.home.reports / "sources").mkdir(parents=True, exist_ok=True)
    report = programme.home.reports / "sources" / "meters.json"
    report.write_text(json.dumps(result.sources[0].summary(), ensure_ascii=False), encoding="utf-8")
    return summarize(programme.home)


ODD = {
    "an ideographic space": ("m_\u3000東京.csv", "m_\u3000東京.csv"),
    "a no-break space": ("m_\u00a0.csv", r"m_\xa0.csv"),
    "nothing that is seen": ("m_\u200b.csv", r"m_\u200b.csv"),
    "the other way round": ("m_\u202etxt.csv", r"m_\u202etxt.csv"),
    "a line break": ("m_a\nb.csv", r"m_a\x0ab.csv"),
    "CR, tab, BEL, escape, DEL": ("m_\r\t\x07\x1b[2J\x7f.csv", r"m_\x0d\x09\x07\x1b[2J\x7f.csv"),
    "bytes of another encoding": (b"m_\xc0\xfc\xb1\xe2.csv", r"m_\xc0\xfc\xb1\xe2.csv"),
    "as long as a name can be": ("m_" + "가" * 83 + ".csv", "m_" + "가" * 83 + ".csv"),
    "what such bytes look like": (r"m_\xc0.csv", r"m_\x5cxc0.csv"),
    "signs of Markdown, HTML, SQL, shells": ("m_'; [a](b) <b>$(x)|`*.csv", "m_'; [a](b) <b>$(x)|`*.csv"),
    "a space alone": ("m_ .csv", "m_ .csv"),
}


@pytest.mark.parametrize("case", ODD)
def test_a_file_is_taken_whatever_its_name(programme: Programme, case: str) -> None:
    """… into the lake, with its refused row in quarantine and feedback and with a page about it; and refused whole."""
    name, known = ODD[case]
    for age_s, content in ((60, readings(100, 30) + b"x,2024-13,1\n"), (30, b"no such column\n1\n")):
        put(programme.home.inbox, os.fsdecode(name), content, age_s)
        programme.declare("meters", "inbox")
        result = programme.ingest()
        assert result.problems == [] and [file["file_name"] for file in result.sources[0].files] == [known]
    for again in range(2):
        result = programme.ingest()
        assert result.sources[0].files == [] and not result.changed, again
    with duckdb.connect() as con:
        create_sources(con, programme.home.lake)
        files = con.sql("select file_name, status, reason from lake.files order by received_at").fetchall()
        assert files == [(known, "accepted", None), (known, "rejected", "schema_mismatch")]
        assert con.sql("select file_name, row_no, reason from lake.quarantine").fetchall() == [(known, 31, "bad_month")]
    made = [*programme.home.quarantine.rglob("*.*"), *programme.home.feedback.rglob("*.*")]
    made += [*programme.home.rejected.rglob("*.*"), *programme.home.data_docs.glob("*/*.html")]
    assert sorted(path.suffix for path in made) == [".csv", ".csv", ".html", ".json", ".txt"]
    assert all(len(os.fsencode(path.name)) < 230 and "\\" not in path.name for path in made)


def test_a_name_that_does_not_match_is_told_in_full(programme: Programme) -> None:
    for name in ("m_1.csv\u200b", "\u3000m_1.csv", "m_1.csv\n", "M_1.csv"):
        put(programme.home.inbox, name, OLD)
    programme.declare("meters", "inbox")
    ignored = programme.ingest().sources[0].ignored_files
    assert ignored == ["M_1.csv", r"m_1.csv\u200b", r"m_1.csv\x0a", "\u3000m_1.csv"]


def test_links_pipes_and_sockets_are_listed_and_never_read(programme: Programme) -> None:
    inbox = programme.home.inbox
    put(inbox / "folder", "inside.csv", OLD)
    put(inbox, "m_1.csv", OLD)
    (inbox / "m_2.csv").symlink_to(inbox / "m_1.csv")
    (inbox / "m_3.csv").symlink_to(inbox / "nowhere")
    (inbox / "m_4.csv").symlink_to(inbox / "folder")
    os.mkfifo(inbox / "m_5.csv")
    with socket.socket(socket.AF_UNIX) as listening, contextlib.chdir(inbox):  # a path of a socket must be short
        listening.bind("m_6.csv")
    (inbox / "link\n").symlink_to("/etc/passwd")
    programme.declare("meters", "inbox")
    strange = [r"link\x0a", "m_2.csv", "m_3.csv", "m_4.csv", "m_5.csv", "m_6.csv"]
    result = programme.ingest()
    told = {file["file_name"]: (file["status"], file.get("reason")) for file in result.sources[0].files}
    assert told == {"m_1.csv": ("accepted", None)} | dict.fromkeys(strange, ("rejected", "not_a_file"))
    assert result.problems == [] and programme.landed() == [OLD]
    assert result.totals["meters"] | {} == {
        "accepted": 1, "rejected": 6, "duplicate": 0,
        "rows_read": 2, "rows_accepted": 2, "rows_quarantined": 0, "rows_duplicate": 0,
    }  # fmt: skip
    assert programme.ingest().sources[0].files == []  # told once

    (inbox / "m_2.csv").unlink()
    put(inbox, "m_2.csv", NEW)
    assert [file["status"] for file in programme.ingest().sources[0].files] == ["accepted"]
    assert programme.ingest().sources[0].files == []


def test_a_missing_folder_is_empty(programme: Programme) -> None:
    programme.declare("meters", "inbox/meters")
    assert programme.ingest().problems == []


def test_nothing_is_half_landed_when_the_run_is_stopped(programme: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    put(programme.home.inbox, "m_1.csv", OLD)
    programme.declare("meters", "inbox")

    def stopped(self: places.Place, file: places.File, into) -> None:
        into.write(OLD[:20])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(places.Place, "fetch", stopped)
        with pytest.raises(KeyboardInterrupt):
            programme.ingest()
    assert programme.receipts("meters") == []
    assert programme.ingest().problems == []
    assert programme.landed() == [OLD]
