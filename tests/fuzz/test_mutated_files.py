"""Whatever arrives, ingest says what became of it: refused whole with a reason, or every row accounted for.

The mutants are made from a row the sample could have; what is accepted must equal an independent slow reading.
"""

from __future__ import annotations

import io
import json
import shutil
import tracemalloc
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tanso.ingest import ingest_source
from tanso.ingest.formats import workbook_guard
from tanso.settings import Home
from tests.fuzz.plain_reading import accepted
from tests.ingest.conftest import HEADERS, Office, workbook

REASONS = {"forbidden_column", "not_decodable", "not_readable", "schema_mismatch", "empty", "too_many_bad_rows"}
SLOWLY = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # a failure is quick, and the same every time
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

cells = {
    "고객번호": st.sampled_from(
        ["0000000001", "00-0000-0002", "０００００００００３", "1", "", "-", "=1+1", "0000000004 "]
    ),
    "청구년월": st.sampled_from(["202101", "2021-02", "2021.13", "2021/03", "", "20210", "1e5", "２０２１０４"]),
    "검침시작일": st.sampled_from(["", "20210101", "2021-02-30", "20210220"]),
    "검침종료일": st.sampled_from(["", "20210131", "20210110", "x"]),
    "사용량": st.sampled_from(
        [
            *(
                "1",
                "1,234.5",
                "12,34",
                "0",
                "-0",
                "-1",
                "+5",
                "0.0005",
                "0.00049",
                "100000",
                "100000.0004",
                "100000.0005",
            ),
            *(
                "1e3",
                "9" * 30,
                "9" * 4000,
                "٣",
                "1.",
                ".5",
                "０.５",
                "=SUM(A1)",
                "@1",
                "\t1",
                "",
                " 7 ",
                "NaN",
                "inf",
                "1\n2",
            ),
        ]
    ),
    "계약종별": st.sampled_from(["주택용", "=HYPERLINK(1)", "", '"', "농사용(갑)", "a,b", "\r\n"]),
    "검침구분": st.sampled_from(["정상", "인정", "", "\x00", "'"]),
}
rows = st.lists(st.fixed_dictionaries(cells), min_size=0, max_size=19)
orders = st.permutations(HEADERS["kr_kepco"].split(","))


def as_csv(found: list[dict[str, str]], order: list[str], header: list[str]) -> bytes:
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ',"\r\n') else cell

    lines = [",".join(header), *(",".join(quoted(row[name]) for name in order) for row in found)]
    return "".join(f"{line}\r\n" for line in lines).encode("cp949", errors="replace")


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    """A file, and something that went wrong with it: columns swapped, cut, bits turned, a piece twice or gone, another
    encoding."""
    order = draw(orders)
    header = list(order)
    if draw(st.integers(0, 4)) == 0:  # the values of two columns under each other's name
        one, other = draw(st.lists(st.integers(0, len(order) - 1), min_size=2, max_size=2, unique=True))
        header[one], header[other] = header[other], header[one]
    content = bytearray(as_csv(draw(rows), order, header))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, max(len(content) - 1, 0)))
        kind = draw(st.sampled_from(["cut", "bit", "gone", "twice", "insert", "utf-8", "utf-16"]))
        if kind == "cut":
            del content[at:]
        elif kind == "bit" and content:
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "gone":
            del content[at : at + draw(st.integers(1, 40))]
        elif kind == "twice":
            content[at:at] = content[at : at + draw(st.integers(1, 200))]
        elif kind == "insert":
            content[at:at] = draw(
                st.sampled_from([b'"', b",", b"\n", b"\r", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\x1a"])
            )
        else:
            content = bytearray(bytes(content).decode("cp949", errors="replace").encode(kind))
    return bytes(content)


def take_in(office: Office, source_id: str, name: str, content: bytes) -> dict:
    """Ingest one file into an emptied home; its result, after the balance of rows."""
    shutil.rmtree(office.home.root, ignore_errors=True)
    office.drop(source_id, name, content)
    [file] = ingest_source(office.sources[source_id], office.home, office.policy).files
    if file["status"] == "rejected":
        assert file["reason"] in REASONS and file["detail"]
        assert not list(office.home.quarantine.rglob("*.csv"))
    else:
        read, taken, refused, again = (
            file[f"rows_{what}"] for what in ("read", "accepted", "quarantined", "duplicate")
        )
        assert read == taken + refused + again and read > 0
    return file


def in_lake(office: Office) -> dict[tuple[str, str], str]:
    office.publish()
    found = office.query("select meter_key, strftime(usage_month, '%Y-%m'), usage from lake.readings")
    return {(meter, month): usage for meter, month, usage in found}


@SLOWLY
@given(content=mutants())
def test_mutated_csv(office: Office, content: bytes) -> None:
    office.sources["kr_kepco"] = replace(office.sources["kr_kepco"], max_bad_ratio=1)
    file = take_in(office, "kr_kepco", "kepco_1.csv", content)
    if file["status"] == "accepted":
        assert in_lake(office) == accepted(content, "cp949", 100_000)
    elif file["reason"] == "not_decodable":
        with pytest.raises(UnicodeDecodeError):
            content.decode("cp949")


@settings(SLOWLY, max_examples=20)
@given(data=st.data(), what=st.sampled_from(["kr_citygas", "kr_apartments", "jp_meter_slips"]))
def test_mutated_files_of_other_kinds(office: Office, data: st.DataObject, what: str) -> None:
    """No crash, and the balance of rows, for several usages, units and slips."""
    source = office.sources[what] = replace(office.sources[what], max_bad_ratio=1)
    width = HEADERS[what].count(",") + 1
    values = st.sampled_from(
        [
            "1",
            "A1",
            "2021-01",
            "202102",
            "-5",
            "m3",
            "MJ",
            "電気",
            "ガス",
            "x",
            "",
            "=1",
            "1e9",
            "9" * 50,
            "４３.５",
            '"',
        ]
    )
    lines = data.draw(st.lists(st.lists(values, min_size=width - 1, max_size=width + 1), max_size=12))
    text = "\r\n".join([HEADERS[what], *(",".join(line) for line in lines)])
    content = bytearray(text.encode(source.encoding, errors="replace"))
    if data.draw(st.booleans()):
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    name = source.pattern.replace("*", "1")
    if take_in(office, what, name, bytes(content))["status"] == "accepted":
        office.publish()


@settings(SLOWLY, max_examples=20)
@given(data=st.data())
def test_mutated_workbooks(office: Office, data: st.DataObject) -> None:
    values = st.sampled_from([1, 12.5, 1e300, -3, "=A1", "202101", 202101, "2021-02", "정상", None, "", "x", True])
    lines = data.draw(st.lists(st.lists(values, min_size=3, max_size=5), max_size=8))
    content = bytearray(archive({}, lines))
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[at] ^= 1 << data.draw(st.integers(0, 7))
        else:
            del content[at : at + data.draw(st.integers(1, 500))]
    office.sources["kr_waterworks"] = replace(office.sources["kr_waterworks"], max_bad_ratio=1)
    take_in(office, "kr_waterworks", "water_1.xlsx", bytes(content))


LONG = {
    "cell": lambda long: f"0000000002,202101,,,5,{long},정상",
    "cell in quotes": lambda long: f'0000000002,202101,,,5,"{long}",정상',
    "number": lambda long: f"0000000002,202101,,,{'9' * len(long)},,정상",
    "row of cells": lambda long: f"0000000002,202101,,,5,,{',' * len(long)}",
    "lines in quotes": lambda long: "0000000002,202101,,,5," + '"a\r\nb",' * (len(long) // 7),
    "quote never closed": lambda long: '0000000002,202101,,,5,"' + "0000000003,202101,,,5,,\r\n" * (len(long) // 25),
    "no end of line": lambda long: f"0000000002,202101,,,5,주택용,{long}",
    "zeros": lambda long: "\0" * len(long),
}
HEADER_TOO = {
    "header": lambda long: f",{long}",
    "header of blanks": lambda long: "," * len(long),
    "header of names": lambda long: ",abc" * (len(long) // 4),
    "17,000 columns": lambda long: "".join(f",c{number}" for number in range(17_000)),
}
GOOD = "0000000001,202101,,,5,주택용,정상"


@pytest.mark.parametrize("what", [*LONG, *HEADER_TOO])
def test_a_very_long_line(office: Office, what: str) -> None:
    """4 MB in a row: refused, or read as what it is; the rows around it are not lost without a word."""
    long, header = "x" * (4 << 20), HEADERS["kr_kepco"]
    if what in LONG:
        text = f"{header}\r\n{GOOD}\r\n{LONG[what](long)}" + ("" if what == "no end of line" else "\r\n")
    else:
        text = f"{header}{HEADER_TOO[what](long)}\r\n{GOOD}\r\n0000000002,202101,,,5,,정상\r\n"
    office.sources["kr_kepco"] = replace(office.sources["kr_kepco"], max_bad_ratio=1)
    file = take_in(office, "kr_kepco", "kepco_1.csv", text.encode("cp949"))
    if what in ("cell", "cell in quotes", "no end of line"):
        assert in_lake(office) == {("0000000001", "2021-01"): "5.000", ("0000000002", "2021-01"): "5.000"}
    elif what == "number":
        assert in_lake(office) == {("0000000001", "2021-01"): "5.000"}
        assert file["reasons"] == {"usage_out_of_range": 1}
    else:
        assert file["reason"] == "not_readable"


@pytest.mark.parametrize("what", ["cell", "cell in quotes"])
def test_a_line_of_200_mb_is_refused_and_does_not_fill_memory(office: Office, what: str) -> None:
    before, after = LONG[what]("|").split("|")
    path = office.drop("kr_kepco", "kepco_1.csv", [GOOD])
    with path.open("ab") as file:
        file.write(before.encode("cp949"))
        for _ in range(200):
            file.write(b"x" * (1 << 20))
        file.write(f"{after}\r\n".encode("cp949"))
    # The kernel's own measure, for pyarrow and DuckDB do not tell Python what they take; 5: start again.
    Path("/proc/self/clear_refs").write_text("5")
    held = _memory_mb("VmRSS")
    [found] = ingest_source(office.sources["kr_kepco"], office.home, office.policy).files
    assert _memory_mb("VmHWM") - held < 1000
    assert (found["status"], found["reason"]) == ("rejected", "not_readable")
    assert "a row is longer than 1,048,576 characters" in found["detail"]


def _memory_mb(what: str) -> int:
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what)]
    return int(line.split()[1]) >> 10


def test_a_cell_longer_than_a_workbook_may_have(office: Office) -> None:
    """32,767 characters are the most; the reader would take 200 MB."""
    file = take_in(
        office, "kr_waterworks", "water_1.xlsx", archive(sheet(text_row(2, "1", "202101", "5", "x" * 32_767)))
    )
    assert (file["status"], file["rows_accepted"]) == ("accepted", 1)
    file = take_in(
        office, "kr_waterworks", "water_1.xlsx", archive(sheet(text_row(2, "1", "202101", "5", "x" * 32_768)))
    )
    assert (file["status"], file["reason"]) == ("rejected", "not_readable")
    assert "a cell has 32,768 characters" in file["detail"]


def archive(parts: dict[str, bytes], lines: Sequence[Sequence[Any]] = (("1", "202101", "5", "정상"),)) -> bytes:
    """A small workbook, with some of its parts replaced; the same bytes every time."""
    packed = io.BytesIO()
    good = workbook([HEADERS["kr_waterworks"].split(","), *lines])
    with zipfile.ZipFile(io.BytesIO(good)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in dict.fromkeys([*old.namelist(), *parts]):
            content = b"<x/>" if name == "docProps/core.xml" else parts.get(name) or old.read(name)
            new.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def sheet(last_row: str, dtd: str = "") -> dict[str, bytes]:
    """The first sheet: our header row and ``last_row``."""
    schema = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rows = text_row(1, *HEADERS["kr_waterworks"].split(",")) + last_row
    text = f'<?xml version="1.0"?>{dtd}<worksheet xmlns="{schema}"><sheetData>{rows}</sheetData></worksheet>'
    return {SHEET: text.encode()}


def text_row(number: int, *texts: str) -> str:
    cells = (
        f'<c r="{letter}{number}" t="inlineStr"><is><t>{text}</t></is></c>'
        for letter, text in zip("ABCD", texts, strict=True)
    )
    return f'<row r="{number}">{"".join(cells)}</row>'


SHEET = "xl/worksheets/sheet1.xml"
ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
ENTITIES = f'<!DOCTYPE x [<!ENTITY e0 "5555555555">{ENTITIES}]>'
CORNER = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
BEYOND = '<row r="4294967295"><c r="A4294967295"><v>1</v></c></row>'
BOMBS = {
    "zeros": lambda: archive({SHEET: b" " * (64 << 20)}),
    "zeros in a part that nobody reads": lambda: archive({"xl/media/a.bin": bytes(64 << 20)}),
    "a cell in the last corner": lambda: archive(sheet(CORNER)),
    "a row beyond all rows": lambda: archive(sheet(BEYOND)),
    "entities": lambda: archive(sheet(text_row(2, "1", "202101", "&e9;", "x"), ENTITIES)),
    "a size that lies": lambda: lying(archive({SHEET: b" " * (8 << 20)})),
}


def lying(content: bytes) -> bytes:
    """The same archive, whose large part says that it has 10 bytes."""
    return content.replace((8 << 20).to_bytes(4, "little"), (10).to_bytes(4, "little"))


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_are_refused_before_they_go_off(office: Office, bomb: str, tmp_path: Path) -> None:
    content = BOMBS[bomb]()
    path = tmp_path / "bomb.xlsx"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        if bomb != "entities":  # nobody expands them: they are no number
            with pytest.raises(ValueError):
                workbook_guard.check(path)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()
    file = take_in(office, "kr_waterworks", "water_1.xlsx", content)
    if bomb == "entities" and file["status"] == "accepted":
        assert (file["rows_accepted"], file["rows_quarantined"]) == (0, 1)
    else:
        assert file["reason"] == "not_readable"


def test_the_guard_lets_real_sheets_pass(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(workbook([["1", "202101", "5", "정상"]] * 20_000))
    workbook_guard.check(path)
    wide = tmp_path / "wide.xlsx"
    wide.write_bytes(workbook([["x"] * 300]))
    workbook_guard.check(wide)


def test_what_is_written_about_a_mutant_is_json(office: Office) -> None:
    take_in(office, "kr_kepco", "kepco_1.csv", b"\x00" * 100)
    [report] = Home(office.home.root).rejected.rglob("*.json")
    assert json.loads(report.read_text(encoding="utf-8"))["reason"] in REASONS
