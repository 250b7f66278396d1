"""However a file is read and judged (in blocks, in one go, with patience, texts coded or not), it says the same."""

from __future__ import annotations

import csv
import dataclasses
import io
import unicodedata
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tanso.ingest.formats import csv_blocks, parsers, read, received, texts
from tanso.ingest.kinds import values
from tanso.ingest.kinds.registry import kind_of
from tanso.ingest.lake import partitions
from tanso.ingest.model import Context
from tanso.packs.policy import Policy
from tanso.packs.sources import Source
from tanso.settings import Home
from tests.ingest.conftest import HEADERS, Office

OFTEN = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# ASCII, full-width, and characters with 5C, 7C or a letter for their last byte; white space of all kinds.
ALPHABET = {
    "cp949": '0aZ-,."\n\r\t ０Ａ－　가힣똠쑛',
    "cp932": '0aZ-,."\n\r\t ０Ａ－　表ソポ能ｱ',
    "euc_jp": '0aZ-,."\n\r\t ０Ａ　表ソ能',
    "utf-8": '0aZ-,."\n\r\t ０Ａ－　가表é\u0301\u00a0𠮷\u200b\ufeff\u00ad',
}


def files(encoding: str) -> st.SearchStrategy[list[list[str]]]:
    cell = st.text(ALPHABET[encoding], max_size=6) | st.sampled_from(
        ["", "202101", "정상" if encoding == "cp949" else "x"]
    )
    return st.lists(st.tuples(cell, cell, cell).map(list), min_size=1, max_size=40)


def folded(text: str) -> str | None:
    seen = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    return unicodedata.normalize("NFKC", seen).strip() or None


@pytest.mark.parametrize(
    ("way", "repeats"),
    [("blocks", True), ("blocks", False), ("serial", True), ("patient", True), ("large", True), ("large", False)],
)
@pytest.mark.parametrize("encoding", ALPHABET)
def test_every_way_reads_the_same(
    tmp_path: Path, sources: dict[str, Source], encoding: str, way: str, repeats: bool
) -> None:
    """``blocks`` of 64 bytes: every few rows begin another one, at the edge of whatever a row has."""
    columns = dict.fromkeys(("a", "b"), sources["kr_kepco"].columns["tariff"])
    source = dataclasses.replace(sources["kr_kepco"], encoding=encoding, columns=columns)
    path = tmp_path / "file.csv"
    repeating = patch.object(texts, "repeats", lambda column: repeats)
    reads = "blocks" if way == "large" else way
    unclear = 0

    @settings(OFTEN, max_examples=12)
    @given(files(encoding))
    def check(rows: list[list[str]]) -> None:
        nonlocal unclear
        rows = [*rows, ["end", "of", "file"]]
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\r\n").writerows([["h1", "h2", "h3"], *rows])
        path.write_bytes(text.getvalue().encode(encoding))
        held = patch.object(received, "_HELD_BYTES", 0 if way == "large" else 1 << 30)
        few = patch.object(received, "_FEW_ROWS", 0)
        with duckdb.connect() as con, patch.object(csv_blocks, "BLOCK_BYTES", 64), repeating, held, few:
            try:
                # Column 1 is asked for by nobody.
                found = received.take(con, source, path, 3, {"a": 0, "b": 2}, reads)
            except csv_blocks.Unclear:
                unclear += 1
                return
            except parsers.Ragged:
                assert reads == "serial"  # a row that does not fit into a block
                return
            rows = [row for row in rows if any(map(folded, row))]  # the others are blank lines
            expected = [(number, folded(row[0]), folded(row[2])) for number, row in enumerate(rows, start=1)]
            assert con.execute("select * from raw order by row_no").fetchall() == expected
            some = [number for number in range(1, len(rows) + 1) if number % 3 != 1]
            assert list(found.rows(some)) == [(number, rows[number - 1]) for number in some]

    check()
    assert unclear < 6


@pytest.mark.parametrize("encoding", csv_blocks.BYTEWISE)
def test_no_character_has_a_byte_that_ends_cells(encoding: str) -> None:
    """What stands after a first byte, or two, is read as itself or not at all."""
    ascii_bytes = bytes(range(128))
    assert ascii_bytes.decode(encoding) == ascii_bytes.decode("ascii")
    starts = [bytes([first]) for first in range(128, 256)]
    starts += [start + bytes([second]) for start in starts for second in range(0x30, 256)]
    for start in starts:
        for mark in b',"\r\n':
            with suppress(UnicodeDecodeError):
                assert (start + bytes([mark])).decode(encoding).endswith(chr(mark))


@pytest.mark.parametrize(
    ("content", "cut"),
    [
        (b"a,b\nc", 4),
        (b"a", 0),
        (b'a,"x"\r\nb,"y\n', 7),  # open: the second line end is in it
        (b'a,"x ""y""\n"\nb', 13),
        (b'a\nb,"x""', 2),  # whether the last quote closes is not known yet
        (b'"a\n""\n', 0),
    ],
)
def test_where_a_block_ends(content: bytes, cut: int) -> None:
    assert csv_blocks._last_end(content) == cut


@pytest.mark.parametrize("content", [b'a"b\n', b'"a"b,\n', b'a, "b"\n', b'"a" ,"b"\n'])
def test_quotes_that_need_the_whole_file(content: bytes) -> None:
    with pytest.raises(csv_blocks.Unclear):
        csv_blocks._last_end(content)


CELLS = {
    "고객번호": ["0000000001", "00-0000-0002", "０００００００００３", "1", "", "-", "0000000004 ", "000000000a"],
    "청구년월": ["202101", "2021-02", "2021.13", "", "２０２１０１"],
    "검침시작일": ["", "20210101", "2021-02-30", "20210220"],
    "검침종료일": ["", "20210131", "20210110"],
    "사용량": ["1", "2", "1,234.5", "12,34", "-0", "-1", "+5", "0.0005", "100000.0005", "9" * 30, "９９", "", "x"],
    "계약종별": ["주택용（저압）", "주택용 (저압)", "", "일반용"],
    "검침구분": ["정상", "인정", ""],
    "사용계약번호": ["A1", "A-2", "", "Ａ３"],
    "사용년월": ["2021-01", "202101", "2021-1"],
    "단위": ["m3", "㎥", "MJ", "kWh", ""],
    "용도": ["취사", ""],
    "단지코드": ["A1", "Ａ１", ""],
    "동": ["101", "102"],
    "호": ["1", "2", "3"],
    "부과년월": ["202101", "202102"],
    "전기": ["1", "2", "", "x"],
    "수도": ["3", "3.0", "４", ""],
    "가스": ["", "-1", "5"],
}


@pytest.mark.parametrize("source_id", ["kr_kepco", "kr_citygas", "kr_apartments"])
def test_every_way_judges_the_same(tmp_path: Path, sources: dict[str, Source], policy: Policy, source_id: str) -> None:
    source, header = sources[source_id], HEADERS[source_id].split(",")
    path = tmp_path / "file.csv"
    row = st.tuples(*(st.sampled_from(CELLS[name]) for name in header))

    @settings(OFTEN, max_examples=8)
    @given(st.lists(row, min_size=1, max_size=60))
    def check(rows: list[tuple[str, ...]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\r\n").writerows([header, *rows])
        path.write_bytes(text.getvalue().encode(source.encoding))
        coded, spelt_out, large = (
            judged(source, policy, path, *way) for way in ((True, 1 << 30), (False, 1 << 30), (True, 0))
        )
        assert coded == spelt_out == large

    check()


def judged(source: Source, policy: Policy, path: Path, repeats: bool, held_bytes: int) -> dict[str, list[tuple]]:
    kind = kind_of(source)
    with (
        patch.object(texts, "repeats", lambda column: repeats),
        patch.object(received, "_HELD_BYTES", held_bytes),
        patch.object(received, "_FEW_ROWS", 0),
        duckdb.connect() as con,
    ):
        values.install(con)
        tables = {name: policy.tables[name] for name in kind.policy_tables}
        dataclasses.replace(policy, tables=tables).write(con)
        _, rows = read.load(con, source, path, kind.kept_as_received)
        kind.judge(con, source, Context("sha", "file.csv", 1, policy, Home(path.parent), rows))
        found = {
            table: con.execute(f"select columns(*)::varchar from {table} order by all").fetchall()
            for table in ("good", "refused", "duplicates")
        }
        return found | {"figures": [(str(kind.figures(con)),)]}


def kepco(number: int, month: str = "202101", usage: str = "1") -> str:
    return f"{number:010d},{month},,,{usage},주택용,정상"


ORDERS = {
    "ascending": [1, 2, 3, 4, 5, 6, 7],
    "descending": [7, 6, 5, 4, 3, 2, 1],
    "down at the edge of a group": [2, 3, 4, 1, 5, 6, 7],
    "down within the last group": [1, 2, 3, 4, 5, 7, 6],
}


@pytest.mark.parametrize("case", ORDERS)
def test_readings_are_staged_in_order(office: Office, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    monkeypatch.setattr("tanso.lake_files.WRITTEN_AT_ONCE", 3)
    monkeypatch.setattr(partitions, "_FEW_ROWS", 0)
    office.drop("kr_kepco", "kepco_1.csv", [kepco(number, usage=str(number)) for number in ORDERS[case]])
    office.take_in("kr_kepco")
    [staged] = [path for path in (office.home.lake / "_staged" / "kr_kepco").glob("*.parquet") if path.stem.isalnum()]
    found = duckdb.execute("select meter_key, usage::int, row_no from read_parquet(?)", [str(staged)]).fetchall()
    assert found == [(f"{number:010d}", number, ORDERS[case].index(number) + 1) for number in range(1, 8)]


def test_what_comes_in_order_is_not_sorted(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file large enough that several threads make its rows: nothing on the way may take them out of order."""
    given, passed = partitions._ascending, []
    monkeypatch.setattr(
        partitions, "_ascending", lambda batches: (passed.append(len(batch)) or batch for batch in given(batches))
    )
    count = 400_000
    office.drop("kr_kepco", "kepco_1.csv", [kepco(number, usage=str(number % 9)) for number in range(count)])
    office.take_in("kr_kepco")
    assert sum(passed) == count


def test_months_out_of_order_are_staged_in_order(office: Office) -> None:
    office.drop("kr_kepco", "kepco_1.csv", [kepco(1, "202102"), kepco(2, "202101"), kepco(3, "202102")])
    office.take_in("kr_kepco")
    [staged] = [path for path in (office.home.lake / "_staged" / "kr_kepco").glob("*.parquet") if path.stem.isalnum()]
    assert duckdb.execute("select row_no from read_parquet(?)", [str(staged)]).fetchall() == [(2,), (1,), (3,)]


def partition(office: Office) -> Path:
    return office.home.lake / "readings" / "source_id=kr_kepco" / "usage_month=2021-01" / "data.parquet"


def staged(office: Office) -> list[Path]:
    return sorted(path for path in (office.home.lake / "_staged" / "kr_kepco").glob("*.parquet") if path.stem.isalnum())


@pytest.mark.parametrize("has_links", [True, False])
def test_a_month_of_one_file_is_the_staged_file(
    office: Office, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    """And no more so once a later file speaks for the month: the first one's staged file stays as it was."""
    if not has_links:
        monkeypatch.setattr("os.link", lambda *names: (_ for _ in ()).throw(OSError("no links here")))
    office.drop("kr_kepco", "kepco_1.csv", [kepco(1), kepco(2)])
    office.take_in("kr_kepco")
    [first] = staged(office)
    before = first.read_bytes()
    assert partition(office).read_bytes() == before and partition(office).samefile(first) == has_links
    written = partition(office).stat().st_mtime_ns
    assert not office.publish().changed and partition(office).stat().st_mtime_ns == written
    office.drop("kr_kepco", "kepco_2.csv", [kepco(2, usage="5")])
    office.take_in("kr_kepco")
    assert first.read_bytes() == before
    assert office.readings() == [
        ("electricity", "0000000001", "2021-01", "1.000"),
        ("electricity", "0000000002", "2021-01", "5.000"),
    ]
    assert partition(office).read_bytes() not in [path.read_bytes() for path in staged(office)]
