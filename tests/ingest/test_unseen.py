"""What nobody sees is not there: invisible characters in cells and headers, and rows of nothing."""

from __future__ import annotations

import csv
import io
import sys
import unicodedata
from dataclasses import replace

import pyarrow as pa
import pytest

from tanso.ingest.formats import texts
from tests.ingest.conftest import HEADERS, Office, workbook

ZWSP, BOM, SHY, RLM, FILLER = "\u200b", "\ufeff", "\u00ad", "\u200f", "\u3164"


def test_every_character_of_the_category_goes() -> None:
    formats = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Cf"]
    cells = [f"1{letter}2" for letter in formats]
    assert texts.fold(pa.array(cells)).to_pylist() == ["12"] * len(formats)
    assert [texts.fold_text(cell) for cell in cells] == ["12"] * len(formats)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("\u3000 \t\u00a0", None),
        (ZWSP, None),
        (f" {BOM}\x00\x1b ", None),  # control characters show nothing either
        (FILLER + "\u2800" + "\ufe0f", None),
        ("葛\U000e0100飾", "葛飾"),  # the selector of a variant
        ("ᄒ\u200dᅡ", "하"),  # put together once the joiner is gone
        ("1\x002", "1\x002"),  # within a value they are damage, and stay to be refused
        ("\x7f12", "12"),
    ],
)
def test_cells(cell: str, expected: str | None) -> None:
    assert texts.fold(pa.array([cell])).to_pylist() == [expected]
    assert (texts.fold_text(cell) or None) == expected


GAS = [
    f"0012345001{ZWSP},202101,11,m3,취{SHY}사용,인{RLM}정",
    f'{BOM}0012345002,2021{ZWSP}01,"{RLM}1,000{ZWSP}",m3,취사용,인정',
    f"0012345003,202101,{ZWSP},m3,취사용,인정",
]


def test_meters_tariffs_and_kinds_of_reading_are_the_same_as_without(office: Office) -> None:
    header = HEADERS["kr_citygas"].replace("사용량", f"사용{ZWSP}량").replace("단위", f"{FILLER}단위{SHY}")
    office.drop("kr_citygas", "gas_1.csv", GAS, header)
    office.take_in("kr_citygas")
    assert office.query("select meter_key, usage, tariff, is_estimated from lake.readings order by all") == [
        ("0012345001", "11.000", "취사용", True),
        ("0012345002", "1000.000", "취사용", True),
    ]
    assert office.refused() == [(3, "missing_value")]
    [path] = (office.home.quarantine / "kr_citygas").glob("*.csv")
    # What we show is what we got.
    assert list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))[1][2] == ZWSP


BLANK = [",,,,,,", ",,", '"","",,,,,', f" ,\t,{ZWSP},,\u3000,,{FILLER}", "", "   ", f"{BOM}"]
READING = "000000000{},202101,,,{},주택용,정상"


@pytest.mark.parametrize(
    "blank", [[",,,,,,"], ['"",,,,,,'], [",,,,,,,,,"], BLANK], ids=["commas", "quotes", "wide", "all"]
)
@pytest.mark.parametrize("first", ["header", "blank rows"])
def test_rows_of_nothing_are_blank_lines(office: Office, blank: list[str], first: str) -> None:
    """However the file is read: in blocks, or with patience because rows differ in length."""
    rows = [READING.format(1, 1), *blank, READING.format(2, "x"), *blank, READING.format(3, 3), *blank]
    lines = [HEADERS["kr_kepco"], *rows]
    office.sources["kr_kepco"] = replace(office.sources["kr_kepco"], encoding="utf-8")
    content = "\r\n".join(lines if first == "header" else [*blank, *lines]).encode()
    office.drop("kr_kepco", "kepco_1.csv", content)
    office.take_in("kr_kepco")
    assert office.file("kepco_1.csv") == ("accepted", None, 3, 2, 1, 0)
    assert office.refused() == [(2, "bad_number")]
    assert [row[3] for row in office.readings()] == ["1.000", "3.000"]


def test_a_row_with_something_in_an_ignored_column_is_no_blank_line(office: Office) -> None:
    office.drop(
        "kr_kepco", "kepco_1.csv", [READING.format(1, 1) + ",", ",,,,,,,memo", ",,,,,,,"], HEADERS["kr_kepco"] + ",메모"
    )
    office.take_in("kr_kepco")
    assert office.file("kepco_1.csv") == ("accepted", None, 2, 1, 1, 0)
    assert office.refused() == [(2, "missing_value")]


def test_blank_rows_of_a_workbook(office: Office) -> None:
    rows = [[ZWSP, "", "", ""], HEADERS["kr_waterworks"].split(","), ["1", "202101", 1, ""], [" ", FILLER, BOM, ""],
            ["2", "202101", ZWSP, ""]]  # fmt: skip
    office.drop("kr_waterworks", "water_1.xlsx", workbook(rows))
    office.take_in("kr_waterworks")
    assert office.file("water_1.xlsx") == ("accepted", None, 2, 1, 1, 0)
    assert office.refused() == [(2, "missing_value")]


def test_a_file_of_nothing_but_blank_rows_is_empty(office: Office) -> None:
    office.drop("kr_kepco", "kepco_1.csv", [",,,,,,"] * 3)
    office.take_in("kr_kepco")
    assert office.file("kepco_1.csv")[:2] == ("rejected", "empty")
