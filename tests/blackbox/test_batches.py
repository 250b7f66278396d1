"""What an issued batch holds: manifest, lines, and the files for municipalities and banks."""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import datetime

import duckdb
import pytest
from lxml import etree

from tests.blackbox.chain import batch_folders, lines, manifest

KR, JP = "kr_carbon_point", "jp_nakano_eco_point"
KEYS = [
    *("batch_id", "program_id", "period_id", "as_of", "approved_by", "issued_at", "code_version", "policy_sha256"),
    *("lines", "amount", "currency", "files", "totals", "overpaid"),
]
LINES = [
    *("program_id", "period_id", "batch_id", "line_no", "participant_id", "region_code", "incentive_type", "amount"),
    *("currency", "won_per_point", "payee_key"),
]
AWARD_COLUMNS = 8  # of notices.csv: one per award type


def table(path, encoding):
    """Header and rows; the encoding and the line ends are part of the contract."""
    text = path.read_bytes().decode(encoding)
    assert text.count("\r\n") == text.count("\n")
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    return header, rows


@pytest.fixture(scope="module")
def folders(paid):
    return batch_folders(paid.home)


@pytest.fixture(scope="module")
def kr(folders):
    return folders[f"{KR}/2021H1-001"]


@pytest.fixture(scope="module")
def first(folders):
    return folders[f"{JP}/FY2018-001"]


@pytest.fixture(scope="module")
def second(folders):
    return folders[f"{JP}/FY2018-002"]


def test_manifests(folders):
    for name, folder in folders.items():
        said = manifest(folder)
        assert list(said) == KEYS
        assert f"{said['program_id']}/{said['batch_id']}" == name
        assert said["batch_id"].startswith(said["period_id"] + "-")
        assert said["approved_by"] == "김담당"
        assert datetime.fromisoformat(said["issued_at"]).utcoffset().total_seconds() == 0
        assert said["currency"] == ("KRW" if said["program_id"] == KR else "JPY")
        assert len(said["policy_sha256"]) == 64 and said["code_version"]
        listed = {file["path"]: file for file in said["files"]}
        there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {"manifest.json"}
        assert set(listed) == there
        for path, file in listed.items():
            assert set(file) == {"path", "rows", "amount", "sha256"}
            assert file["sha256"] == hashlib.sha256((folder / path).read_bytes()).hexdigest()
        assert sum(total["amount"] for total in said["totals"]) == said["amount"]
        assert sum(total["lines"] for total in said["totals"]) == said["lines"]
        assert all(list(total) == ["region_code", "incentive_type", "lines", "amount"] for total in said["totals"])


def test_totals_and_file_amounts(kr):
    said = manifest(kr)
    assert said["as_of"] == "2021-12-01"
    assert [tuple(total.values()) for total in said["totals"]] == [
        ("43110", "cash", 1, 20000),
        ("43110", "donation", 1, 20000),
        ("43110", "green_card", 1, 20000),
        ("43110", "voucher", 1, 20000),
        ("48170", "cash", 3, 60000),
    ]
    files = {file["path"]: (file["rows"], file["amount"]) for file in said["files"]}
    assert files["48170/cash.csv"] == (3, 60000)
    assert files["48170/held.csv"] == (1, None)
    assert files["43110/voucher.csv"] == (1, 20000)


def test_lines_parquet(folders):
    for folder in folders.values():
        path = str(folder / "lines.parquet")
        found = duckdb.execute("describe from read_parquet(?)", [path]).fetchall()
        assert [row[0] for row in found] == LINES
        assert not [row for row in found if row[1] in ("DOUBLE", "FLOAT")]
    kinds = duckdb.execute(
        "select incentive_type, bool_and(payee_key is not null), bool_or(payee_key is not null)"
        " from read_parquet(?) group by 1 order by 1",
        [str(batch_folders_path(folders))],
    ).fetchall()
    assert kinds == [
        ("cash", True, True),
        ("donation", False, False),
        ("green_card", True, True),
        ("voucher", False, False),
    ]


def batch_folders_path(folders):
    return folders[f"{KR}/2021H1-001"] / "lines.parquet"


def test_cash(kr):
    header, rows = table(kr / "48170" / "cash.csv", "cp949")
    assert header == ["순번", "은행코드", "계좌번호", "예금주", "이체금액", "받는통장표시내용", "참여자번호"]
    assert [[*row[:5], row[6]] for row in rows] == [
        ["5", "088", "110222333333", "김영희", "20000", "L5"],
        ["6", "088", "110222333333", "홍길동", "20000", "L6"],
        ["7", "088", "110222333333", "홍길동", "20000", "Q3"],
    ]
    note = {row[5] for row in rows}
    assert len(note) == 1 and note != {""}


def test_pain001(kr):
    root = etree.parse(str(kr / "48170" / "cash.pain001.xml")).getroot()
    ns = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}
    assert root.findtext(".//p:GrpHdr/p:NbOfTxs", namespaces=ns) == "3"
    assert root.findtext(".//p:GrpHdr/p:CtrlSum", namespaces=ns) == "60000"
    amounts = root.findall(".//p:InstdAmt", ns)
    assert [(one.get("Ccy"), one.text) for one in amounts] == [("KRW", "20000")] * 3
    accounts = root.findall(".//p:CdtrAcct/p:Id/p:Othr/p:Id", ns)
    assert [one.text for one in accounts] == ["110222333333"] * 3


def test_voucher_donation_and_card(kr):
    header, rows = table(kr / "43110" / "voucher.csv", "cp949")
    assert header == ["순번", "참여자번호", "참여자명", "우편번호", "도로명주소", "상세주소", "금액"]
    assert rows == [["4", "L4", "吉〓동", "52700", "'=청주로 1", "101 1203 행복아파트", "20000"]]
    header, rows = table(kr / "43110" / "donation.csv", "cp949")
    assert header == ["순번", "참여자번호", "참여자명", "우편번호", "도로명주소", "상세주소", "금액"]
    assert [row[:3] + row[5:] for row in rows] == [["2", "L2", "홍길동", "뒷집", "20000"]]
    header, rows = table(kr / "43110" / "green_card.csv", "cp949")
    assert header == ["순번", "참여자번호", "참여자명", "그린카드번호", "금액"]
    assert [[*row[:3], row[3].replace("-", ""), row[4]] for row in rows] == [
        ["3", "L3", "홍길동", "1234567890123456", "20000"]
    ]


def test_held_also_where_nothing_is_paid(kr):
    header, rows = table(kr / "48170" / "held.csv", "cp949")
    assert header == ["참여자번호", "금액", "사유"]
    assert [row[:2] for row in rows] == [["H1", "20000"]] and "incentive_type_missing" in rows[0][2]
    assert {path.name for path in (kr / "48051").iterdir()} >= {"held.csv"}
    _, rows = table(kr / "48051" / "held.csv", "cp949")
    assert [row[:2] for row in rows] == [["H2", "20000"]] and "bank_account_missing" in rows[0][2]


def test_review_masks(kr):
    header, rows = table(kr / "48170" / "review.csv", "cp949")
    assert header == ["순번", "참여자번호", "이름", "지급유형", "계좌", "금액"]
    assert [row[:3] for row in rows] == [["5", "L5", "김**"], ["6", "L6", "홍**"], ["7", "Q3", "홍**"]]
    for row in rows:
        assert row[4].endswith("3333") and "110222" not in row[4]
        assert row[5] == "20000"


def test_korean_ranking_is_a_working_list(kr):
    header, rows = table(kr / "48170" / "ranking_co2_reduction.csv", "cp949")
    assert header == ["순위", "참여자", "점수"]
    assert [row[1] for row in rows] == ["H1", "L5", "L6", "Q3"]
    assert [row[0] for row in rows] == ["1", "2", "3", "4"]


def test_prizes(first):
    header, rows = table(first / "13114" / "prizes.csv", "cp932")
    assert header == ["連番", "参加者番号", "氏名", "郵便番号", "住所", "賞品コード", "ポイント"]
    assert rows == [["1", "N1", "中野 花子", "164-8501", "中野四丁目８番１号", "QUO500", "1500"]]


def test_notices_come_again_with_the_later_points(first, second):
    for folder, figures in [
        (first, {"N1": ["240", "0", "1500", "120", "2021-04-15"], "N2": ["0", "0", "500", "50", "2021-04-15"]}),
        (second, {"N1": ["240", "0", "4500", "120", "2021-10-01"], "N2": ["0", "0", "3500", "50", "2021-10-01"]}),
    ]:
        header, rows = table(folder / "13114" / "notices.csv", "cp932")
        assert header[:5] == ["申請番号", "参加者番号", "氏名", "郵便番号", "住所"]
        assert header[-5:] == ["繰越", "失効", "交換", "残", "残の期限"]
        assert len(header) == 10 + AWARD_COLUMNS
        found = {row[1]: row[-5:] for row in rows}
        assert {who: found.get(who) for who in figures} == figures
        assert {row[2] for row in rows if row[1] == "N2"} == {"'@杉並 太郎"}


def test_published_lists_name_nobody(first, second):
    assert not (first / "13114" / "ranking_co2_reduction.csv").exists(), "not before 1 October"
    assert not (first / "13114" / "lottery_winners.csv").exists(), "not before 1 June"
    header, rows = table(second / "13114" / "ranking_co2_reduction.csv", "cp932")
    assert header == ["順位", "ニックネーム", "成績"]
    assert [row[:2] for row in rows] == [["1", "中**"], ["2", "'@**"]]
    _, rows = table(second / "13114" / "ranking_eco_marks.csv", "cp932")
    assert [row[:2] for row in rows] == [["1", "みどり"]]
    header, winners = table(second / "13114" / "lottery_winners.csv", "cp932")
    assert header == ["順番", "参加者番号", "氏名", "郵便番号", "住所"]
    drawn = sorted(["N1", "N2", "N3"], key=lambda who: hashlib.sha256(f"nakano-FY2018:{who}".encode()).hexdigest())
    assert [row[1] for row in winners] == drawn
    header, public = table(second / "13114" / "lottery_public.csv", "cp932")
    assert header == ["順番", "ニックネーム"]
    names = {"N1": "中**", "N2": "'@**", "N3": "みどり"}
    assert [row[1] for row in public] == [names[who] for who in drawn]


def test_japanese_held_and_review(first):
    header, rows = table(first / "13114" / "held.csv", "cp932")
    assert header == ["参加者番号", "金額", "理由"]
    assert [row[:2] for row in rows] == [["N2", "500"]] and "prize_missing" in rows[0][2]
    header, rows = table(first / "13114" / "review.csv", "cp932")
    assert header == ["連番", "参加者番号", "氏名", "種別", "口座", "ポイント"]
    assert [row[:3] for row in rows] == [["1", "N1", "中**"]]


def test_lines_are_what_the_marts_say(paid, folders):
    paid_out: dict[tuple[str, str], int] = {}
    for folder in folders.values():
        for _, who, amount in lines(folder):
            key = (manifest(folder)["period_id"], who)
            paid_out[key] = paid_out.get(key, 0) + amount
    paid_out["2021H1", "Q3"] -= 20000  # came back
    found = {(period, who): amount for (period, who), (_, _, _, amount) in paid.payouts["2022-03-02"].items() if amount}
    assert found == paid_out
