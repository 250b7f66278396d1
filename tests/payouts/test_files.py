"""The files of a batch, byte for byte: headers, encoding, line ends, masks, what a spreadsheet must not run."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import stat
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from lxml import etree, html

from tanso.payouts import Batch, issue, propose
from tanso.payouts.files import lost_characters, pain001
from tanso.settings import Home
from tests.payouts.conftest import JP, KR, House

AT = datetime(2021, 6, 2, 3, 4, 5, tzinfo=UTC)
# The order of columns is that of the contract.
NOTICE = (
    "申請番号,参加者番号,氏名,郵便番号,住所,CO2削減ポイント,行動レポートポイント,ボーナスポイント,継続ポイント,エコマークポイント,"
    "環境行動ポイント,成績上位者ポイント,成績上位者ポイント（エコマーク）,繰越,失効,交換,残,残の期限"
)


def pay(house: House, day: date = date(2021, 6, 1), roots: list[Path] | None = None) -> Batch:
    home = house.publish()
    (proposal,) = propose(home, day, roots)
    return issue(home, proposal, "Kim", roots, issued_at=AT)


def text(batch: Batch, name: str, encoding: str) -> list[str]:
    """The lines of a file, which must all end with CRLF and nothing else."""
    content = (batch.path / name).read_bytes().decode(encoding)
    assert content.endswith("\r\n") and "\n" not in content.replace("\r\n", "")
    return content.split("\r\n")[:-1]


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    """One line of each kind in Jinju, and a held one; a cash line in another region; a region with a held one only."""
    house = House(Home(tmp_path_factory.mktemp("paid") / "home"))
    house.money("K1", 10_000, name="홍길동", account_no="110-222-333333", account_holder="홍 길 동")
    house.money("K2", 5_000, incentive_type="voucher", name="=1+1", postal_code="52677", address="동진로 155",
                address_detail="2 101 뒤채")  # fmt: skip
    house.money("K3", 2_000, incentive_type="donation", name="남궁민수", postal_code="01234", address="-길 1")
    house.money("K4", 2_500, incentive_type="green_card", name="이슬")
    house.money("K5", 3_000, incentive_type="cash", hold_reason="account_holder_mismatch")
    house.money("C1", 1_000, region="43110", account_no="01055556666")
    house.money("D1", 1_500, region="44130", hold_reason="bank_account_missing")
    for rank, (participant, score) in enumerate((("K2", "57.372000"), ("K1", "12.000000")), start=1):
        house.rows["marts.fct_rankings"].append(
            (
                KR,
                "2020H2",
                "48170",
                "co2_reduction",
                "individual",
                rank,
                participant,
                None,
                score,
                score,
                "0.1",
                False,
                False,
            )
        )
    return pay(house)


def test_cash_is_what_a_bank_takes(paid: Batch):
    header = "순번,은행코드,계좌번호,예금주,이체금액,받는통장표시내용,참여자번호"
    assert text(paid, "48170/cash.csv", "cp949") == [header, "2,088,110222333333,홍 길 동,20000,탄소포인트 2020H2,K1"]
    assert text(paid, "43110/cash.csv", "cp949") == [header, "1,088,01055556666,김철수,2000,탄소포인트 2020H2,C1"]


def test_cash_as_credit_transfers(paid: Batch):
    path = paid.path / "48170" / "cash.pain001.xml"
    with path.open("rb") as file:
        assert pain001.read(file) == (1, 20_000, 20_000)
    root = etree.parse(str(path)).getroot()
    assert root.tag == "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}Document"

    def said(*names: str) -> list[str]:
        return [element.text for element in root.iterfind(".//" + "/".join("{*}" + name for name in names))]

    # sha256 of kr_carbon_point/2020H2-001/48170 begins with 6cfe4eda; 03:04:05 UTC is five past noon in Seoul.
    assert said("MsgId") == ["2020H2-001-48170-6cfe4eda"] and said("CreDtTm") == ["2021-06-02T12:04:05+09:00"]
    assert said("Dbtr", "Nm") == ["경상남도 진주시"] and said("ReqdExctnDt", "Dt") == ["2021-06-02"]
    assert said("CdtTrfTxInf", "PmtId", "EndToEndId") == ["2020H2-001-48170-6cfe4eda-2"]
    assert said("CdtrAgt", "FinInstnId", "ClrSysMmbId", "MmbId") == ["088"]
    assert said("Cdtr", "Nm") == ["홍 길 동"] and said("CdtrAcct", "Id", "Othr", "Id") == ["110222333333"]
    assert said("RmtInf", "Ustrd") == ["탄소포인트 2020H2"]
    (amount,) = root.iterfind(".//{*}InstdAmt")
    assert amount.text == "20000" and amount.get("Ccy") == "KRW"


def test_the_bank_acts_on_the_day_of_the_programme(house: House):
    """08:30 on 1 June in Seoul is 31 May, 23:30 UTC."""
    house.money("K1", 10_000)
    (proposal,) = propose(house.publish(), date(2021, 6, 1))
    batch = issue(house.home, proposal, "Kim", issued_at=datetime(2021, 5, 31, 23, 30, tzinfo=UTC))
    content = (batch.path / "48170" / "cash.pain001.xml").read_bytes()
    assert content.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<')
    assert b"<ReqdExctnDt><Dt>2021-06-01</Dt>" in content and b"<CreDtTm>2021-06-01T08:30:00+09:00<" in content
    assert "2021-06-01 08:30:00+09:00 (Asia/Seoul)" in (batch.path / "control.html").read_text("utf-8")
    assert json.loads((batch.path / "manifest.json").read_text("utf-8"))["issued_at"] == "2021-05-31T23:30:00Z"


def test_ids_of_messages_differ_and_stay_within_the_standard():
    """By programme (two of one municipality), period, batch and region; a long one is a hash."""
    named = [
        pain001.identification(*parts)
        for parts in (
            ("a_points", "2020H2-001", "48170"),
            ("b_points", "2020H2-001", "48170"),
            ("a_points", "2021H1-001", "48170"),
            ("a_points", "2020H2-002", "48170"),
            ("a_points", "2020H2-001", "43110"),
            ("a_points", "2020H2-001", "a_region_with_a_very_long_code"),
            ("b_points", "2020H2-001", "a_region_with_a_very_long_code"),
            ("a_points", "2020년하반기-001", "48170"),
        )
    ]
    assert len(set(named)) == 8
    for name in named:
        assert len(f"{name}-9999999") <= 35 and re.fullmatch("[A-Za-z0-9-]+", name)


def test_a_transfer_file_that_breaks_the_schema_is_found(tmp_path: Path):
    header = pain001.Header("m" * 36, AT, 1, 5, "KRW", AT.date(), "d")
    with (tmp_path / "long.xml").open("w+b") as file:
        pain001.write(file, "long.xml", header, [pain001.Transfer("1", 5, "088", "1234567890", "h", "n")])
        file.seek(0)
        with pytest.raises(etree.XMLSyntaxError, match="maxLength"):
            pain001.read(file)


def test_a_name_that_the_transfer_file_cuts_off_is_reported(house: House):
    """Of 143 letters the standard's 140 stand in the file, an escaped one counting once; a name of 140 is whole."""
    house.money("K1", 10_000, account_holder="가" * 139 + "<다라마")
    house.money("K2", 10_000, account_holder="나" * 140)
    batch = pay(house)
    names = etree.parse(batch.path / "48170" / "cash.pain001.xml").findall(".//{*}Cdtr/{*}Nm")
    assert [name.text for name in names] == ["가" * 139 + "<", "나" * 140]
    (lost,) = batch.substitutions
    assert str(lost) == "48170/cash.pain001.xml, row 1 (K1), account_holder: 3 characters cut off"
    listed = house.home.reports / "lost_characters" / KR / "2020H2-001.csv"
    assert listed.read_text("utf-8").splitlines()[1:] == ["K1,48170/cash.pain001.xml,1,account_holder,3,cut off"]
    assert lost_characters.counts(house.home) == [(KR, "2020H2-001", 0, 1, 0)]
    # The municipality's page to sign.
    page = html.parse(str(batch.path / "control.html"))
    (row,) = page.xpath("//table[@id='facts']//tr[contains(., 'Cut off in transfer file')]")
    assert row.xpath("td")[0].text_content() == "K1"


def test_vouchers_and_donations_go_by_post(paid: Batch):
    header = "순번,참여자번호,참여자명,우편번호,도로명주소,상세주소,금액"
    # A name that a spreadsheet would compute is guarded; so is an address that begins with a minus.
    assert text(paid, "48170/voucher.csv", "cp949") == [header, "5,K2,'=1+1,52677,동진로 155,2 101 뒤채,10000"]
    assert text(paid, "48170/donation.csv", "cp949") == [header, "3,K3,남궁민수,01234,'-길 1,,4000"]


def test_green_cards_by_card_number(paid: Batch):
    assert text(paid, "48170/green_card.csv", "cp949") == [
        "순번,참여자번호,참여자명,그린카드번호,금액",
        "4,K4,이슬,9430001122223333,5000",
    ]


def test_the_held_are_listed_in_every_region_that_has_some(paid: Batch):
    header = "참여자번호,금액,사유"
    assert text(paid, "48170/held.csv", "cp949") == [header, "K5,6000,예금주 불일치 (account_holder_mismatch)"]
    assert text(paid, "44130/held.csv", "cp949") == [header, "D1,3000,계좌정보 없음 또는 오류 (bank_account_missing)"]
    assert [path.name for path in (paid.path / "44130").iterdir()] == ["held.csv"]
    assert not (paid.path / "43110" / "held.csv").exists()


def test_the_review_is_masked(paid: Batch):
    assert text(paid, "48170/review.csv", "cp949") == [
        "순번,참여자번호,이름,지급유형,계좌,금액",
        "2,K1,홍**,현금,****3333,20000",
        "3,K3,남**,기부,,4000",
        "4,K4,이**,그린카드,****3333,5000",
        "5,K2,'=**,상품권,,10000",
    ]


def test_a_ranking_that_is_never_published_is_a_working_list(paid: Batch):
    assert text(paid, "48170/ranking_co2_reduction.csv", "cp949") == [
        "순위,참여자,점수",
        "1,K2,57.372000",
        "2,K1,12.000000",
    ]


def test_the_manifest_adds_up(paid: Batch):
    manifest = json.loads((paid.path / "manifest.json").read_text("utf-8"))
    assert list(manifest) == [
        "batch_id", "program_id", "period_id", "as_of", "approved_by", "issued_at", "code_version", "policy_sha256",
        "lines", "amount", "currency", "files", "totals", "overpaid",
    ]  # fmt: skip
    head = {name: manifest[name] for name in list(manifest)[:8]}
    assert head == {
        "batch_id": "2020H2-001",
        "program_id": KR,
        "period_id": "2020H2",
        "as_of": "2021-06-01",
        "approved_by": "Kim",
        "issued_at": "2021-06-02T03:04:05Z",
        "code_version": "v1",
        "policy_sha256": "a" * 64,
    }
    assert (manifest["lines"], manifest["amount"], manifest["currency"]) == (5, 41_000, "KRW")
    assert manifest["totals"] == [
        {"region_code": "43110", "incentive_type": "cash", "lines": 1, "amount": 2_000},
        {"region_code": "48170", "incentive_type": "cash", "lines": 1, "amount": 20_000},
        {"region_code": "48170", "incentive_type": "donation", "lines": 1, "amount": 4_000},
        {"region_code": "48170", "incentive_type": "green_card", "lines": 1, "amount": 5_000},
        {"region_code": "48170", "incentive_type": "voucher", "lines": 1, "amount": 10_000},
    ]
    assert {entry["path"]: (entry["rows"], entry["amount"]) for entry in manifest["files"]} == {
        "43110/cash.csv": (1, 2_000),
        "43110/cash.pain001.xml": (1, 2_000),
        "43110/review.csv": (1, None),
        "44130/held.csv": (1, None),
        "48170/cash.csv": (1, 20_000),
        "48170/cash.pain001.xml": (1, 20_000),
        "48170/donation.csv": (1, 4_000),
        "48170/green_card.csv": (1, 5_000),
        "48170/held.csv": (1, None),
        "48170/ranking_co2_reduction.csv": (2, None),
        "48170/review.csv": (4, None),
        "48170/voucher.csv": (1, 10_000),
        "control.html": (5, None),
        "delivered.parquet": (2, None),
        "lines.parquet": (5, 41_000),
    }
    for entry in manifest["files"]:
        assert hashlib.sha256((paid.path / entry["path"]).read_bytes()).hexdigest() == entry["sha256"]


def test_lines_are_numbered_and_hold_no_personal_data(paid: Batch):
    lines = pq.read_table(paid.path / "lines.parquet")
    assert lines.schema.names == [
        "program_id", "period_id", "batch_id", "line_no", "participant_id", "region_code", "incentive_type", "amount",
        "currency", "won_per_point", "payee_key",
    ]  # fmt: skip
    rows = lines.to_pylist()
    assert [(row["line_no"], row["participant_id"]) for row in rows] == [
        (1, "C1"), (2, "K1"), (3, "K3"), (4, "K4"), (5, "K2"),
    ]  # fmt: skip
    assert [len(row["payee_key"] or "") for row in rows] == [64, 64, 0, 64, 0]
    content = (paid.path / "lines.parquet").read_bytes()
    assert not any(data.encode() in content for data in ("홍길동", "110222333333", "9430001122223333"))


def test_only_its_owner_may_read_a_batch(paid: Batch):
    for path in [paid.path.parent, paid.path, *paid.path.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_character_that_the_encoding_lacks_is_shown_and_reported(house: House):
    house.money("K1", 10_000, incentive_type="voucher", name="김𠮷🙂", address="x")
    batch = pay(house)
    assert text(batch, "48170/voucher.csv", "cp949")[1] == "1,K1,김〓〓,,x,,20000"
    (lost,) = batch.substitutions
    assert (lost.path, lost.row, lost.column, lost.characters) == ("48170/voucher.csv", 1, "참여자명", 2)
    assert lost.participant_id == "K1"
    # For whoever sends it to look up: ids only, apart from the batch.
    listed = house.home.reports / "lost_characters" / KR / "2020H2-001.csv"
    assert listed.read_bytes().decode() == (
        "participant_id,file,row,column,characters,written_as\r\nK1,48170/voucher.csv,1,참여자명,2,〓\r\n"
    )
    assert lost_characters.counts(house.home) == [(KR, "2020H2-001", 1, 0, 0)]


def test_a_batch_that_shows_every_character_has_no_such_list(house: House):
    house.money("K1", 10_000)
    pay(house)
    assert lost_characters.counts(house.home) == []


def test_the_same_inputs_give_the_same_bytes(house: House, tmp_path: Path):
    def contents() -> dict[str, bytes]:
        batch = pay(house)
        found = {path.relative_to(batch.path).as_posix(): path.read_bytes() for path in batch.path.rglob("*.*")}
        batch.path.rename(tmp_path / f"kept-{len(list(tmp_path.iterdir()))}")
        for record in (house.home.issue_log, house.home.access_log):
            shutil.rmtree(record, ignore_errors=True)
        return found

    for number in range(30):
        house.money(f"K{number}", 1_000 + number, incentive_type=("cash", "voucher", "donation")[number % 3])
    first = contents()
    for table in ("fct_payouts", "fct_point_awards"):
        house.rows[f"marts.{table}"].reverse()
    assert contents() == first


def test_a_pack_without_a_layout_gets_the_default_one(house: House, tmp_path: Path):
    house.money("K1", 10_000, name="홍길동")
    batch = pay(house, roots=[tmp_path])
    assert text(batch, "48170/cash.csv", "utf-8") == [
        "line_no,bank_code,account_no,account_holder,amount,transfer_note,participant_id",
        "1,088,110222333333,김철수,20000,2020H2,K1",
    ]


# Japan


def test_prizes_notices_and_a_lottery_come_when_they_are_due(house: House):
    april, may, october = date(2019, 4, 15), date(2019, 5, 15), date(2019, 10, 1)
    house.eco("N1", {"co2_reduction": (1_380, april), "action_report": (250, april), "top_performer": (3_000, october)},
              opening=640, expired=400, name="中野花子", postal_code="164-8501", nickname="はな")  # fmt: skip
    house.opening.append({"program_id": JP, "participant_id": "N1", "certified_on": date(2017, 3, 31), "points": 400})
    house.opening.append({"program_id": JP, "participant_id": "N1", "certified_on": date(2018, 5, 15), "points": 240})
    house.eco("N2", {"co2_reduction": (480, may)}, certified_on=may, name="東京太郎", address="中野1-1")
    house.eco("N3", {"eco_mark": (600, april)}, prize_code=None, name="江古田次郎")
    house.rows["marts.fct_rankings"] += [
        (JP, "FY2018", "13114", "co2_reduction", "household", 1, "N1", "はな", "69.000000", "69", "0.1", True, True),
        (JP, "FY2018", "13114", "co2_reduction", "household", 2, "N2", None, "24.000000", "24", "0.1", True, False),
        (JP, "FY2018", "13114", "co2_reduction", "household", 3, "N3", None, "1.000000", "1", "0.1", False, False),
    ]
    house.rows["marts.fct_lottery_entries"] += [
        (JP, "FY2018", "N2", None, "0a", 1, True),
        (JP, "FY2018", "N1", "はな", "0b", 2, True),
        (JP, "FY2018", "N3", None, "0c", 3, False),
    ]

    # 15 April: available 640 - 400 + 1,630 = 1,870, of which 1,500 go; 370 are left of the lot of that day.
    first = pay(house, april)
    assert (first.batch_id, first.lines, first.amount) == ("FY2018-001", 1, 1_500)
    assert text(first, "13114/prizes.csv", "cp932") == [
        "連番,参加者番号,氏名,郵便番号,住所,賞品コード,ポイント",
        "1,N1,中野花子,164-8501,中野4-8-1,P1,1500",
    ]
    assert text(first, "13114/notices.csv", "cp932") == [
        NOTICE,
        "A-N1,N1,中野花子,164-8501,中野4-8-1,1380,250,0,0,0,0,0,0,640,400,1500,370,2021-04-15",
        "A-N3,N3,江古田次郎,,中野4-8-1,0,0,0,0,600,0,0,0,0,0,500,100,2021-04-15",
    ]
    assert text(first, "13114/held.csv", "cp932") == ["参加者番号,金額,理由", "N3,500,賞品未選択 (prize_missing)"]
    assert text(first, "13114/review.csv", "cp932") == [
        "連番,参加者番号,氏名,種別,口座,ポイント",
        "1,N1,中**,賞品,,1500",
    ]
    assert not list(first.path.glob("*/ranking*")) and not list(first.path.glob("*/lottery*"))

    # 15 May: N2's notice alone, a batch without lines, that brings the held list again.
    second = pay(house, may)
    assert (second.batch_id, second.lines, second.amount) == ("FY2018-002", 0, 0)
    assert {path.name for path in second.path.rglob("*.*")} == {
        "manifest.json", "control.html", "lines.parquet", "listed.parquet", "notices.csv", "notices.pdf", "held.csv",
    }  # fmt: skip
    assert text(second, "13114/notices.csv", "cp932")[1:] == [
        "A-N2,N2,東京太郎,,中野1-1,480,0,0,0,0,0,0,0,0,0,0,480,2021-05-15"
    ]
    manifest = json.loads((second.path / "manifest.json").read_text("utf-8"))
    assert (manifest["lines"], manifest["amount"], manifest["currency"], manifest["totals"]) == (0, 0, "JPY", [])

    # 1 June: the lottery's lists, once.
    home = house.publish()
    assert propose(home, date(2019, 5, 31)) == []
    third = pay(house, date(2019, 6, 1))
    assert text(third, "13114/lottery_winners.csv", "cp932") == [
        "順番,参加者番号,氏名,郵便番号,住所",
        "1,N2,東京太郎,,中野1-1",
        "2,N1,中野花子,164-8501,中野4-8-1",
    ]
    assert text(third, "13114/lottery_public.csv", "cp932") == ["順番,ニックネーム", "1,東**", "2,はな"]
    assert propose(house.publish(), date(2019, 6, 2)) == []

    # 1 October: N1's top-performer points make a line and another notice; of the ranking the top is published.
    fourth = pay(house, october)
    assert (fourth.lines, fourth.amount) == (1, 3_000)
    assert text(fourth, "13114/notices.csv", "cp932")[1:] == [
        "A-N1,N1,中野花子,164-8501,中野4-8-1,1380,250,0,0,0,0,3000,0,640,400,4500,370,2021-10-01"
    ]
    assert text(fourth, "13114/ranking_co2_reduction.csv", "cp932") == [
        "順位,ニックネーム,成績",
        "1,はな,69.000000",
        "2,東**,24.000000",
    ]
    assert propose(house.publish(), date(2019, 10, 2)) == []


def test_a_published_list_alone_makes_a_batch_without_lines(house: House):
    house.eco("N1", {"co2_reduction": (400, date(2019, 4, 15))})
    pay(house, date(2019, 9, 30))
    house.rows["marts.fct_rankings"].append(
        (JP, "FY2018", "13114", "co2_reduction", "household", 1, "N1", None, "20.000000", "20", "0.1", True, True)
    )
    batch = pay(house, date(2019, 10, 1))
    assert (batch.batch_id, batch.lines) == ("FY2018-002", 0)
    assert text(batch, "13114/ranking_co2_reduction.csv", "cp932")[1:] == ["1,中**,20.000000"]
    assert propose(house.publish(), date(2019, 10, 1)) == []


def test_a_notice_must_show_every_award(house: House):
    house.eco("N1", {"new_award": (400, date(2019, 4, 15))})
    with pytest.raises(ValueError, match=r"payouts.yml of jp_nakano_eco_point: notices.csv .* award.new_award"):
        pay(house, date(2019, 4, 15))
    assert not list(house.home.exports.glob("*/*/*"))
