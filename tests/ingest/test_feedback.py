"""What providers get back: refused rows in their own columns, encoding and language, without personal data."""

from __future__ import annotations

import csv
import io
import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from tanso.ingest import ingest_source
from tanso.ingest.verdicts import feedback
from tanso.packs.sources import SourceError
from tests.ingest.conftest import HEADERS, Office

HEADER = HEADERS["kr_kepco"]
KOREAN = ["행 번호", "항목", "값", "사유", "reason (English)"]


def answer(office: Office, source_id: str, encoding: str) -> list[list[str]]:
    """The lines of the only feedback file."""
    [path] = (office.home.feedback / source_id).glob("*.csv")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    content = path.read_bytes()
    assert content.endswith(b"\r\n")
    return list(csv.reader(io.StringIO(content.decode(encoding), newline="")))


def test_rows_come_back_as_received_with_column_value_and_reason(office: Office) -> None:
    rows = [
        "0000000001,202101,,,1,주택용,정상",
        "０１２３,202101,,,1,주택용,정상",
        "0000000003,2021-13,,,1,주택용,정상",
        "0000000004,202101,,,=1+1,주택용,정상",
        "0000000005,202101,,,-5,주택용,@x",
        '0000000006,202101,,," 100,001",주택용,정상',
        "0000000007,202101,20210105,20210104,1,주택용,정상",
        "0000000008,202101,,,,주택용,정상",
        "0000000009,202101,,,1,주택용,정상",
        "0000000009,202101,,,2,주택용,정상",
    ]
    office.drop("kr_kepco", "kepco_1.csv", rows)
    office.take_in("kr_kepco")
    lines = answer(office, "kr_kepco", "cp949")
    assert lines[0] == [*HEADER.split(","), *KOREAN]
    assert [line[7:10] for line in lines[1:]] == [
        ["2", "고객번호", "０１２３"],
        ["3", "청구년월", "2021-13"],
        ["4", "사용량", "'=1+1"],
        ["5", "사용량", "-5"],
        ["6", "사용량", "100,001"],
        ["7", "검침시작일, 검침종료일", "20210105, 20210104"],
        ["8", "사용량", ""],
        ["9", "사용량", "1"],
        ["10", "사용량", "2"],
    ]
    assert lines[3][:7] == ["0000000004", "202101", "", "", "'=1+1", "주택용", "정상"]
    assert lines[4][6] == "'@x"
    assert lines[1][10:] == ["고객번호 형식이 맞지 않습니다.", "The customer number does not have the agreed form."]


def test_of_several_usages_the_bad_one_is_named(office: Office) -> None:
    office.drop(
        "kr_apartments", "apt_1.csv", ["A1,101,1,202101,10,x,3", "A1,101,,202101,10,1,3", "A1,1,2,202101,1,2,-3"]
    )
    office.take_in("kr_apartments")
    lines = answer(office, "kr_apartments", "cp949")
    assert [line[7:10] for line in lines[1:]] == [["1", "수도", "x"], ["2", "호", ""], ["3", "가스", "-3"]]


def test_japanese_and_cp932(office: Office) -> None:
    office.drop("jp_meter_slips", "slips_1.csv", ["N1,電気,2018-07,300,x", "N2,水道,2018-07,1,1", "N3,電気,七月,1,1"])
    office.take_in("jp_meter_slips")
    lines = answer(office, "jp_meter_slips", "cp932")
    assert lines[0][5:] == ["行番号", "項目", "値", "理由", "reason (English)"]
    assert [line[6:9] for line in lines[1:]] == [
        ["前年使用量", "x", "数値を読み取れません。"],
        ["種別", "水道", "取り決めた単位またはエネルギーの種別ではありません。"],
        ["対象年月", "七月", "年月を読み取れません（YYYYMM または YYYY-MM）。"],
    ]


def test_a_workbook_is_answered_in_utf8(office: Office) -> None:
    office.drop("kr_waterworks", "water_1.xlsx", ["1234,202101,x,정상"])
    office.take_in("kr_waterworks")
    assert answer(office, "kr_waterworks", "utf-8-sig")[1][4:7] == ["1", "사용량(㎥)", "x"]


def test_columns_that_nobody_asked_for_are_blotted_out(office: Office) -> None:
    office.drop(
        "kr_kepco", "kepco_1.csv", ["홍길동,1,202101,,,x,주택용,정상", ",2,202101,,,x,주택용,정상"], "성명," + HEADER
    )
    office.take_in("kr_kepco")
    assert [line[0] for line in answer(office, "kr_kepco", "cp949")] == ["성명", "***", ""]


def test_too_many_bad_rows_come_back_too(office: Office) -> None:
    office.drop("kr_kepco", "kepco_1.csv", [f"{number:010d},202101,,,x,주택용,정상" for number in range(20)])
    office.take_in("kr_kepco")
    assert office.file("kepco_1.csv")[:2] == ("rejected", "too_many_bad_rows")
    assert len(answer(office, "kr_kepco", "cp949")) == 1 + 20
    [notice] = (office.home.feedback / "kr_kepco").glob("*.txt")
    text = notice.read_text(encoding="utf-8-sig")
    assert "오류가 있는 행이 너무 많아" in text and "Too many rows have mistakes" in text and "20 of 20 rows" in text


def test_a_file_refused_whole_is_reported_in_both_languages(office: Office) -> None:
    office.drop("kr_kepco", "kepco_1.csv", b"")
    office.sources["kr_kepco"] = replace(office.sources["kr_kepco"], forbidden_columns=("비밀번호",))
    office.drop("kr_kepco", "kepco_2.csv", ["1,secret"], "고객번호,비밀번호")
    office.take_in("kr_kepco")
    for path in (office.home.rejected / "kr_kepco").iterdir():
        report = json.loads(path.read_text(encoding="utf-8"))
        assert report["messages"] == {language: feedback.texts(language)[report["reason"]] for language in ("ko", "en")}
    notices = [path.read_text(encoding="utf-8-sig") for path in (office.home.feedback / "kr_kepco").iterdir()]
    assert len(notices) == 2 and not any("secret" in notice for notice in notices)


def test_feedback_is_made_again(office: Office) -> None:
    office.drop("kr_kepco", "kepco_1.csv", ["1,202101,,,1,,"])
    office.take_in("kr_kepco")
    [path] = (office.home.feedback / "kr_kepco").iterdir()
    before = path.read_bytes()
    path.unlink()
    office.take_in("kr_kepco")
    assert path.read_bytes() == before


def test_a_corrected_declaration_leaves_no_old_answer(office: Office) -> None:
    office.drop("kr_kepco", "kepco_1.csv", ["1,202101,,,1,,"])
    office.take_in("kr_kepco")
    options = {**office.sources["kr_kepco"].options, "customer_no_pattern": "[0-9]+"}
    office.sources["kr_kepco"] = replace(office.sources["kr_kepco"], options=options, fingerprint="another")
    office.take_in("kr_kepco")
    assert list((office.home.feedback / "kr_kepco").iterdir()) == []


def test_every_language_has_every_text_and_the_encodings_have_them() -> None:
    with feedback.TEXTS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    codes = {language: [row["code"] for row in rows if row["language"] == language] for language in ("en", "ko", "ja")}
    assert codes["en"] == codes["ko"] == codes["ja"] and len(set(codes["en"])) == len(codes["en"])
    for row in rows:
        row["text"].encode({"en": "ascii", "ko": "cp949", "ja": "cp932"}[row["language"]])


def test_an_unknown_language_is_an_error(office: Office) -> None:
    with pytest.raises(SourceError, match="feedback_language: 'xx' has no texts"):
        ingest_source(replace(office.sources["kr_kepco"], feedback_language="xx"), office.home, office.policy)


def test_every_reason_in_the_code_has_a_text() -> None:
    from tanso.ingest.kinds import participants, reading_rows

    known = set(feedback.texts("en"))
    assert set(reading_rows._REASONS) <= known and known >= participants.LENIENT_REASONS


def test_a_character_the_encoding_lacks(tmp_path: Path) -> None:
    assert "".join(feedback._encodable("가나𠮷a", "cp949")) == "가나〓a"
