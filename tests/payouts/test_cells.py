"""What a cell of a file that leaves the house shows: no second row, nothing unseen, the registered letters."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml
from lxml import etree
from python_calamine import CalamineWorkbook

from tanso.cells import fit
from tanso.payouts import Batch, issue, propose
from tanso.payouts.files import lost_characters, zengin
from tanso.payouts.files.csv_files import is_encodable
from tests.payouts.conftest import JP, KR, House

AT = datetime(2021, 6, 2, 3, 4, 5, tzinfo=UTC)
# A name that brings a transfer of its own, and every other way to begin a line or to hide something.
FORGED = "김철수\r\n999,088,110999999999,도둑,5000000,,K9\x00\x1b[2J\u2028\u0085\x0b\u202e\u200b끝"
SEEN = "김철수  999,088,110999999999,도둑,5000000,,K9  [2J   끝"


def pay(house: House, day: date = date(2021, 6, 1), roots: list[Path] | None = None) -> Batch:
    home = house.publish()
    (proposal,) = propose(home, day, roots)
    return issue(home, proposal, "Kim", roots, issued_at=AT)


def rows(path: Path, encoding: str) -> list[list[str]]:
    content = path.read_bytes().decode(encoding)
    assert not set(content.replace("\r\n", "")) & set("\r\n\x00\x1b\x0b\u2028\u0085\u202e\u200b")
    lines = content.split("\r\n")[1:-1]
    assert [len(list(csv.reader([line]))) for line in lines] == [1] * len(lines)
    return list(csv.reader(lines))


def test_a_name_never_makes_a_second_transfer(house: House):
    for number, kind in enumerate(("cash", "voucher", "green_card"), start=1):
        house.money(f"K{number}", 1_000, incentive_type=kind, name=FORGED, account_holder=FORGED, address=FORGED)
    folder = pay(house).path / "48170"
    assert rows(folder / "cash.csv", "cp949") == [
        ["1", "088", "110222333333", SEEN, "2000", "탄소포인트 2020H2", "K1"]
    ]  # fmt: skip
    (voucher,) = rows(folder / "voucher.csv", "cp949")
    assert (voucher[2], voucher[4]) == (SEEN, SEEN)
    (card,) = rows(folder / "green_card.csv", "cp949")
    assert card[2] == SEEN
    assert len(rows(folder / "review.csv", "cp949")) == 3
    root = etree.parse(str(folder / "cash.pain001.xml")).getroot()
    (holder,) = root.iterfind(".//{*}Cdtr/{*}Nm")
    assert holder.text == SEEN and len(list(root.iterfind(".//{*}CdtTrfTxInf"))) == 1


def test_nor_in_a_workbook(house: House, tmp_path: Path):
    layout = {
        "encoding": "utf-8",
        "transfer_note": "=x",
        "files": {
            "cash.xlsx": {
                "rows": "lines",
                "incentive_type": "cash",
                "format": "xlsx",
                "columns": {"holder": "account_holder", "note": "transfer_note", "amount": "amount"},
            }
        },
    }
    (tmp_path / KR).mkdir()
    (tmp_path / KR / "payouts.yml").write_text(yaml.safe_dump(layout), "utf-8")
    house.money("K1", 1_000, account_holder=FORGED)
    book = CalamineWorkbook.from_path(str(pay(house, roots=[tmp_path]).path / "48170" / "cash.xlsx"))
    # Texts are texts in a workbook: nothing is run, and no sign is added to a name that a bank compares.
    assert book.get_sheet_by_index(0).to_python()[1:] == [[2_000.0, SEEN, "=x"]]


@pytest.mark.parametrize("sign", "\n\r\x00\x1b\u2028\u202e\u200b")
def test_nor_in_a_record_of_fixed_length(sign: str):
    with pytest.raises(ValueError, match="has a character that is none of"):
        zengin.half_width(f"ﾅｶﾉ{sign}ﾊﾅ")


@pytest.mark.parametrize(
    ("text", "encoding", "written", "counts"),
    [
        ("가·나ㆍ다・라･마", "cp949", "가·나ㆍ다·라·마", [(2, "·")]),
        ("中·野ㆍ東", "cp932", "中・野・東", [(2, "・")]),
        ("1‐2−3―4—5–6－7", "cp949", "1-2-3―4―5-6－7", [(3, "-"), (1, "―")]),
        ("1‐2−3―4—5－6", "cp932", "1‐2−3―4―5－6", [(1, "―")]),
        ("1－2～3∥4￠￡￢", "euc_jp", "1−2〜3‖4¢£¬", [(1, sign) for sign in sorted("−〜‖¢£¬")]),
        ("1〜2‖3¢£¬", "cp949", "1～2∥3￠￡￢", [(1, sign) for sign in sorted("～∥￠￡￢")]),
        ("〜～−－‖∥¢￠£￡¬￢", "cp932", "〜～−－‖∥¢￠£￡¬￢", []),
        ("塚本神福﨑", "cp932", "塚本神福﨑", []),  # U+FA10, U+FA19, U+FA1B, U+FA11
        ("塚\ufa19", "euc_jp", "塚神", [(1, "unified form")]),
        ("\ufa11", "euc_jp", "〓", [(1, "〓")]),  # 﨑 has no unified form
        ("葛\U000e0100城", "cp932", "葛城", [(1, "unified form")]),
        ("𠮷🙂・", "cp949", "〓〓·", [(1, "·"), (2, "〓")]),
    ],
)  # fmt: skip
def test_what_looks_alike_is_written_only_for_what_is_lacked(text: str, encoding: str, written: str, counts: list):
    assert fit(text, lambda sign: is_encodable(encoding, sign)) == (written, counts)


def test_a_hyphen_that_is_written_for_a_dash_is_no_formula(house: House):
    house.money("K1", 1_000, incentive_type="voucher", address="‐5 동진로")
    (row,) = rows(pay(house).path / "48170" / "voucher.csv", "cp949")
    assert row[4] == "'-5 동진로"


def test_dots_and_letters_of_korean_addresses(house: House):
    house.money("K1", 1_000, incentive_type="voucher", address="동진로 1·2ㆍ3・4", address_detail="ㄱ동 101")
    house.money("K2", 1_000, incentive_type="voucher", name="김🙂", address="1・2")
    batch = pay(house)
    first, second = rows(batch.path / "48170" / "voucher.csv", "cp949")
    assert first[4:6] == ["동진로 1·2ㆍ3·4", "ㄱ동 101"] and second[2:5] == ["김〓", "", "1·2"]
    listed = house.home.reports / "lost_characters" / KR / "2020H2-001.csv"
    assert listed.read_text("utf-8").splitlines()[1:] == [
        "K1,48170/voucher.csv,1,도로명주소,1,·",
        "K2,48170/voucher.csv,2,도로명주소,1,·",
        "K2,48170/voucher.csv,2,참여자명,1,〓",
    ]
    assert lost_characters.counts(house.home) == [(KR, "2020H2-001", 1, 0, 1)]


def test_letters_of_japanese_names_are_the_registered_ones(house: House):
    from pypdf import PdfReader

    day = date(2019, 4, 15)
    name = "\ufa10本\ufa19福\ufa1bカ゛"
    house.eco("N1", {"co2_reduction": (500, day)}, name=name, address="中野4−8―1〜2")
    batch = pay(house, day)
    for file in ("prizes.csv", "notices.csv"):
        (row,) = rows(batch.path / "13114" / file, "cp932")
        assert name in row
    content = (batch.path / "13114" / "prizes.csv").read_bytes()
    assert name.encode("cp932") in content and "〓".encode("cp932") not in content
    page = PdfReader(batch.path / "13114" / "notices.pdf").pages[0].extract_text()
    assert "〓" not in page and batch.substitutions == ()
    assert lost_characters.counts(house.home) == [] and JP in str(batch.path)
