"""Names and addresses reach the vault as they were received; what compares them looks at their folded forms."""

from __future__ import annotations

import hashlib
import unicodedata

import pyarrow as pa
import pytest

from tanso.ingest.formats import texts
from tanso.packs.sources import Source
from tanso.privacy import vault
from tests.ingest.conftest import Office


@pytest.mark.parametrize(
    ("received", "kept"),
    [
        ("\ufa10 \ufa19\ufa1b", "\ufa10 \ufa19\ufa1b"),  # 塚 神 福 in the forms that CP932 has
        ("カ\u309bサ①㈱", "カ\u309bサ①㈱"),
        ("ｶﾞ ａ１", "ｶﾞ ａ１"),
        ("㈜가ㆍ나・ㄱ동", "㈜가ㆍ나・ㄱ동"),
        ("カ\u3099", "ガ"),  # NFC
        (
            "\u1112\u1161\u11ab\ufa10e\u0301",
            "한\ufa10é",
        ),  # NFD
        ("\u212b\u2126", "\u212b\u2126"),  # Å and Ω as CP949 has them
        (" 홍\r\n길동\t\x00", "홍 길동"),
        ("a\u2028b\x85c\x1b[2J", "a b c [2J"),
        ("葛\U000e0100飾", "葛\U000e0100飾"),
        ("\u3000", None),
        ("\u200b", None),
        ("Kim", "Kim"),
    ],
)
def test_texts(received: str, kept: str | None) -> None:
    assert texts.as_received(pa.array([received, None])).to_pylist() == [kept, None]


def in_vault(office: Office, source: Source, rows: list[dict[str, str]], *columns: str) -> list[tuple]:
    """The columns of the vault once a register of these rows is in."""
    office.sources[source.source_id] = source
    lines = [",".join(column.headers[0] for column in source.columns.values())]
    lines += [",".join(f'"{row[field]}"' if field in row else "" for field in source.columns) for row in rows]
    content = "\r\n".join(lines).encode(source.encoding)
    office.drop(source.source_id, f"{source.pattern.partition('_')[0]}_20190103.csv", content)
    office.take_in(source.source_id)
    assert office.refused() == []
    assert [file[0] for file in office.query("select status from lake.files")] == ["accepted"]
    sha256 = hashlib.sha256(content).hexdigest()
    found = vault.read(office.home, source.program_id, [(sha256, row["participant_id"]) for row in rows])
    return [tuple(row[column] for column in columns) for row in found.to_pylist()]


def test_japanese_names_keep_their_letters(office: Office, sources: dict[str, Source]) -> None:
    row = {"participant_id": "N1", "name": "大\ufa10 \ufa19", "nickname": "\ufa1b①", "joined_on": "2018/4/1"}
    rows = [row | {"address": "中野１－２ ﾊｲﾂ\ufa10"}]
    found = in_vault(office, sources["jp_registrations"], rows, "name", "nickname", "address")
    assert found == [("大\ufa10 \ufa19", "\ufa1b①", "中野１－２ ﾊｲﾂ\ufa10")]
    assert office.query("select nickname, joined_on from lake.participants") == [("\ufa1b①", "2018-04-01")]


def test_korean_addresses_keep_their_letters(office: Office, sources: dict[str, Source]) -> None:
    row = {
        "participant_id": "K1",
        "login_id": "member01",
        "participant_type": "개인(만14세이상)",
        "region_code": "48170",
        "name": "㈜가ㆍ나",
        "address": "가상로 1・2",
        "dong": "ㄱ",
        "ho": "１０１",
        "address_detail": "별ㆍ관",
        "joined_on": "2020-04-08",
        "required_consent": "Y",
        "incentive_type": "현금",
        "bank_code": "088",
        "account_no": "1101234567890",
        "account_holder": "(주)가ㆍ나",
        "electricity_provider": "한국전력",
        "electricity_method": "개별납부",
        "electricity_customer_no": "0300000001",
        "water_method": "사용안함",
        "gas_method": "사용안함",
    }
    rows = [row]
    found = in_vault(
        office, sources["kr_enrolments"], rows, "name", "account_holder", "address", "address_detail", "dong"
    )
    folded = unicodedata.normalize("NFKC", "ㄱ")
    assert found == [("㈜가ㆍ나", "(주)가ㆍ나", "가상로 1・2", "ㄱ １０１ 별ㆍ관", folded)]
    assert office.query("select holder_matches from lake.participants") == [
        (True,)
    ]  # ㈜ is (주) where they are compared
