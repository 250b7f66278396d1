"""Files of every kind of refusal: whoever is in them stays where personal data belong, behind closed folders."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import traceback
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tanso.ingest import ingest
from tanso.ingest.kinds.registry import KINDS
from tanso.ingest.model import LakeResult
from tanso.settings import PROJECT_ROOT, Home
from tests.ingest.conftest import workbook

PACK = PROJECT_ROOT / "include" / "programs" / "kr_carbon_point"
SAMPLE = PACK / "sample" / "kr_enrolments"
PERSON = {
    "참여자명": "홍첫줄", "아이디": "firstperson9", "도로명주소": "첫사람로 77길 12-3", "상세주소": "첫사람빌라 909호",
    "은행코드": "088", "계좌번호": "110-998-877665", "예금주": "홍첫줄", "그린카드번호": "9410-1111-2222-3333",
    "휴대전화": "010-9911-2288", "이메일": "first.person@example.org",
}  # fmt: skip
# ``quarantine`` shows rows as received; a provider gets the numbers back, but nothing personal.
OURS = {"inbox", "landing", "vault", "quarantine"}


def _register() -> tuple[list[str], list[list[str]]]:
    path = min(SAMPLE.glob("enrolments_*.csv"))
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    person = [PERSON.get(name, cell) for name, cell in zip(header, rows[0], strict=True)]
    return header, [person, *rows[1:40]]


def _csv(*rows: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _without(header: list[str], rows: list[list[str]], name: str, value: str) -> list[list[str]]:
    at = header.index(name)
    return [[*row[:at], value, *row[at + 1 :]] for row in rows]


def _far_cell() -> bytes:
    """A workbook of a cell in the last row and column that there can be."""
    content = io.BytesIO(workbook([["수용가번호"]]))
    with zipfile.ZipFile(content, "a") as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").replace(b'r="A1"', b'r="XFD1048576"')
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
    return content.getvalue()


def _files() -> dict[str, tuple[str, bytes]]:
    """reason (or ``accepted``), by source and file name."""
    header, rows = _register()
    bad = _without(header, rows, "가입일자", "어제")
    whole = _csv(header, *rows)
    return {
        "kr_enrolments/enrolments_20210101.csv": ("schema_mismatch", _csv(*rows)),
        "kr_enrolments/enrolments_20210102.csv": (
            "forbidden_column",
            _csv([*header, "주민등록번호"], *([*row, "900101-1234568"] for row in rows)),
        ),
        "kr_enrolments/enrolments_20210103.csv": ("too_many_bad_rows", _csv(header, *bad)),
        "kr_enrolments/enrolments_20210104.csv": ("not_decodable", whole[:-40] + b"\xff\xfe\xff" + whole[-40:]),
        "kr_enrolments/enrolments_20210105.csv": ("not_readable", whole + b'"' + b"x" * (1 << 21)),
        "kr_enrolments/enrolments_20210106.csv": ("accepted", _csv(header, bad[0], *rows[1:])),
        "kr_enrolments/enrolments_20210107.csv": ("schema_mismatch", _csv(["회원 명단"], header, *rows)),
        "kr_waterworks/water_1.xlsx": ("not_readable", b"no workbook"),
        "kr_waterworks/water_2.xlsx": ("not_readable", _far_cell()),
        "kr_waterworks/water_3.xlsx": ("schema_mismatch", workbook(rows)),
        "kr_waterworks/water_4.xlsx": (
            "accepted",
            workbook([["수용가번호", "사용년월", "사용량(㎥)"], ["1", "2021-13", 5], ["2", "2021-01", 6]]),
        ),
        "kr_kepco/kepco_1.csv": ("empty", b""),
    }


@pytest.fixture(scope="module", params=[0o000, 0o022], ids=["umask 000", "umask 022"])
def refused(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = Home(tmp_path_factory.mktemp("refused") / "home")
    expected = _files()
    for name, (_, content) in expected.items():
        path = home.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    before = os.umask(request.param)
    try:
        result = ingest(home, [PACK.parent])
    finally:
        os.umask(before)
    assert _became(result) == {Path(name).name: reason for name, (reason, _) in expected.items()}
    yield home


def _became(result: LakeResult) -> dict[str, str]:
    files = [file for source in result.sources for file in source.files]
    return {file["file_name"]: file.get("reason") or file["status"] for file in files}


def test_nobody_is_told_who_stands_in_a_refused_file(refused: Home) -> None:
    searched = 0
    for path in refused.root.rglob("*"):
        if path.is_file() and path.relative_to(refused.root).parts[0] not in OURS:
            content = path.read_bytes()
            spellings = content.decode("utf-8", errors="replace") + content.decode("cp949", errors="replace")
            assert [value for value in PERSON.values() if len(value) > 3 and value in spellings] == [], path
            assert "홍첫줄" not in spellings, path
            searched += 1
    assert searched > 30


def test_reports_name_the_missing_column_and_what_may_be_named(refused: Home) -> None:
    details = {
        report["file_name"]: report["detail"]
        for path in refused.rejected.rglob("*.json")
        for report in [json.loads(path.read_text("utf-8"))]
    }
    without_header = "column 참여자번호 is missing; the file has no declared column, so its first row may be no header"
    assert details["enrolments_20210101.csv"].startswith(without_header)
    assert details["enrolments_20210107.csv"].startswith(without_header)


def test_all_but_inbox_is_closed_to_others(refused: Home) -> None:
    inside = [path for path in refused.root.rglob("*") if refused.inbox not in (path, *path.parents)]
    assert len(inside) > 60
    assert [f"{path} {path.stat().st_mode:o}" for path in inside if path.stat().st_mode & 0o077] == []
    assert refused.root.stat().st_mode & 0o022 == 0


def test_a_fault_of_ours_quotes_no_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(con: duckdb.DuckDBPyConnection, *_: object) -> None:
        con.execute("select name::integer from raw").fetchall()

    monkeypatch.setitem(KINDS, "participants", dataclasses.replace(KINDS["participants"], judge=judge))
    home = Home(tmp_path / "home")
    path = home.inbox / "kr_enrolments" / "enrolments_20210101.csv"
    path.parent.mkdir(parents=True)
    header, rows = _register()
    path.write_bytes(_csv(header, *rows))
    with pytest.raises(RuntimeError) as raised:
        ingest(home, [PACK.parent])
    told = "".join(traceback.format_exception(raised.value))
    assert "enrolments_20210101.csv: ConversionException while it was judged" in told and "홍첫줄" not in told


def test_what_an_earlier_version_left_open_is_closed(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    path = home.lake / "participant_utilities" / "x.parquet"
    path.parent.mkdir(parents=True)
    home.root.chmod(0o755)
    home.lake.chmod(0o755)
    ingest(home, [PACK.parent])
    assert home.lake.stat().st_mode & 0o777 == 0o700
