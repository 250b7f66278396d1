"""Letters that encodings tell apart, from the providers' files in ``letters/`` to the municipality's, in one run.

Expected are the letters of the registers; what the recipient's encoding lacks is said beside them.
"""

from __future__ import annotations

import csv
import shutil
from datetime import date
from pathlib import Path

import pytest
from pypdf import PdfReader

from tanso.settings import PROJECT_ROOT, Home
from tests.blackbox.chain import batch_folders, run_and_issue
from tests.blackbox.japan import Japan

LETTERS = Path(__file__).with_name("letters")
SENT = {
    "kr_enrolments": "enrolments_20210101.csv",
    "kr_kepco": "kepco_202012.csv",
    "jp_registrations": "registrations_20190103.csv",
}
# U+FA10, U+FA11, U+FA19 and U+FA1B are letters of their own beside 塚, 崎, 神 and 福; U+E000 is a ward's own letter.
NAMES = [
    "\ufa10本 晴美", "髙\ufa11 祐一", "神\ufa19 福\ufa1b", "ｻﾄｳ ﾊﾅｺ", "波～子", "\ue000外字", "㈱中野", "①番",
    "カ゛ン太", "∥並行", "凜―花", "－子", "吉・田",
]  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Of 400 kWh in the Korean years before 300 are left, of 300 kWh in Japan 270: all are paid."""
    home = Home(tmp_path_factory.mktemp("letters") / "home")
    for source, name in SENT.items():
        (home.inbox / source).mkdir(parents=True)
        shutil.copyfile(LETTERS / name, home.inbox / source / name)
    ward = Japan()
    for number in range(8000, 8013):
        ward.slips(f"N{number}", 2018, 300, 270).apply(f"N{number}", reports=6)
    ward.write(home.inbox, "20190320")
    programs = PROJECT_ROOT / "include" / "programs"
    issued = run_and_issue(home.root, programs, date(2021, 7, 1), "Kim", anything_new=True)
    assert sorted(issued) == ["jp_nakano_eco_point/FY2018-001", "kr_carbon_point/2020H2-001"]
    return home


def rows(home: Home, batch: str, name: str, encoding: str) -> list[dict[str, str]]:
    """Rows of a file as whoever gets it reads it."""
    with (batch_folders(home.root)[batch] / name).open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file))


def lost(home: Home, batch: str) -> list[list[str]]:
    """participant_id, file, row, column, characters, written_as"""
    program_id, batch_id = batch.split("/")
    path = home.reports / "lost_characters" / program_id / f"{batch_id}.csv"
    return list(csv.reader(path.read_text("utf-8").splitlines()))[1:]


def test_korean_dots_and_letters_of_buildings(home: Home):
    """CP949 has · (U+00B7), ㆍ (U+318D), ㄱ and ㉮, and lacks ・ (U+30FB)."""
    vouchers = rows(home, "kr_carbon_point/2020H2-001", "48170/voucher.csv", "cp949")
    place = "경상남도 진주시 가상로"
    # 25 % saved: 15,000 points of 2 won.
    assert [tuple(row.values()) for row in vouchers] == [
        ("1", "ML0001", "가상인가", "52600", f"{place} 53 (현대\u00b7삼환아파트)", "101", "30000"),
        ("2", "ML0002", "가상인나", "52600", f"{place} 54 (현대\u318d삼환아파트)", "102", "30000"),
        ("3", "ML0003", "가상인다", "52600", f"{place} 55 (현대\u00b7삼환아파트)", "103", "30000"),
        ("4", "ML0004", "가상인라", "52600", f"{place} 56", "ㄱ 104 ㉮호 옆, 1층", "30000"),
    ]
    assert lost(home, "kr_carbon_point/2020H2-001") == [
        ["ML0003", "48170/voucher.csv", "3", "도로명주소", "1", "\u00b7"]
    ]


def guarded(name: str) -> str:
    """A spreadsheet takes a full-width minus for the beginning of a formula."""
    return f"'{name}" if name.startswith("－") else name


@pytest.mark.parametrize("file", ["prizes.csv", "notices.csv"])
def test_japanese_names_are_the_registered_ones(home: Home, file: str):
    found = rows(home, "jp_nakano_eco_point/FY2018-001", f"13114/{file}", "cp932")
    assert [(row["参加者番号"], row["氏名"]) for row in found] == [
        (f"N{8000 + number}", guarded(name)) for number, name in enumerate(NAMES)
    ]
    assert {row["住所"].rpartition("－")[0] for row in found} == {"東京都中野区中野1～3"}


def test_who_won_is_written_to_by_the_registered_name(home: Home):
    """The order is drawn."""
    winners = rows(home, "jp_nakano_eco_point/FY2018-001", "13114/lottery_winners.csv", "cp932")
    names = {row["参加者番号"]: row["氏名"] for row in winners}
    assert names == {f"N{8000 + number}": guarded(name) for number, name in enumerate(NAMES)}


def test_names_in_the_municipality_s_files_have_the_bytes_of_the_register(home: Home):
    """But for the guard: no letter was exchanged for another of the same shape, nor its code for another."""
    sent = (LETTERS / SENT["jp_registrations"]).read_bytes().splitlines()[1:]
    folder = batch_folders(home.root)["jp_nakano_eco_point/FY2018-001"] / "13114"
    prizes = (folder / "prizes.csv").read_bytes().splitlines()[1:]
    assert [row.split(b",")[2].removeprefix(b"'") for row in prizes] == [row.split(b",")[1] for row in sent]


def test_a_letter_of_the_ward_s_own_is_in_no_font(home: Home):
    """Of the letters only U+E000 is shown as 〓, in the one file that is typeset, and who it is is listed."""
    batch = "jp_nakano_eco_point/FY2018-001"
    pages = [page.extract_text() for page in PdfReader(batch_folders(home.root)[batch] / "13114/notices.pdf").pages]
    assert ["〓" in page for page in pages] == [number == 5 for number in range(13)]
    assert lost(home, batch) == [["N8005", "13114/notices.pdf", "6", "氏名", "1", "〓"]]
