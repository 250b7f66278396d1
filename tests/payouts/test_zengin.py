"""Transfer files of format zengin: byte for byte, from a register with accounts of that kind to the batch."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest
import yaml

from tanso import cli
from tanso.packs.sources import SourceError, check, read_source
from tanso.payouts import Batch, issue, propose
from tanso.payouts.files import zengin
from tanso.payouts.files.layouts import load_layout
from tanso.privacy import vault
from tanso.settings import PROJECT_ROOT, Home
from tanso.warehouse import evaluate

PACK = PROJECT_ROOT / "tests" / "packs" / "kana_accounts"
PROGRAM = PACK.name
# A Thursday: three working days later it is Tuesday, 6 April.
AT = datetime(2021, 4, 1, 1, 2, 3, tzinfo=UTC)
DEBTOR = yaml.safe_load((PACK / "payouts.yml").read_text("utf-8"))["debtors"]["09001"]
REGISTER = "参加者番号,氏名,フリガナ,登録日,金融機関コード,支店コード,預金種目,口座番号,口座名義カナ"
# Each with 100 kWh in the months of 2019; in those of 2020 this many.
PEOPLE = {
    "A": ("中野花子,ナカノ　ハナコ", "0001,123,普通,1234567,ﾅｶﾉ ﾊﾅｺ", 88),
    "B": ("庄司京子,ショウジ　キョウコ", "0009,001,貯蓄,12345,シヨウジ キヨウコ", 94),
    "C": ("株式会社ガ,カ）" + "ガ" * 20, "0033,456,当座,0000001,カ）" + "ガ" * 20, 94),
    "D": ("漢字太郎,カンジ　タロウ", "0001,123,普通,1234568,漢字太郎", 88),
    "E": ("別名次郎,ベツメイ　ジロウ", "0001,123,普通,1234569,ベツノヒト", 88),
    "F": ("支店三郎,シテン　サブロウ", "0001,,普通,1234560,シテン サブロウ", 94),
    "G": ("加乎留,カヲル", "0001,123,普通,1234561,カヲル", 94),
    "H": ("不足四郎,フソク　シロウ", "0001,123,定期,1234562,フソク シロウ", 94),
    "J": ("別名京子,ベツメイ　キョウコ", "0009,001,貯蓄,0012345,シヨウジ キヨウコ", 94),
    "I": ("節約五郎,セツヤク　ゴロウ", "001,123,普通,1234563,セツヤク ゴロウ", 94),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home in which those people were ingested and evaluated as the commands do it; this pack is the only one."""
    home = Home(tmp_path_factory.mktemp("kana"))
    for source in ("kana_register", "kana_meters"):
        (home.inbox / source).mkdir(parents=True)
    rows = [f"{REGISTER},電気事業者,電気契約,電気お客様番号"]
    rows += [f"{i},{person},平成31年4月1日,{account},電力,個別,{i}" for i, (person, account, _) in PEOPLE.items()]
    (home.inbox / "kana_register" / "register_20210101.csv").write_text("\r\n".join(rows), "cp932")
    rows = ["number,month,kwh"]
    for i, (_, _, kwh) in PEOPLE.items():
        rows += [f"{i},2019-{month:02},100\n{i},2020-{month:02},{kwh}" for month in range(7, 13)]
    (home.inbox / "kana_meters" / "readings.csv").write_text("\n".join(rows), "utf-8")
    programs = tmp_path_factory.mktemp("programs")
    shutil.copytree(PACK, programs / PROGRAM)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TANSO_HOME", str(home.root))
        environment.setenv("TANSO_PROGRAMS", str(programs))
        assert cli.main(["ingest"]) == 0
        assert cli.main(["evaluate"]) == 0
        yield home


@pytest.fixture(scope="module")
def batch(home: Home) -> Batch:
    (proposal,) = propose(home, AT.date())
    return issue(home, proposal, "会計管理者", issued_at=AT)


def test_the_file_is_what_a_bank_takes(batch: Batch):
    """A 12 % less: 3,000; B and C 6 %: 1,500 each."""
    records = [
        "1" "21" "0" "1234567890" + "ﾃｽﾄｼ ｶｲｹｲｶﾝﾘｼﾔ" + " " * 26 + "0406"
        "0001" "ﾃｽﾄ" + " " * 12 + "002" + " " * 15 + "1" "7654321" + " " * 17,
        "2" "0001" + " " * 15 + "123" + " " * 15 + "0000" "1" "1234567" "ﾅｶﾉ ﾊﾅｺ" + " " * 23 + "0000003000"
        "0" "0000000001" "0000000000" "7" + " " * 8,
        "2" "0009" + " " * 15 + "001" + " " * 15 + "0000" "4" "0012345" "ｼﾖｳｼﾞ ｷﾖｳｺ" + " " * 20 + "0000001500"
        "0" "0000000002" "0000000000" "7" + " " * 8,
        # 42 bytes long, of which the first 30 stand there
        "2" "0033" + " " * 15 + "456" + " " * 15 + "0000" "2" "0000001" "ｶ)" + "ｶﾞ" * 14 + "0000001500"
        "0" "0000000003" "0000000000" "7" + " " * 8,
        "8" "000003" "000000006000" + " " * 101,
        "9" + " " * 119,
    ]  # fmt: skip
    content = (batch.path / "09001" / "cash.zengin.txt").read_bytes()
    assert content == "".join(record + "\r\n" for record in records).encode("shift_jis")
    assert len(content) == 6 * 122


def test_whose_account_it_cannot_hold_is_held_with_a_reason(batch: Batch, home: Home):
    missing = "口座情報の不足 (bank_account_missing)"
    with io.StringIO((batch.path / "09001" / "held.csv").read_bytes().decode("cp932"), newline="") as file:
        held = list(csv.reader(file))[1:]
    assert held == [
        ["D", "3000", missing],  # kanji
        ["E", "3000", "口座名義の相違 (account_holder_mismatch)"],
        ["F", "1500", missing],  # no branch
        ["G", "1500", missing],  # ヲ
        ["H", "1500", missing],  # no such type
        ["I", "1500", missing],  # a bank code of 3 digits
        ["J", "1500", "口座名義の相違 (account_holder_mismatch)"],
    ]
    with duckdb.connect(str(home.database), read_only=True) as marts:
        (due,) = marts.sql("select count(*)::int, sum(amount)::int from marts.fct_payouts").fetchall()
    assert due == (10, 6_000 + 13_500)  # nobody is lost between paid and held


def test_the_sums_are_those_of_the_batch(batch: Batch):
    manifest = json.loads((batch.path / "manifest.json").read_text("utf-8"))
    assert manifest["totals"] == [{"region_code": "09001", "incentive_type": "cash", "lines": 3, "amount": 6_000}]
    paying = {entry["path"]: (entry["rows"], entry["amount"]) for entry in manifest["files"] if entry["amount"]}
    assert paying == dict.fromkeys(("09001/cash.csv", "09001/cash.zengin.txt", "lines.parquet"), (3, 6000))
    with (batch.path / "09001" / "cash.zengin.txt").open("rb") as file:
        assert zengin.read(file) == (3, 6_000, 3, 6_000)


def test_an_account_is_the_same_with_and_without_its_zeros(home: Home):
    lake = duckdb.read_parquet(str(home.lake / "participants" / "**" / "*.parquet"))
    keys = dict(lake.select("participant_id, account_key").fetchall())
    assert keys["B"] == keys["J"] and len(set(keys.values()) - {None}) == 4  # of A, B and J, C, E


def test_branch_and_type_are_in_the_vault_alone(batch: Batch, home: Home):
    wanted = duckdb.read_parquet(str(home.lake / "participants" / "**" / "*.parquet"))
    wanted = wanted.select("source_file_id, participant_id").fetchall()
    people = vault.read(home, PROGRAM, wanted).to_pylist()
    parts = ("bank_code", "branch_code", "account_type", "account_no", "account_holder")
    assert [people[1][part] for part in parts] == ["0009", "001", "4", "12345", "シヨウジ キヨウコ"]
    with duckdb.connect(str(home.database), read_only=True) as marts:
        columns = {name for (name,) in marts.sql("select column_name from information_schema.columns").fetchall()}
    assert not columns & {"branch_code", "account_type", "account_no", "account_holder", "name_kana"}


# The record's own rules


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("ナカノ ハナコ", "ﾅｶﾉ ﾊﾅｺ"),
        ("ガッキュー", "ｶﾞﾂｷﾕ-"),
        ("ヴァパ", "ｳﾞｱﾊﾟ"),
        ("ヮヵヶ", "ﾜｶｹ"),
        ("ｼｮｳｺﾞ", "ｼﾖｳｺﾞ"),
        ("カ）エコ．ａＢ１", "ｶ)ｴｺ.AB1"),
        ("", ""),
    ],
)
def test_names_as_banks_write_them(text: str, written: str):
    assert zengin.half_width(text) == written
    assert len(written.encode("shift_jis")) == len(written)  # one byte each


@pytest.mark.parametrize("text", ["中野", "なかの", "カヲル", "ヰ", "ア・イ", "ア/イ", "김", "ア\nイ", "ア、"])
def test_names_that_cannot_be_written(text: str):
    with pytest.raises(ValueError, match="has a character that is none of kana"):
        zengin.half_width(text)


def test_whatever_the_register_takes_can_be_written():
    """All characters up to the last of the half-width forms, as they stand there after folding."""
    pattern = read_source(PACK / "sources" / "kana_register.yml").options["account_format"]["account_holder"]
    characters = [chr(code) for code in range(0x20, 0xFFF0) if not 0xD800 <= code < 0xE000]
    taken = duckdb.execute(
        "select c from (select unnest($1) as c) where regexp_full_match(c, $2)", [characters, pattern]
    ).fetchall()
    written = {character: zengin.half_width(character) for (character,) in taken}
    assert len(written) == 150 + 1 and all(written.values())


ROW = ("X", "0001", "123", "1", "1234567", "ナカノ", 1_000, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({1: "001"}, "bank_code: is not 4 digits"),
        ({2: None}, "branch_code: is not 3 digits"),
        ({3: "普"}, "account_type: is not 1 digits"),
        ({4: "12345678"}, "account_no: is not at most 7 digits"),
        ({5: "中野"}, "account_holder: has a character"),
        ({6: 10**10}, "amount: is not at most 10 digits"),
    ],
)
def test_what_a_record_cannot_hold_stops_the_file_and_shows_no_account(change: dict, message: str):
    row = [change.get(place, value) for place, value in enumerate(ROW)]
    with pytest.raises(ValueError, match=f"09001/x.txt: the account of X cannot be written: {message}") as error:
        zengin.write(io.BytesIO(), "09001/x.txt", DEBTOR, AT.date(), [ROW, row], True)
    assert "1234567" not in str(error.value) and "中野" not in str(error.value)


def test_without_line_ends_and_damaged():
    file = io.BytesIO()
    assert zengin.write(file, "x", DEBTOR, AT.date(), [ROW, ROW], False) == 2
    content = file.getvalue()
    assert len(content) == 5 * 120 and b"\r" not in content
    assert zengin.read(io.BytesIO(content)) == (2, 2_000, 2, 2_000)
    assert zengin.read(io.BytesIO(content[:240] + content[360:])) == (1, 1_000, 2, 2_000)  # a transfer is gone
    for damaged in (content[:-1], content[:480], content[120:]):
        with pytest.raises(ValueError, match="is not a header, transfers, a trailer and an end"):
            zengin.read(io.BytesIO(damaged))


# Declarations


def declared(tmp_path: Path, **debtor: object) -> list[Path]:
    """The pack's payout declarations with another debtor."""
    copy = tmp_path / PROGRAM
    copy.mkdir()
    content = yaml.safe_load((PACK / "payouts.yml").read_text("utf-8"))
    content["debtors"]["09001"] |= debtor
    (copy / "payouts.yml").write_text(yaml.safe_dump(content), "utf-8")
    return [tmp_path]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"branch_code": ""}, "branch_code: is missing"),
        ({"branch_code": "12"}, "branch_code: is not 3 digits"),
        ({"account_no": 12345}, "account_no: put 12345 in quotes"),
        ({"consignor_name": "中野区"}, "consignor_name: has a character"),
        ({"bank_name": "ア" * 16}, "bank_name: is longer than 15 bytes"),
        ({"iban": "x"}, "iban: unknown key"),
    ],
)
def test_a_wrong_debtor_is_named(tmp_path: Path, change: dict, message: str):
    with pytest.raises(ValueError, match=f"{tmp_path / PROGRAM / 'payouts.yml'}: debtors.09001.{message}"):
        load_layout(PROGRAM, declared(tmp_path, **change))


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"bank": "[0-9]"}, "options.account_format.bank: unknown key"),
        ({"bank_code": "[0-9]"}, "options.account_format.account_no: is missing"),
        ({"bank_code": "[0-9", "account_no": ".+"}, "account_format.bank_code: '\\[0-9' is no regular expression"),
    ],
)
def test_a_wrong_account_format_is_named(tmp_path: Path, declared: dict, message: str):
    path = tmp_path / PROGRAM / "sources" / "kana_register.yml"
    path.parent.mkdir(parents=True)
    content = yaml.safe_load((PACK / "sources" / path.name).read_text("utf-8"))
    content["options"]["account_format"] = declared
    path.write_text(yaml.safe_dump(content), "utf-8")
    with pytest.raises(SourceError, match=message):
        check(read_source(path))


def test_a_region_without_a_debtor_is_named_before_anything_is_issued(home: Home, tmp_path: Path):
    """Another home's copy of the same people, in which the account that pays is not declared yet."""
    copy = Home(tmp_path / "home")
    shutil.copytree(home.root, copy.root, ignore=shutil.ignore_patterns("exports", "issue_log", "access_log", "ledger"))
    content = yaml.safe_load((PACK / "payouts.yml").read_text("utf-8"))
    del content["debtors"]
    programs = tmp_path / "programs"
    shutil.copytree(PACK, programs / PROGRAM)
    (programs / PROGRAM / "payouts.yml").write_text(yaml.safe_dump(content), "utf-8")
    with pytest.raises(ValueError, match="changed after the last evaluation"):
        propose(copy, date(2021, 4, 1), [programs])
    evaluate(copy, [programs])
    (proposal,) = propose(copy, date(2021, 4, 1), [programs])
    with pytest.raises(ValueError, match="payouts.yml of kana_accounts: debtors: lacks 09001"):
        issue(copy, proposal, "Kim", [programs], issued_at=AT)
    assert not list(copy.exports.glob("*/*/*"))
