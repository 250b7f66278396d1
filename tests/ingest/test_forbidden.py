"""Resident registration numbers in disguise are not landed; what only looks like them is."""

from __future__ import annotations

import time
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest

from tanso.ingest.formats import forbidden
from tanso.packs.sources import load_sources
from tanso.settings import PROJECT_ROOT
from tests.ingest.conftest import HEADERS, Office, workbook

HEADER = HEADERS["kr_kepco"]
ROW = "0000000001,202101,,,5,주택용,정상"
# Check digits by hand, weights 2 3 4 5 6 7 8 9 2 3 4 5. 900101-123456: 18+0+0+5+0+7+8+18+6+12+20+30 = 124, 124 mod 11 =
# 3, 11 - 3 = 8. 851231-204321: 16+15+4+10+18+7+16+0+8+9+8+5 = 116, mod 11 = 6, 5. 010203-312345: 0+3+0+10+0+21+24+9+4+
# 9+16+25 = 121, mod 11 = 0, 11 - 0 = 11, last digit 1. 770707-100000: 14+21+0+35+0+49+8 = 127, mod 11 = 6, 5.
VALID = ["900101-1234568", "851231-2043215", "010203-3123451", "770707-1000005"]
# A foreigner's is 2 more: 13 - 6 = 7; 880808-512345: 16+24+0+40+0+56+40+9+4+9+16+25 = 239, mod 11 = 8, 13 - 8 = 5.
FOREIGN = ["880808-5123455"] * 3


def lines(*rows: str, encoding: str = "utf-8") -> bytes:
    return ("\r\n".join(rows) + "\r\n").encode(encoding)


def with_header(name: str, separator: str = ",", encoding: str = "utf-8") -> bytes:
    header, row = HEADER.replace(",", separator), ROW.replace(",", separator)
    return lines(f"{header}{separator}{name}", f"{row}{separator}x", encoding=encoding)


def with_values(*values: str, row: str = ROW, encoding: str = "cp949") -> bytes:
    return lines(f"{HEADER},메모", *(f"{row},{value}" for value in values), encoding=encoding)


def a_workbook(*rows: list, sheet: str | None = None) -> bytes:
    """``rows`` in the first sheet, or in another one."""
    if sheet is None:
        return workbook(rows)
    book = openpyxl.Workbook()
    book.active.append(HEADER.split(","))
    for row in rows:
        (book[sheet] if sheet in book.sheetnames else book.create_sheet(sheet)).append(row)
    content = BytesIO()
    book.save(content)
    return content.getvalue()


NAMED = {
    "as declared": with_header("주민등록번호", encoding="cp949"),
    "UTF-8": with_header("주민등록번호"),
    "UTF-8 with a mark": with_header("주민등록번호", encoding="utf-8-sig"),
    "UTF-16": with_header("주민등록번호", encoding="utf-16"),
    "UTF-16 without a mark": with_header("주민등록번호", encoding="utf-16-le"),
    "UTF-16, the other way": with_header("주민등록번호", encoding="utf-16-be"),
    "decomposed": with_header("주민등록번호"),
    "in brackets": with_header("주민등록번호(뒷자리)", encoding="cp949"),
    "in full-width brackets": with_header("주민등록번호（뒷자리）", encoding="cp949"),
    "in other brackets": with_header("【필수】주민등록번호［뒷자리］", encoding="cp949"),
    "a comma in brackets": with_header('"주민등록번호(앞,뒤)"', encoding="cp949"),
    "brackets in it": with_header("주민(등록)번호", encoding="cp949"),
    "brackets around it": with_header("고객(주민등록번호)", encoding="cp949"),
    "never closed": with_header("주민등록번호(뒷자리", encoding="cp949"),
    "zero-width spaces": with_header("주민\u200b등록\u200b번호\ufeff"),
    "full-width space": with_header("주민　등록　번호", encoding="cp949"),
    "line break": with_header('"주민\n등록번호"', encoding="cp949"),
    "marks": with_header("*주민_등록-번호*", encoding="cp949"),
    **{f"{sign!r} between": with_header("주민등록번호", sign, "cp949") for sign in ":;|\t^/\x1f"},
    "spaces between": with_header("주민등록번호", "   ", "cp949"),
    "a title row": lines("2021년 회원 명단", "", *with_header("주민번호").decode().split("\r\n"), encoding="cp949"),
    "the 20th row": lines(*["제목"] * 19, f"{HEADER},비밀번호", ROW, encoding="cp949"),
    "a page": lines("<table><tr>", "<th>고객번호</th><th class=x>주민등록번호</th></tr>", encoding="cp949"),
    "a workbook": a_workbook([*HEADER.split(","), "주민등록번호"]),
    "a workbook's other sheet": a_workbook(["제목"], ["성명", "주민\n등록번호(뒷자리)"], sheet="회원"),
}
VALUED = {
    "numbers": with_values(*VALID),
    "without hyphens": with_values(*(value.replace("-", "") for value in VALID)),
    "full-width": with_values(*(value.translate({n: n + 0xFEE0 for n in range(0x30, 0x3A)}) for value in VALID)),
    "spaces and quotes": with_values(*(f'" {value[:6]} - {value[7:]} "' for value in VALID)),
    "UTF-16": with_values(*VALID, encoding="utf-16"),
    "of foreigners": with_values(*FOREIGN),
    "most": with_values(*VALID[:3], "900101-1234567", "", "x"),
    "behind many blanks": with_values(*[""] * 200, *VALID),
    "colons": with_values(*VALID).replace(b",", b":"),
    "no header": lines(*(f"x,{value}" for value in VALID)),
    "a workbook": a_workbook(HEADER.split(","), *([1, "202101", "", "", 5, "x", value] for value in VALID)),
    "a workbook's numbers": a_workbook(["번호"], *([int(value.replace("-", ""))] for value in [VALID[0]] * 3)),
    "at the end of a large file": with_values(*["x" * 900] * 1500, *VALID * 20_000),
}
ALLOWED = {
    "none": with_values("x", "y"),
    "half": with_values(*VALID[:3], "1", "2", "3"),
    "other check digits": with_values("900101-1234567", "851231-2043216", "010203-3123452", "770707-1000006"),
    "no such day": with_values("900132-1234562", "900132-1234562", "900132-1234562"),
    "two of them": with_values(*VALID[:2]),
    "part of a name": with_header("주민등록번호확인여부", encoding="cp949"),
    "the 21st row": lines(HEADER, *[ROW] * 19, f"{ROW},비밀번호", encoding="cp949"),
    "said in a cell": lines(f"{HEADER},메모", f"{ROW},현관 비밀번호: 1234", encoding="cp949"),
    "a broken workbook": b"PK\x03\x04" + bytes(100),
    "nothing": b"",
}


@pytest.mark.parametrize("case", NAMED)
def test_forbidden_headers_in_disguise(office: Office, case: str) -> None:
    _assert_not_landed(office, NAMED[case])


@pytest.mark.parametrize("case", VALUED)
def test_forbidden_values_whatever_their_header(office: Office, case: str) -> None:
    _assert_not_landed(office, VALUED[case])


def _assert_not_landed(office: Office, content: bytes) -> None:
    office.drop("kr_kepco", "kepco_1.csv", content)
    [file] = office.take_in("kr_kepco").files
    assert (file["status"], file["reason"]) == ("rejected", "forbidden_column")
    assert not [path for path in office.home.landing.rglob("*") if path.is_file()]
    assert not [value for value in VALID if value in file["detail"]]
    [receipt] = (office.home.receipts / "kr_kepco").glob("*.json")
    assert "900101" not in receipt.read_text("utf-8")


@pytest.mark.parametrize("case", ALLOWED)
def test_what_only_looks_like_it(office: Office, case: str) -> None:
    office.drop("kr_kepco", "kepco_1.csv", ALLOWED[case])
    [file] = office.take_in("kr_kepco").files
    assert file.get("reason") != "forbidden_column"


def test_accounts_that_look_like_days_are_let_pass(tmp_path: Path, sources) -> None:
    """Accounts 301-01dd-...: a day and a sign of a person stand first in them; one in ten has the check digit."""
    path = tmp_path / "a.csv"
    path.write_bytes(lines("계좌번호", *(f"301-01{n:02d}-{n * 7919 % 10_000:04d}-{n}1" for n in range(10, 32))))
    assert forbidden.found(sources["kr_enrolments"], path) == []


def test_every_korean_source_refuses_them() -> None:
    found = [source for source in load_sources([PROJECT_ROOT / "include/programs"]) if source.source_id[:3] == "kr_"]
    assert len(found) >= 6
    for source in found:
        resident, foreign = source.forbidden_values
        digits = [value.replace("-", "") for value in (*VALID, *FOREIGN)]
        assert [resident.fits(value) for value in digits] == [True] * 4 + [False] * 3
        assert [foreign.fits(value) for value in digits] == [False] * 4 + [True] * 3


def test_it_is_quick(tmp_path: Path, sources) -> None:
    """Some ten milliseconds for a register of thousands; here much more is allowed, for a loaded machine."""
    path = tmp_path / "a.csv"
    sample = min((PROJECT_ROOT / "include/programs/kr_carbon_point/sample/kr_enrolments").glob("*.csv")).read_bytes()
    path.write_bytes(sample * 100)
    started = time.process_time()
    assert forbidden.found(sources["kr_enrolments"], path) == []
    assert time.process_time() - started < 2
