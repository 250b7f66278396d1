"""What banks take: columns, forms and encodings per region, workbooks, and credit transfers by the whole standard."""

from __future__ import annotations

import re
import shutil
import textwrap
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sepaxml
import yaml
from lxml import etree

from tanso.payouts import Batch, issue, propose
from tanso.payouts.files import xlsx_files
from tanso.payouts.files.layouts import load_layout
from tanso.payouts.files.region_files import transfer_day
from tanso.settings import PROJECT_ROOT
from tests.payouts.conftest import KR, House

# A Wednesday.
AT = datetime(2021, 6, 2, 3, 4, 5, tzinfo=UTC)
# Two banks nobody has: one wants digits of fixed width, no header row and UTF-8 with its mark; the other a workbook.
FIRST_BANK = {
    "name": "bulk.csv",
    "encoding": "utf-8-sig",
    "header": False,
    "columns": {
        "1": {"field": "bank_code", "pad": 4},
        "2": {"field": "account_no", "pad": 14},
        "3": {"field": "amount", "pad": 6},
        "4": "account_holder",
        "5": {"field": "transfer_on", "date": "%d.%m.%Y"},
        "6": {"text": "-포인트"},
        "7": "line_no",
    },
}
SECOND_BANK = {
    "name": "bulk.xlsx",
    "format": "xlsx",
    "columns": {
        "받는분": "account_holder",
        "입금계좌": "account_no",
        "입금은행": "bank_code",
        "금액": "amount",
        "이체일": "transfer_on",
        "메모": {"text": "=포인트"},
    },
}


def pack(tmp_path: Path, program_id: str = KR, by_region: dict | None = None, **keys: object) -> list[Path]:
    """A copy of a pack's payout declarations with other keys, and cash.csv otherwise in some regions."""
    shipped = PROJECT_ROOT / "include" / "programs" / program_id
    copy = tmp_path / "packs" / program_id
    copy.mkdir(parents=True)
    for template in shipped.glob("*.typ"):
        shutil.copyfile(template, copy / template.name)
    declared = yaml.safe_load((shipped / "payouts.yml").read_text("utf-8"))
    if by_region:
        declared["files"]["cash.csv"]["by_region"] = by_region
    (copy / "payouts.yml").write_text(
        yaml.safe_dump({**declared, **keys}, allow_unicode=True, sort_keys=False), "utf-8"
    )
    return [copy.parent]


def regions(house: House, *codes: str) -> None:
    house.rows["policy.region_policies"] += [(KR, code, f"시 {code}", date(2018, 1, 1)) for code in codes]


def pay(house: House, roots: list[Path] | None = None) -> Batch:
    (proposal,) = propose(house.publish(), date(2021, 6, 1), roots)
    return issue(house.home, proposal, "Kim", roots, issued_at=AT)


def test_each_region_gets_what_its_bank_takes(house: House, tmp_path: Path):
    regions(house, "43110", "44130")
    house.money("K1", 10_000, account_no="110-222-333333", account_holder="홍 길 동")
    house.money("K2", 600_000, account_no="1234567890123456")
    house.money("C1", 1_000, region="43110", account_no="01055556666", account_holder="+이슬")
    house.money("D1", 1_500, region="44130")
    roots = pack(tmp_path, by_region={"48170": FIRST_BANK, "43110": SECOND_BANK}, transfer_days=2)
    batch = pay(house, roots)

    # What is longer than its width stays whole; a text that a spreadsheet would compute is guarded.
    assert (batch.path / "48170/bulk.csv").read_bytes() == b"\xef\xbb\xbf" + (
        "0088,00110222333333,020000,홍 길 동,04.06.2021,'-포인트,3\r\n"
        "0088,1234567890123456,1200000,김철수,04.06.2021,'-포인트,4\r\n"
    ).encode()
    with (batch.path / "43110/bulk.xlsx").open("rb") as file:
        assert xlsx_files.read(file, with_header=False) == [
            ["받는분", "입금계좌", "입금은행", "금액", "이체일", "메모"],
            ["+이슬", "01055556666", "088", 2_000, "2021-06-04", "=포인트"],
        ]
    assert (batch.path / "44130/cash.csv").read_bytes() == (
        "순번,은행코드,계좌번호,예금주,이체금액,받는통장표시내용,참여자번호\r\n"
        "2,088,110222333333,김철수,3000,탄소포인트 2020H2,D1\r\n"
    ).encode("cp949")
    assert not list(batch.path.glob("4[38]*/cash.csv"))
    assert "<ReqdExctnDt><Dt>2021-06-04</Dt></ReqdExctnDt>" in (batch.path / "44130/cash.pain001.xml").read_text()


def test_a_workbook_is_the_same_bytes_for_the_same_input(house: House, tmp_path: Path):
    house.money("K1", 10_000)
    roots = pack(tmp_path, by_region={"48170": SECOND_BANK})
    first = pay(house, roots)
    content = (first.path / "48170/bulk.xlsx").read_bytes()
    for record in (house.home.exports, house.home.access_log, house.home.root / "issue_log"):
        shutil.rmtree(record, ignore_errors=True)
    assert (pay(house, roots).path / "48170/bulk.xlsx").read_bytes() == content


def test_regions_of_the_same_bank_share_a_declaration(tmp_path: Path):
    roots = pack(tmp_path, by_region={"48170": FIRST_BANK, "43110": FIRST_BANK, "44130": SECOND_BANK})
    cash = [file for file in load_layout(KR, roots).files if file.incentive_type == "cash" and file.columns]
    assert [(file.name, file.only, file.but) for file in cash] == [
        ("cash.csv", set(), {"48170", "43110", "44130"}),
        ("bulk.csv", {"48170", "43110"}, set()),
        ("bulk.xlsx", {"44130"}, set()),
    ]


@pytest.mark.parametrize(
    ("issued", "working_days", "day"),
    [
        (datetime(2021, 6, 4, 23, tzinfo=UTC), 0, date(2021, 6, 4)),  # a Friday
        (datetime(2021, 6, 4, 23, tzinfo=UTC), 1, date(2021, 6, 7)),
        (datetime(2021, 6, 5, 1, tzinfo=UTC), 1, date(2021, 6, 7)),
        (datetime(2021, 6, 4, 1, tzinfo=UTC), 5, date(2021, 6, 11)),
        (datetime(2021, 12, 31, 1, tzinfo=UTC), 2, date(2022, 1, 4)),
    ],
)
def test_transfers_are_due_some_working_days_after_issue(issued: datetime, working_days: int, day: date):
    assert transfer_day(issued, working_days) == day


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": {"n": "line_no"}}, "field amount"),
        ({"columns": {"n": {"field": "amount", "width": 3}}}, "by_region.48170.columns.n.width: unknown key"),
        ({"columns": {"n": {"field": "amount", "text": "x"}}}, "columns.n: needs either a field or a text"),
        (
            {"columns": {"n": {"field": "amount", "pad": "x"}}},
            "columns.n.pad: must be a whole number up to 100, not 'x'",
        ),
        ({"columns": {"n": {"field": "name", "date": "%Y"}}}, "columns.n.date: is for transfer_on, not name"),
        ({"encoding": "cp0"}, "encoding 'cp0' is unknown"),
        ({"header": "no"}, "header: must be true or false, not 'no'"),
        ({"colums": {}}, "colums: unknown key; did you mean columns"),
    ],
)
def test_a_wrong_map_is_named(tmp_path: Path, change: dict, message: str):
    roots = pack(tmp_path, by_region={"48170": change})
    with pytest.raises(ValueError, match=f"{roots[0] / KR / 'payouts.yml'}: .*{message}"):
        load_layout(KR, roots)


def test_a_misspelt_region_stops_the_batch(house: House, tmp_path: Path):
    house.money("K1", 10_000)
    with pytest.raises(ValueError, match="payouts.yml of kr_carbon_point: 48171 is no region of region_policies.csv"):
        pay(house, pack(tmp_path, by_region={"48171": FIRST_BANK}))
    assert not list(house.home.exports.glob("*/*/*"))


def test_two_files_of_the_same_lines_stop_the_batch(house: House, tmp_path: Path):
    house.money("K1", 10_000)
    files = yaml.safe_load((PROJECT_ROOT / "include/programs" / KR / "payouts.yml").read_text("utf-8"))["files"]
    twice = files | {"bulk.csv": files["cash.csv"]}
    with pytest.raises(ValueError, match="cash.csv and bulk.csv both pay incentive_type cash in 48170"):
        pay(house, pack(tmp_path, files=twice))
    assert not list(house.home.exports.glob("*/*/*"))


def test_transfers_are_valid_by_the_whole_standard(house: House, tmp_path: Path):
    """Our schema has what we use; the standard's own, of all that banks may use, takes the same files."""
    house.money("K1", 10_000, account_holder="홍 & <길> 동")
    house.money("K2", 20_000)
    roots = pack(tmp_path, debtors={"48170": {"bank_code": "011", "account_no": "30100000000000"}})
    standard = etree.XMLSchema(
        etree.parse(str(Path(sepaxml.__file__).with_name("schemas") / "pain.001.001.09.xsd")),
    )
    for given in (None, roots):
        batch = pay(house, given)
        document = etree.parse(str(batch.path / "48170/cash.pain001.xml"))
        standard.assertValid(document)
        assert len(document.findall(".//{*}CdtTrfTxInf")) == 2
        document.find(".//{*}MsgId").text = "x" * 36
        assert not standard.validate(document)
        for record in (house.home.exports, house.home.access_log, house.home.root / "issue_log"):
            shutil.rmtree(record, ignore_errors=True)


def test_what_the_how_to_shows_can_be_declared(tmp_path: Path):
    """Its three blocks: a bank's columns, a register's accounts, transfer files."""
    text = (PROJECT_ROOT / "docs" / "how-to" / "fit-payout-files-to-a-bank.md").read_text("utf-8")
    blocks = re.findall(r"^ *```yaml\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    banks, register, transfers = (yaml.safe_load(textwrap.dedent(block)) for block in blocks)
    loaded = []
    for number, declared in enumerate((banks, transfers)):
        (tmp_path / f"p{number}").mkdir()
        head = {"encoding": "cp949", "transfer_note": ""}
        (tmp_path / f"p{number}" / "payouts.yml").write_text(yaml.safe_dump(head | declared), "utf-8")
        loaded.append(load_layout(f"p{number}", [tmp_path]))
    assert [(file.name, sorted(file.only)) for file in loaded[0].files] == [
        ("cash.csv", []),
        ("bulk.csv", ["43110", "48170"]),
        ("bulk.xlsx", ["44130"]),
    ]
    first = loaded[0].files[1]
    assert (first.encoding, first.header, loaded[0].transfer_days) == ("utf-8-sig", False, 2)
    assert loaded[1].files[0].format == "zengin" and set(loaded[1].debtors) == {"09001"}
    shipped = yaml.safe_load((PROJECT_ROOT / "tests/packs/kana_accounts/sources/kana_register.yml").read_text("utf-8"))
    assert register["options"].items() <= shipped["options"].items()
