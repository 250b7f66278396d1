"""Workbooks that attack their reader: refused, and whatever they do to its process, the run goes on."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import pytest

from tanso.ingest.formats import workbook_guard, workbooks
from tanso.ingest.formats.parsers import FileRefused
from tests.ingest.conftest import Office

HEADER = ("수용가번호", "사용년월", "사용량(㎥)", "검침구분")
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def texts(number: int, *cells: str) -> str:
    within = "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells)
    return f'<row r="{number}">{within}</row>'


def book(rows: str, part: str = "xl/worksheets/sheet1.xml", strings: str = "", before: str = "") -> bytes:
    """A workbook of one sheet, which lies in ``part``."""
    sheet = f'<worksheet xmlns="{MAIN}">{before}<sheetData>{texts(1, *HEADER)}{rows}</sheetData></worksheet>'
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r1" Target="xl/workbook.xml" '
        f'Type="{OFFICE}/officeDocument"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
        '<sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r1" '
        f'Target="/{part}" Type="{OFFICE}/worksheet"/></Relationships>',
        part: sheet,
    }
    if strings:
        parts["xl/sharedStrings.xml"] = f'<sst xmlns="{MAIN}"><si><t>{strings}</t></si></sst>'
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return content.getvalue()


def a_cell(place: str) -> str:
    return f'<row><c r="{place}"><v>1</v></c></row>'


SHARED = "<row>" + '<c t="s"><v>0</v></c>' * 4 + "</row>"
ATTACKS = {
    "last corner, in another folder": lambda: book(a_cell("XFD1048576"), "xl/sheets/a.xml"),
    "5 GB, in another folder": lambda: book(a_cell("ZZ200000"), "data/a.bin"),
    "last corner, in another case": lambda: book(a_cell("xfd1048576"), "XL/WorkSheets/a"),
    "a row of cells without a place": lambda: book('<row r="999999">' + "<c/>" * 16_000 + "</row>"),
    "prefixed, quoted and spaced": lambda: book(
        f'<x:row xmlns:x="{MAIN}"><x:c s="1" r = \'XFD1048576\'><x:v>1</x:v></x:c></x:row>'
    ),
    "beyond the last column": lambda: book('<row r="2"><c r="XFE2"><v>1</v></c></row>'),
    "a number of a thousand digits": lambda: book(a_cell("A" + "9" * 1000)),
    "one long text in many cells": lambda: book(SHARED * 5_000, strings="x" * 32_000),
    "a text that is too long": lambda: book(SHARED, strings="x" * 32_768),
    "protected or old": lambda: bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4096),
    "a spreadsheet of another kind": lambda: open_document(),
    "a small file in it that is none": lambda: book("")[:-30],
}


def open_document() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", "<office:document-content/>")
    return content.getvalue()


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_are_refused_and_the_next_workbook_is_read(office: Office, attack: str) -> None:
    office.drop("kr_waterworks", "water_1.xlsx", ATTACKS[attack]())
    office.drop("kr_waterworks", "water_2.xlsx", book(texts(2, "77", "2021-01", "5", "정상")))
    first, second = office.take_in("kr_waterworks").files
    assert (first["status"], first["reason"]) == ("rejected", "not_readable")
    assert first["detail"].startswith("is no readable workbook: ") and "CalamineError" not in first["detail"]
    assert second["status"] == "accepted"
    assert office.readings() == [("water", "77", "2021-01", "5.000")]


SOUND = {
    "cells and rows without a place": lambda: book(
        "".join(texts(n, f"{n}", "2021-01", "5", "정상").replace(f' r="{n}"', "") for n in range(2, 2_002))
    ),
    "a size that lies": lambda: book(
        "".join(texts(n, f"{n}", "2021-01", "5", "정상") for n in range(2, 2_002)),
        before='<dimension ref="A1:XFD1048576"/>',
    ),
    "wide and short": lambda: book(
        "".join(texts(n, f"{n}", "2021-01", "5", "정상") for n in range(2, 2_002))
        + '<row r="2002"><c r="A2002"><v>2002</v></c><c r="NZZ2002"><v/></c></row>'
    ),
}


@pytest.mark.parametrize("what", SOUND)
def test_what_only_looks_like_an_attack_is_read(office: Office, what: str) -> None:
    """10,140 columns (NZZ) of 2,002 rows are 20 million cells: within bounds, whatever a row could be at most."""
    office.drop("kr_waterworks", "water_1.xlsx", SOUND[what]())
    [file] = office.take_in("kr_waterworks").files
    assert (file["status"], file["rows_accepted"]) == ("accepted", 2_000)


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch):
    """``reader(code)``: readers run this before they listen; both are forgotten afterwards."""
    monkeypatch.setattr(workbooks, "_idle", [])

    def use(code: str) -> None:
        start = f"from tanso.ingest.formats import workbook_reader as reader\n{code}\nreader.main()"
        monkeypatch.setattr(workbooks, "_COMMAND", [sys.executable, "-c", start])

    yield use
    while workbooks._idle:
        workbooks._idle.pop().end()


BLIND = "reader.workbook_guard.check = lambda path: None"
DEATHS = {
    "asks for 549 GB": BLIND,
    "asks for more than it may have": "reader.workbook_guard.check = lambda p: bytearray(2 * reader._MEMORY)",
    "comes to no end": "reader._CPU_S = 1\nreader.workbook_guard.check = lambda p: [0 for _ in iter(int, 1)]",
    "crashes": "import os\nreader.workbook_guard.check = lambda p: os.abort()",
}


@pytest.mark.parametrize("death", DEATHS)
def test_the_death_of_the_reader_is_one_refused_file(reader, death: str, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(ATTACKS["last corner, in another folder"]())
    reader(DEATHS[death])
    with pytest.raises(FileRefused, match="not_readable: .*memory|not_readable: .*ends the reader"):
        workbooks.heads(path)


def test_a_reader_that_is_ended_from_outside_is_started_again(reader, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(book(texts(2, "77", "2021-01", "5", "정상")))
    reader("")
    assert list(workbooks.rows(path)) == [list(HEADER), ["77", "2021-01", "5", "정상"]]
    workbooks._idle[0]._process.kill()
    assert list(workbooks.rows(path)) == [list(HEADER), ["77", "2021-01", "5", "정상"]]


def test_the_guard_says_how_large_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(ATTACKS["5 GB, in another folder"]())
    # Four cells of the header have no place, nor has the last row: they could lie behind all others.
    with pytest.raises(workbook_guard.Unreadable, match="part 5 is a sheet of 200,001 rows and 706 columns"):
        workbook_guard.check(path)
