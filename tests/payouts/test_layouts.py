"""Layouts of payout files, and single cells."""

from __future__ import annotations

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from tanso.cells import cell
from tanso.payouts import StaleProposal, issue, propose
from tanso.payouts.files.layouts import load_layout
from tanso.settings import PROJECT_ROOT
from tests.payouts.conftest import JP, KR, House

GOOD = {
    "encoding": "utf-8",
    "transfer_note": "",
    "files": {"cash.csv": {"rows": "lines", "incentive_type": "cash", "columns": {"amount": "amount"}}},
}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+82", "'+82"),
        ("-길", "'-길"),
        ("@a", "'@a"),
        ("\tx", "' x"),
        ("\rx", "' x"),
        ("＝1+1", "'＝1+1"),
        ("\u200b=1", "'=1"),
        ("\u3164=1", "'=1"),
        ("a=1", "a=1"),
        ("", ""),
        (None, ""),
        (-5, "-5"),
        (Decimal("-0.050000"), "-0.050000"),
        (date(2021, 4, 15), "2021-04-15"),
        ("007", "007"),
    ],
)
def test_a_text_that_would_be_run_is_guarded_and_a_number_is_not(value: object, shown: str):
    assert cell(value) == shown


def test_the_shipped_packs_pay_what_they_offer():
    def pays(program_id: str) -> set[str]:
        files = load_layout(program_id).files
        return {file.incentive_type for file in files if file.pays and file.format == "csv"}

    assert pays(KR) == {"cash", "voucher", "donation", "green_card"} and load_layout(KR).encoding == "cp949"
    assert pays(JP) == {"prize"} and load_layout(JP).encoding == "cp932"
    assert load_layout(JP).lists == {"notices", "lottery", "ranking"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoding": "cp0"}, "encoding 'cp0' is unknown"),
        ({"encoding": "latin-1"}, "encoding 'latin-1' lacks 〓"),
        (
            {"encoding": "cp949", "files": {"a.csv": {"rows": "held", "columns": {"ｶﾅ・": "amount"}}}},
            "files.a.csv.columns.ｶﾅ・: encoding cp949 lacks a character of it",
        ),
        ({"recipient": {}}, "recipient: unknown key; did you mean recipients\\? Known are debtors, encoding, "),
        (
            {"files": {"a.csv": {"rows": "people", "columns": {"a": "name"}}}},
            "files.a.csv.rows: must be lines, held, rankings, notices or winners, not 'people'",
        ),
        (
            {"files": {"a.csv": {"rows": "held", "columns": {"a": "name"}}}},
            "files.a.csv.columns.a: held have no field 'name'; they have participant_id, amount",
        ),
        ({"files": {"a.csv": {"rows": "lines"}}}, "files.a.csv.columns: is missing"),
        (
            {"files": {"a.csv": {"rows": "lines", "colums": {}}}},
            "files.a.csv.colums: unknown key; did you mean columns\\? Known are by_region, ",
        ),
        (
            {"files": {"a.csv": {"rows": "lines", "incentive_type": "cash", "columns": {"n": "line_no"}}}},
            "field amount",
        ),
        (
            {"files": {"a.xml": {"rows": "lines", "format": "pain"}}},
            "files.a.xml.format: must be csv, xlsx, pdf, pain.001.001.09 or zengin, not 'pain'",
        ),
        ({"files": {"a.csv": {"columns": {"a": "name"}}}}, "files.a.csv.rows: is missing"),
    ],
)
def test_a_wrong_layout_is_named_with_its_file_and_key(tmp_path: Path, change: dict, message: str):
    (tmp_path / "p").mkdir()
    path = tmp_path / "p" / "payouts.yml"
    path.write_text(yaml.safe_dump({**GOOD, **change}), "utf-8")
    with pytest.raises(ValueError, match=f"{path}: .*{message}"):
        load_layout("p", [tmp_path])


def test_every_mistake_of_a_file_is_told_at_once(tmp_path: Path):
    """Those of a declaration once, those of what a region has otherwise by region."""
    (tmp_path / "p").mkdir()
    path = tmp_path / "p" / "payouts.yml"
    cash = {
        "rows": "lines",
        "incentive_type": "a b",
        "columns": {"n": "acount_no", "m": {"field": "amount", "padd": 1}},
    }
    cash["by_region"] = {
        "48170": {"format": "zengin"},
        "43110": {"name": "a/b.csv", "header": "no"},
        "44130": 5,
        "44131": {"by_region": {}},
    }
    files = {
        "cash.csv": cash,
        "x.pdf": {
            "rows": "held",
            "format": "pdf",
            "font": "../a.ttf",
            "incentive_type": "cash",
            "columns": {"a": "rank"},
        },
        "x.zengin": {"rows": "held", "format": "zengin", "columns": {"a": "amount"}},
        "list.csv": {"rows": "rankings", "columns": {}},
        "none.csv": 7,
    }
    debtors = {"48170": {"bank_code": 11, "iban": "x"}}
    path.write_text(
        yaml.safe_dump({"transfer_note": [], "transfer_days": -1, "debtors": debtors, "files": files}), "utf-8"
    )
    with pytest.raises(ValueError, match="payouts.yml: ") as raised:
        load_layout("p", [tmp_path])
    said = [line.removeprefix(f"{path}: ") for line in str(raised.value).splitlines()]
    assert [line.partition("; ")[0] for line in said] == [
        "encoding: is missing",
        "transfer_note: must be a text or a number, not []",
        "transfer_days: must be a whole number up to 60, not -1",
        "debtors.48170.bank_code: put 11 in quotes, or its zeros may be lost",
        "debtors.48170.iban: unknown key",
        "files.cash.csv.by_region.44130: must be a mapping, not 5",
        "files.cash.csv.columns.m.padd: unknown key",
        "files.cash.csv.columns.n: lines have no field 'acount_no'",
        "files.cash.csv.incentive_type: 'a b' is not allowed",
        "files.cash.csv.by_region.43110.header: must be true or false, not 'no'",
        "files.cash.csv.by_region.43110.name: 'a/b.csv' is no plain file name",
        "files.cash.csv.by_region.44131.by_region: is for files, not for regions",
        "files.cash.csv.by_region.48170.columns: is for format csv, xlsx or pdf",
        "files.list.csv.columns: is missing",
        "files.list.csv: {ranking_id} must be in the name where rows are rankings, and nowhere else",
        "files.none.csv: must be a mapping, not 7",
        "files.x.pdf.columns.a: held have no field 'rank'",
        "files.x.pdf.template: is missing",
        f"files.x.pdf.font: '../a.ttf' is no path below {path.parent}",
        "files.x.pdf.incentive_type: is for rows: lines of a format that pays",
        "files.x.zengin.rows: must be lines, not 'held'",
        "files.x.zengin.incentive_type: is missing",
        "files.x.zengin.columns: is for format csv, xlsx or pdf",
    ]


def test_mistakes_between_keys_are_told_when_each_is_right(tmp_path: Path):
    (tmp_path / "p").mkdir()
    path = tmp_path / "p" / "payouts.yml"
    cash = {"rows": "lines", "incentive_type": "cash", "format": "zengin"}
    layout = {**GOOD, "debtors": {"48170": {"account_no": "12345678"}}, "files": {"a.txt": cash, "A.txt": cash}}
    path.write_text(yaml.safe_dump(layout), "utf-8")
    with pytest.raises(ValueError, match="payouts.yml: ") as raised:
        load_layout("p", [tmp_path])
    assert [line.removeprefix(f"{path}: ") for line in str(raised.value).splitlines()] == [
        "files: a.txt is there twice; rename one",
        "files: a.txt is there twice for 48170; rename one",
        *(f"debtors.48170.{key}: is missing; format zengin needs it" for key in ("consignor_code", "consignor_name")),
        *(f"debtors.48170.{key}: is missing; format zengin needs it" for key in ("bank_code", "branch_code")),
        "debtors.48170.account_type: is missing; format zengin needs it",
        "debtors.48170.account_no: is not at most 7 digits",
    ]


def test_what_was_approved_covers_the_layout(house: House, tmp_path: Path):
    """Another account to debit, or another template, between proposal and approval: nothing is issued."""
    pack = tmp_path / "packs" / KR
    pack.mkdir(parents=True)
    layout = {**GOOD, "debtors": {"48170": {"bank_code": "011", "account_no": "1"}}}
    (pack / "payouts.yml").write_text(yaml.safe_dump(layout), "utf-8")
    house.money("K1", 10_000)
    (proposal,) = propose(house.publish(), date(2021, 6, 1), [pack.parent])
    layout["debtors"]["48170"]["account_no"] = "2"
    (pack / "payouts.yml").write_text(yaml.safe_dump(layout), "utf-8")
    with pytest.raises(StaleProposal, match="is no longer what is due"):
        issue(house.home, proposal, "Kim", [pack.parent])
    assert not list(house.home.exports.glob("*/*/*"))
    (again,) = propose(house.home, date(2021, 6, 1), [pack.parent])
    assert again.digest != proposal.digest


def test_a_template_is_a_part_of_the_layout(tmp_path: Path):
    def sha256() -> str:
        return load_layout(JP, [tmp_path]).sha256

    shutil.copytree(PROJECT_ROOT / "include" / "programs" / JP, tmp_path / JP)
    first = sha256()
    assert first == sha256()
    with (tmp_path / JP / "notice.typ").open("a") as file:
        file.write("// another line\n")
    assert sha256() != first


def test_a_kind_of_payout_without_a_file_stops_the_batch(house: House, tmp_path: Path):
    (tmp_path / "packs" / KR).mkdir(parents=True)
    (tmp_path / "packs" / KR / "payouts.yml").write_text(yaml.safe_dump(GOOD), "utf-8")
    house.money("K1", 10_000, incentive_type="voucher")
    (proposal,) = propose(house.publish(), date(2021, 6, 1), [tmp_path / "packs"])
    message = "payouts.yml of kr_carbon_point: no CSV or XLSX file pays incentive_type voucher in 48170"
    with pytest.raises(ValueError, match=message):
        issue(house.home, proposal, "Kim", [tmp_path / "packs"])
