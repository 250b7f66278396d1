"""Files: what is refused whole, how bytes become rows, and what is written about it."""

from __future__ import annotations

import csv
import datetime
import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from tanso.ingest import ingest_source
from tanso.ingest.landing import land
from tanso.ingest.verdicts.quarantine import guarded
from tests.ingest.conftest import HEADERS, Office, workbook

HEADER = HEADERS["kr_kepco"]


def kepco(number: int, usage: str = "1") -> str:
    return f"{number:010d},202101,,,{usage},주택용,정상"


def csv_bytes(*lines: str, encoding: str = "cp949", end: str = "\r\n") -> bytes:
    return "".join(line + end for line in lines).encode(encoding)


REFUSED = {
    "0 bytes": ("kr_kepco", b"", "empty"),
    "blank lines only": ("kr_kepco", b"\r\n\r\n", "empty"),
    "header only": ("kr_kepco", csv_bytes(HEADER), "empty"),
    "header and blank lines": ("kr_kepco", csv_bytes(HEADER, "", ""), "empty"),
    "empty workbook": ("kr_waterworks", workbook([]), "empty"),
    "0 bytes of a workbook": ("kr_waterworks", b"", "empty"),
    "workbook of a header": ("kr_waterworks", workbook([HEADERS["kr_waterworks"].split(",")]), "empty"),
    "another encoding": ("kr_kepco", csv_bytes(HEADER, kepco(1), encoding="utf-8"), "not_decodable"),
    "one bad byte": ("kr_kepco", csv_bytes(HEADER, kepco(1)) + b"0000000002,202101,,,1,\xff,\r\n", "not_decodable"),
    "one bad byte in UTF-8": (
        "kr_citygas",
        csv_bytes(HEADERS["kr_citygas"], encoding="utf-8") + b"A1,2021-01,1,m3,\xb3\xad,\n",
        "not_decodable",
    ),
    "a bad byte behind a ragged row": (
        "kr_kepco",
        csv_bytes(HEADER, "1,2") + b"0000000002,202101,,,1,\xff,\r\n",
        "not_decodable",
    ),
    "not decodable, and no header that we know": ("kr_kepco", b"a,b\r\n\xff\xff,1\r\n", "not_decodable"),
    "an open quote": (
        "kr_kepco",
        csv_bytes(HEADER, kepco(1), '0000000002,202101,,,1,주택용,"정상', kepco(3)),
        "not_readable",
    ),
    "not a workbook": ("kr_waterworks", b"PK\x03\x04 no zip", "not_readable"),
    "a CSV for a workbook": ("kr_waterworks", csv_bytes(HEADERS["kr_waterworks"], encoding="utf-8"), "not_readable"),
    "a column missing": ("kr_kepco", csv_bytes("고객번호,청구년월,계약종별", "1,2,3"), "schema_mismatch"),
    "a column missing in a workbook": (
        "kr_waterworks",
        workbook([["수용가번호", "사용년월"], ["1", "2"]]),
        "schema_mismatch",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_files_refused_whole(office: Office, case: str) -> None:
    source_id, content, reason = REFUSED[case]
    name = (
        "water_1.xlsx"
        if source_id == "kr_waterworks"
        else ("gas_1.csv" if source_id == "kr_citygas" else "kepco_1.csv")
    )
    office.drop(source_id, name, content)
    result = office.take_in(source_id)
    assert office.file(name) == ("rejected", reason, None, None, None, None)
    assert office.readings() == [] and office.refused() == []
    assert [file["reason"] for file in result.files] == [reason]
    [report] = (office.home.rejected / source_id).iterdir()
    assert json.loads(report.read_text(encoding="utf-8"))["reason"] == reason


def test_the_report_names_the_missing_column(office: Office) -> None:
    office.drop("kr_kepco", "kepco_1.csv", csv_bytes("고객번호,사용량,계약종별", "1,2,3"))
    [file] = office.take_in("kr_kepco").files
    there = "of the declared columns the file has 고객번호, 사용량, 계약종별"
    assert file["detail"] == f"column 청구년월 is missing; {there}"


@pytest.mark.parametrize(
    ("rows", "bad", "expected"),
    [(19, 19, "accepted"), (20, 1, "accepted"), (20, 2, "rejected"), (40, 2, "accepted"), (40, 3, "rejected")],
)
def test_too_many_bad_rows(office: Office, rows: int, bad: int, expected: str) -> None:
    """More than 5 % of at least 20 rows; whoever was in the lake before stays."""
    office.drop("kr_kepco", "kepco_1.csv", [kepco(1, "7")])
    office.take_in("kr_kepco")
    office.drop("kr_kepco", "kepco_2.csv", [kepco(number, "x" if number < bad else "1") for number in range(rows)])
    office.take_in("kr_kepco")
    status, reason, read, *_ = office.file("kepco_2.csv")
    assert (status, reason, read) == (
        ("accepted", None, rows) if expected == "accepted" else ("rejected", "too_many_bad_rows", None)
    )
    if expected == "rejected":
        assert office.readings() == [("electricity", "0000000001", "2021-01", "7.000")]
        assert office.refused() == []


def test_a_source_may_set_another_ratio(office: Office) -> None:
    source = replace(office.sources["kr_kepco"], max_bad_ratio=1)
    office.drop("kr_kepco", "kepco_1.csv", [kepco(number, "x") for number in range(30)])
    ingest_source(source, office.home, office.policy)
    office.publish()
    assert office.file("kepco_1.csv") == ("accepted", None, 30, 0, 30, 0)


def test_forbidden_columns_are_not_landed(office: Office) -> None:
    office.sources["kr_kepco"] = replace(office.sources["kr_kepco"], forbidden_columns=("주민등록번호",))
    secret = csv_bytes(HEADER + ", 주민 등록번호", kepco(1) + ",850101-1234567")
    hidden = csv_bytes((HEADER + ",주민등록번호").replace(",", ";"), kepco(1), encoding="utf-8")
    office.drop("kr_kepco", "kepco_1.csv", secret)
    office.drop("kr_kepco", "kepco_2.csv", hidden)  # another encoding and delimiter than declared
    for _ in range(2):
        office.take_in("kr_kepco")
        assert office.file("kepco_1.csv") == ("rejected", "forbidden_column", None, None, None, None)
        assert office.file("kepco_2.csv") == ("rejected", "forbidden_column", None, None, None, None)
        assert len(office.query("select * from lake.files")) == 2
    everything = [path for path in office.home.root.rglob("*") if path.is_file() and "inbox" not in path.parts]
    assert not any(b"850101" in path.read_bytes() for path in everything)
    assert list(office.home.landing.iterdir()) == []


READABLE = {
    "LF": csv_bytes(HEADER, kepco(1), kepco(2), end="\n"),
    "CR": csv_bytes(HEADER, kepco(1), kepco(2), end="\r"),
    "everything in quotes": csv_bytes(*('"' + line.replace(",", '","') + '"' for line in (HEADER, kepco(1), kepco(2)))),
    "a header twice: the first counts": csv_bytes(HEADER + ",사용량", kepco(1) + ",x", kepco(2) + ",-1"),
    "no end of line at the end": csv_bytes(HEADER, kepco(1), kepco(2)).rstrip(),
    "blank lines": csv_bytes("", HEADER, "", kepco(1), "", "", kepco(2), ""),
    "lines of spaces": csv_bytes(HEADER, kepco(1), "   ", kepco(2)),
    "other order, another column": csv_bytes(
        "메모,사용량,청구년월,고객번호,계약종별", ",1,202101,1-000000000,", "x,1,202101,0000000002,"
    ),
    "quoted new lines": csv_bytes(
        HEADER, '0000000001,202101,,,1,"주택용\r\n(저압)",정상', '0000000002,202101,,,"1",a"b,'
    ),
    "headers folded": csv_bytes(
        " 고객번호 ,청구년월,사용량　,계약종별", "0000000001,202101,1,", "0000000002,202101,１,"
    ),
    "too many cells": csv_bytes(HEADER, kepco(1) + ",more", kepco(2)),
    "too few cells": csv_bytes(HEADER, "0000000001,202101,,,1", kepco(2)),
}


@pytest.mark.parametrize("case", READABLE)
def test_ways_to_write_a_csv(office: Office, case: str) -> None:
    office.drop("kr_kepco", "kepco_1.csv", READABLE[case].replace(b"1-000000000", b"0000-000001"))
    office.take_in("kr_kepco")
    assert office.file("kepco_1.csv") == ("accepted", None, 2, 2, 0, 0)
    assert [row[1] for row in office.readings()] == ["0000000001", "0000000002"]


def test_row_no_counts_data_rows_only(office: Office) -> None:
    office.drop("kr_kepco", "kepco_1.csv", csv_bytes(HEADER, "", kepco(1), "", kepco(2, "x"), "1,2", kepco(3)))
    office.take_in("kr_kepco")
    assert office.refused() == [(2, "bad_number"), (3, "missing_value")]


def test_utf8_with_byte_order_mark(office: Office) -> None:
    for name, quoted in (("gas_1.csv", "사용계약번호"), ("gas_2.csv", '"납부번호"')):
        header = HEADERS["kr_citygas"].replace("사용계약번호", quoted)
        office.drop("kr_citygas", name, csv_bytes(header, f"{name[4]},2021-01,1,m3,,", encoding="utf-8-sig"))
    office.take_in("kr_citygas")
    assert [row[1] for row in office.readings()] == ["1", "2"]


def test_ignored_columns_and_files_are_listed(office: Office) -> None:
    office.drop("kr_kepco", "kepco_1.csv", csv_bytes(HEADER + ",메모,비고", kepco(1) + ",a,b"))
    left = office.drop("kr_kepco", "KEPCO_2.csv", b"left alone")
    result = office.take_in("kr_kepco")
    assert result.ignored_files == ["KEPCO_2.csv"]
    assert result.files[0]["ignored_columns"] == ["메모", "비고"]
    assert left.read_bytes() == b"left alone"
    assert json.loads(json.dumps(result.summary()))["source_id"] == "kr_kepco"


def test_workbook_cells_stand_for_their_text(office: Office) -> None:
    rows = [
        ["관리번호", "사용년월", "사용량(㎥)", "검침구분"],
        [1234567, 202101, 12.0, "정상"],
        ["0012-34", "2021.02", "1,234.5", "인정"],
        [],
        ["  ", "", None, ""],
        [77.0, datetime.date(2021, 3, 1), 36.900000000000006, None],
        [1e14, "2021-04", 0.0005, None],
        ["", "2021-04", 5, None],
        [78, datetime.date(2021, 3, 15), 1, None],
    ]
    office.drop("kr_waterworks", "water_1.xlsx", workbook(rows))
    office.take_in("kr_waterworks")
    assert office.readings() == [
        ("water", "001234", "2021-02", "1234.500"),
        ("water", "100000000000000", "2021-04", "0.001"),
        ("water", "1234567", "2021-01", "12.000"),
        ("water", "77", "2021-03", "36.900"),
    ]
    assert office.refused() == [(5, "missing_value"), (6, "bad_month")]
    assert office.query("select meter_key from lake.readings where is_estimated") == [("001234",)]


def test_quarantine_holds_the_rows_as_received(office: Office) -> None:
    header = "메모," + HEADER
    rows = ["=1+1,０１２３４５６７８９,2021-99,,, 1 ,주택용,정상", "ok," + kepco(2), "-5,+82-10,202101,,,-5,@x,\t정상"]
    office.drop("kr_kepco", "kepco_1.csv", rows, header)
    office.take_in("kr_kepco")
    [path] = (office.home.quarantine / "kr_kepco").iterdir()
    assert path.name.startswith("kepco_1-") and path.suffix == ".csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [
            [*header.split(","), "row_no", "reason"],
            ["'=1+1", "０１２３４５６７８９", "2021-99", "", "", " 1 ", "주택용", "정상", "1", "bad_month"],
            ["-5", "'+82-10", "202101", "", "", "-5", "'@x", "'\t정상", "3", "bad_customer_no"],
        ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=A1", "'=A1"),
        ("+1", "+1"),
        ("-1,000.5", "-1,000.5"),
        ("-1-2", "'-1-2"),
        ("@a", "'@a"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_formula_guard(cell: str, written: str) -> None:
    assert guarded(cell) == written


def test_long_cells_and_many_rows(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of the fast reading and chunks of the patient one are joined without a seam."""
    monkeypatch.setattr("tanso.ingest.formats.csv_blocks.BLOCK_BYTES", 4096)
    monkeypatch.setattr("tanso.ingest.formats.parsers._BATCH_ROWS", 7)
    rows = [f"{number:010d},202101,,,{number},주택용,정상" for number in range(500)]
    office.drop("kr_kepco", "kepco_1.csv", csv_bytes(HEADER, *rows))
    office.drop("kr_kepco", "kepco_2.csv", csv_bytes(HEADER, *rows, kepco(600) + "x" * 5000))
    office.drop("kr_kepco", "kepco_3.csv", csv_bytes(HEADER, *rows, "1,2", kepco(700)))
    office.take_in("kr_kepco")
    assert office.file("kepco_1.csv") == ("accepted", None, 500, 500, 0, 0)
    assert office.file("kepco_2.csv") == ("accepted", None, 501, 501, 0, 0)
    assert office.file("kepco_3.csv") == ("accepted", None, 502, 501, 1, 0)
    assert office.query("select count(*), sum(usage) from lake.readings") == [(502, "124752.000")]  # 0 + … + 499, 1, 1
    assert office.query("select row_no from lake.quarantine") == [(501,)]


def test_landed_bytes_are_the_received_ones(office: Office) -> None:
    content = csv_bytes(HEADER, kepco(1), kepco(2, "x"))
    path = office.drop("kr_kepco", "kepco_1.csv", content)
    office.take_in("kr_kepco")
    assert path.read_bytes() == content
    [landed] = [file for file in office.home.landing.rglob("*") if file.is_file()]
    [receipt] = (office.home.receipts / "kr_kepco").iterdir()
    stored = json.loads(receipt.read_text(encoding="utf-8"))
    assert receipt.name == "000001.json"
    assert landed.read_bytes() == content
    assert landed == office.home.landing / stored["sha256"][:2] / stored["sha256"]
    assert {key: stored[key] for key in ("file_name", "size", "received_no", "status")} == {
        "file_name": "kepco_1.csv",
        "size": len(content),
        "received_no": 1,
        "status": "landed",
    }
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in (landed, receipt))
    assert all(
        stat.S_IMODE(folder.stat().st_mode) == 0o700 for folder in (landed.parent, office.home.landing, receipt.parent)
    )


def test_no_folder_is_no_file(office: Office) -> None:
    assert ingest_source(office.sources["kr_kepco"], office.home, office.policy).summary() == {
        "source_id": "kr_kepco",
        "files": [],
        "ignored_files": [],
        "left_files": [],
        "problems": [],
    }


def test_a_place_that_cannot_be_pulled_is_a_problem(office: Office) -> None:
    office.drop("kr_kepco", "kepco_1.csv", [kepco(1)])
    office.take_in("kr_kepco")
    source = replace(office.sources["kr_kepco"], pull_url="nowhere://host/folder")
    result = ingest_source(source, office.home, office.policy)
    assert len(result.problems) == 1 and "nowhere://host/folder cannot be pulled" in result.problems[0]


def test_any_url_of_the_filesystem_layer(office: Office, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kepco_1.csv").write_bytes(csv_bytes(HEADER, kepco(1)))
    source = replace(office.sources["kr_kepco"], pull_url=(tmp_path / "elsewhere").as_uri())
    for expected in (1, 0):  # the second time there is nothing new
        assert len(ingest_source(source, office.home, office.policy).files) == expected


def test_files_judged_one_after_another_know_nothing_of_each_other(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small ones, whose rows are looked at where they are, and large ones, whose rows are put into the database."""
    monkeypatch.setattr("tanso.ingest.formats.received._HELD_BYTES", 1000)
    monkeypatch.setattr("tanso.ingest.formats.received._FEW_ROWS", 5)
    files = {
        "a": [kepco(1), kepco(1, "2"), kepco(2)],  # a conflict
        "b": [kepco(number) for number in range(100, 140)],
        "c": [kepco(number) for number in range(10, 17)],
        "d": [kepco(number) for number in range(20, 60)] + [kepco(20)],  # a copy
        "e": [kepco(3, "x")],
    }
    for name, rows in files.items():
        office.drop("kr_kepco", f"kepco_{name}.csv", rows)
    office.take_in("kr_kepco")
    assert {name: office.file(f"kepco_{name}.csv")[2:] for name in files} == {
        "a": (3, 1, 2, 0), "b": (40, 40, 0, 0), "c": (7, 7, 0, 0), "d": (41, 40, 0, 1), "e": (1, 0, 1, 0),
    }  # fmt: skip
    assert office.query("select count(*) from lake.readings") == [(1 + 40 + 7 + 40,)]
    assert office.refused() == [(1, "bad_number"), (1, "conflicting_duplicate"), (2, "conflicting_duplicate")]


def test_many_files_at_once(office: Office) -> None:
    """More than are brought to disk together; of one meter and month the last name's reading is in force."""
    for number in range(230):
        office.drop("kr_kepco", f"kepco_{number:03d}.csv", [kepco(1, str(number)), kepco(number + 2)])
    result = office.take_in("kr_kepco")
    assert [file["file_name"] for file in result.files] == [f"kepco_{number:03d}.csv" for number in range(230)]
    receipts = sorted((office.home.receipts / "kr_kepco").iterdir())
    assert [path.name for path in receipts] == [f"{number:06d}.json" for number in range(1, 231)]
    assert len(office.query("select * from lake.readings")) == 231
    assert ("electricity", "0000000001", "2021-01", "229.000") in office.readings()


def test_bytes_are_on_disk_before_their_receipts(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    sync, replace_path = land.sync, Path.replace
    monkeypatch.setattr(land, "sync", lambda path: (done.append(f"sync {path.name}"), sync(path)))
    monkeypatch.setattr(Path, "replace", lambda path, to: (done.append(f"to {to.name}"), replace_path(path, to))[1])
    office.drop("kr_kepco", "kepco_1.csv", [kepco(1)])
    office.drop("kr_kepco", "kepco_2.csv", [kepco(2)])
    ingest_source(office.sources["kr_kepco"], office.home, office.policy)
    hashes = [path.name for path in office.home.landing.glob("*/*")]
    first = min(done.index("to 000001.json"), done.index("to 000002.json"))
    assert all(done.index(f"sync {name}") < first and done.index(f"sync {name[:2]}") < first for name in hashes)
    assert done.index("sync kr_kepco") > max(done.index("to 000001.json"), done.index("to 000002.json"))
