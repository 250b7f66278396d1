"""Personal data: what is kept, sealed and given out."""

from __future__ import annotations

import base64
import os
import shutil
import stat
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from tanso.payouts import propose
from tanso.privacy import vault
from tanso.settings import Home
from tanso.warehouse import evaluate

MEMBER = {
    "participant_id": "P1",
    "name": "홍길동",
    "login_id": "member1",
    "participant_type": "개인(만14세이상)",
    "region_code": "48170",
    "postal_code": "52777",
    "address": "동진로 155 (상대동)",
    "address_detail": "별관",
    "dong": "101",
    "ho": "1203",
    "joined_on": "20200408",
    "required_consent": "Y",
    "optional_consent": "Y",
    "incentive_type": "현금",
    "bank_code": "088",
    "account_no": "110-222-333333",
    "account_holder": "홍길동",
    "card_no": "9410-1234-5678-9012",
    "phone": "010-1234-5678",
    "email": "hong@example.kr",
    "referrer_id": "friend01",
    "householder": "홍판서",
    "electricity_provider": "한국전력",
    "electricity_method": "개별납부",
    "electricity_customer_no": "0123456789",
}
FILE_1 = f"{1:064x}"


def stored(extracts, **changes: str) -> dict[str, str]:
    register = extracts("kr_enrolments")
    register.accept([MEMBER | changes], "enrolments_20210101.csv")
    (row,) = vault.read(register.home, "kr_carbon_point", [(FILE_1, "P1")]).to_pylist()
    return row


def test_a_member_with_everything(extracts):
    assert stored(extracts) == {
        "source_file_id": FILE_1,
        "program_id": "kr_carbon_point",
        "participant_id": "P1",
        "name": "홍길동",
        "householder": "홍판서",
        "nickname": None,
        "login_id": "member1",
        "referrer_id": "friend01",
        "postal_code": "52777",
        "address": "동진로 155 (상대동)",
        "address_detail": "101 1203 별관",
        "complex_code": None,
        "dong": "101",
        "ho": "1203",
        "bank_code": "088",
        "account_no": "110-222-333333",
        "account_holder": "홍길동",
        "card_no": "9410-1234-5678-9012",
        "phone": "010-1234-5678",
        "email": "hong@example.kr",
        "branch_code": None,
        "account_type": None,
    }


@pytest.mark.parametrize(
    ("incentive_type", "has_account"), [("현금", True), ("", True), ("상품권", False), ("상품", False)]
)
def test_bank_data_only_where_cash_may_be_paid(extracts, incentive_type, has_account):
    row = stored(extracts, incentive_type=incentive_type)
    account = ("088", "110-222-333333", "홍길동") if has_account else (None, None, None)
    assert (row["bank_code"], row["account_no"], row["account_holder"]) == account


@pytest.mark.parametrize(("consent", "email"), [("Y", "hong@example.kr"), ("N", None), ("", None)])
def test_email_only_with_consent(extracts, consent, email):
    assert stored(extracts, optional_consent=consent)["email"] == email


def test_refused_rows_are_not_kept(extracts):
    register = extracts("kr_enrolments")
    register.accept(
        [MEMBER, MEMBER | {"participant_id": "P2", "required_consent": "N"}, MEMBER], "enrolments_20210101.csv"
    )
    wanted = [(FILE_1, "P1"), (FILE_1, "P2")]
    assert vault.read(register.home, "kr_carbon_point", wanted)["participant_id"].to_pylist() == ["P1"]


def test_a_register_without_accounts(extracts):
    register = extracts("jp_registrations")
    register.accept(
        [
            {
                "participant_id": "N1",
                "name": "中野花子",
                "nickname": "はな",
                "joined_on": "H30.4.10",
                "address": "中野区中野4-8-1",
            }
        ],
        "registrations_20190301.csv",
    )
    (row,) = vault.read(register.home, "jp_nakano_eco_point", [(FILE_1, "N1")]).to_pylist()
    assert (row["name"], row["nickname"], row["address"]) == ("中野花子", "はな", "中野区中野4-8-1")
    assert (row["address_detail"], row["account_no"]) == (None, None)


def test_read_takes_pairs_of_several_snapshots_and_a_relation(extracts):
    register = extracts("kr_enrolments")
    register.accept([MEMBER, MEMBER | {"participant_id": "P2", "login_id": "member2"}], "enrolments_20210101.csv")
    register.accept([MEMBER | {"name": "홍길순"}], "enrolments_20210201.csv")
    wanted = [(f"{2:064x}", "P1"), (FILE_1, "P1"), (FILE_1, "P9")]
    found = vault.read(register.home, "kr_carbon_point", wanted)
    assert found.select(["source_file_id", "name"]).to_pylist() == [
        {"source_file_id": FILE_1, "name": "홍길동"},
        {"source_file_id": f"{2:064x}", "name": "홍길순"},
    ]
    some = vault.read(register.home, "kr_carbon_point", wanted, columns=("name", "account_no"))
    assert some.schema.names == ["source_file_id", "participant_id", "name", "account_no"]
    assert some.to_pylist() == found.select(some.schema.names).to_pylist()
    relation = duckdb.sql(f"select '{FILE_1}' as source_file_id, 'P1' as participant_id")
    assert vault.read(register.home, "kr_carbon_point", relation).num_rows == 1
    assert vault.read(register.home, "another_programme", wanted).num_rows == 0
    assert vault.read(register.home, "kr_carbon_point", []).num_rows == 0


def test_missing_snapshot_is_an_error_that_says_what_to_do(home):
    with pytest.raises(FileNotFoundError, match="restore vault"):
        vault.read(home, "kr_carbon_point", [(FILE_1, "P1")])


def test_sealed_and_private(extracts):
    register = extracts("kr_enrolments")
    register.accept([MEMBER], "enrolments_20210101.csv")
    path = register.home.vault / "kr_enrolments" / f"{FILE_1}.parquet"
    sealed = path.read_bytes()
    assert sealed[:4] == b"PARE"  # a Parquet file with an encrypted footer
    for secret in ("홍길동", "110-222-333333", "동진로", "account_no"):
        assert secret.encode() not in sealed
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((register.home.vault / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == stat.S_IMODE(register.home.vault.stat().st_mode) == 0o700
    assert {entry.name for entry in register.home.vault.rglob("*")} == {
        "key", "key.check", "kr_enrolments", path.name,
    }  # fmt: skip


def test_another_key_opens_nothing(extracts, monkeypatch):
    register = extracts("kr_enrolments")
    register.accept([MEMBER], "enrolments_20210101.csv")
    monkeypatch.setenv("TANSO_VAULT_KEY", base64.urlsafe_b64encode(b"x" * 32).decode())
    with pytest.raises(ValueError, match="TANSO_VAULT_KEY is not the key that .* was made with.* from its backup"):
        vault.read(register.home, "kr_carbon_point", [(FILE_1, "P1")])


def another_key(home: Home) -> None:
    (home.vault / "key").write_bytes(base64.urlsafe_b64encode(b"x" * 32))


@pytest.mark.parametrize("has_check", [True, False])  # False: a vault of an older version
def test_another_key_is_noticed_before_anything_is_done(extracts, has_check):
    register = extracts("kr_enrolments")
    register.accept([MEMBER], "enrolments_20210101.csv")
    home, right = register.home, (register.home.vault / "key").read_bytes()
    kept = home.vault / "key.check"
    if not has_check:
        kept.unlink()
        (home.receipts / "vault.key.check").unlink()
    another_key(home)
    before = {path: path.read_bytes() for path in home.vault.rglob("*") if path.is_file()}
    for use in (vault.key, vault.check, propose_nothing, evaluate_nothing):
        with pytest.raises(ValueError, match="put the right key back"):
            use(home)
    assert {path: path.read_bytes() for path in home.vault.rglob("*") if path.is_file()} == before
    (home.vault / "key").write_bytes(right)
    vault.check(home)
    assert kept.exists()
    kept.write_bytes(b"")
    with pytest.raises(ValueError, match=r"key.check is damaged: restore it .*, or delete it"):
        vault.key(home)


def propose_nothing(home: Home) -> None:
    propose(home, date(2021, 6, 1))


def evaluate_nothing(home: Home) -> None:
    evaluate(home)


def test_without_a_vault_nothing_is_checked_and_no_key_is_made(home):
    vault.check(home)
    assert not home.vault.exists()


def test_an_empty_file_says_its_way_out(extracts):
    register = extracts("kr_enrolments")
    register.accept([MEMBER], "enrolments_20210101.csv")
    path = register.home.vault / "kr_enrolments" / f"{FILE_1}.parquet"
    whole = path.read_bytes()
    for content in (b"", whole[: len(whole) // 2]):
        path.write_bytes(content)
        for use in (
            lambda: vault.read(register.home, "kr_carbon_point", [(FILE_1, "P1")]),
            lambda: vault.participants(register.home, path),
            lambda: vault.erase(register.home, "kr_enrolments", FILE_1, []),
        ):
            with pytest.raises(ValueError, match=f"{FILE_1}.parquet is damaged .*restore it from the vault's backup"):
                use()
    (register.home.vault / "key").write_bytes(b"")
    with pytest.raises(ValueError, match="key must be 32 bytes .*; restore the key from its backup"):
        vault.key(register.home)


def test_what_the_vault_holds_is_on_disk_before_it_counts(extracts, monkeypatch):
    """Every file is synced before it gets its name, and its folder after."""
    calls: list[tuple[str, str]] = []

    def noted(name: str, of: int):
        real = getattr(os, name)

        def call(*arguments, **options):
            what = arguments[of]
            calls.append((name, str(Path(f"/proc/self/fd/{what}").readlink() if isinstance(what, int) else what)))
            return real(*arguments, **options)

        return call

    for name, of in (("fsync", 0), ("link", 1), ("replace", 1), ("rename", 1)):
        monkeypatch.setattr(os, name, noted(name, of))
    register = extracts("kr_enrolments")
    register.accept([MEMBER], "enrolments_20210101.csv")
    vault.erase(register.home, "kr_enrolments", FILE_1, ["P1"])
    place = str(register.home.vault)
    inside = [(name, path) for name, path in calls if path.startswith(place)]
    named = [at for at, (name, _) in enumerate(inside) if name != "fsync"]
    assert [inside[at][1].removeprefix(f"{place}/") for at in named] == [
        "key", "key.check", f"kr_enrolments/{FILE_1}.parquet", f"kr_enrolments/{FILE_1}.erased.json",
        f"kr_enrolments/{FILE_1}.parquet",
    ]  # fmt: skip
    for at in named:
        folder = str(Path(inside[at][1]).parent)
        assert inside[at - 1][0] == "fsync" and inside[at - 1][1].startswith(f"{folder}/.")
        assert inside[at + 1] == ("fsync", folder)


def test_key_is_made_once_and_may_come_from_outside(home, tmp_path, monkeypatch):
    made = vault.key(home)
    assert len(made) == 32
    assert vault.key(home) == made
    monkeypatch.setenv("TANSO_VAULT_KEY", base64.urlsafe_b64encode(b"k" * 32).decode())
    with pytest.raises(ValueError, match="TANSO_VAULT_KEY is not the key"):
        vault.key(home)
    assert vault.key(Home(tmp_path / "another")) == b"k" * 32


@pytest.mark.parametrize("text", ["short", "!" * 44, base64.urlsafe_b64encode(b"k" * 31).decode()])
def test_a_bad_key_is_named(home, monkeypatch, text):
    monkeypatch.setenv("TANSO_VAULT_KEY", text)
    with pytest.raises(ValueError, match="TANSO_VAULT_KEY must be 32 bytes"):
        vault.key(home)


def test_a_lost_key_is_not_replaced(extracts):
    register = extracts("kr_enrolments")
    register.accept([MEMBER], "enrolments_20210101.csv")
    (register.home.vault / "key").unlink()
    with pytest.raises(ValueError, match="restore the key"):
        vault.key(register.home)


def gone(extracts) -> tuple[Home, str]:
    """A home whose vault was deleted whole, and the key that it had."""
    register = extracts("kr_enrolments")
    register.accept([MEMBER], "enrolments_20210101.csv")
    had = (register.home.vault / "key").read_text()
    shutil.rmtree(register.home.vault)
    return register.home, had


def test_a_vault_that_is_gone_whole_gets_no_new_key(extracts):
    home, had = gone(extracts)
    for use in (vault.key, vault.check, propose_nothing, evaluate_nothing):
        with pytest.raises(
            ValueError, match=r"vault is gone: .*vault\.key\.check tells .*restore vault/ from its backup"
        ):
            use(home)
        assert not home.vault.exists()
    home.vault.mkdir()
    (home.vault / "key").write_text(had)
    vault.check(home)


@pytest.mark.parametrize(
    "told_by",
    [
        "issue_log/000001.json", "exports/p/2020H2/2020H2-001/manifest.json", "lake/participants/kr_enrolments.parquet",
        "receipts/kr_enrolments/erased/00.json",
    ],
)  # fmt: skip
def test_a_home_of_an_older_version_tells_it_by_what_was_made_with_the_vault(home, told_by):
    path = home.root / told_by
    path.parent.mkdir(parents=True)
    path.write_bytes(b"{}")
    with pytest.raises(ValueError, match=f"vault is gone: .*{told_by} tells"):
        vault.key(home)
    assert not home.vault.exists()


def test_readings_landed_before_the_first_register_do_not_keep_it_from_its_key(home):
    for name in ("landing/ab/abcd", "receipts/kr_kepco/000001.json", "lake/readings/source_id=kr_kepco/data.parquet"):
        (home.root / name).parent.mkdir(parents=True)
        (home.root / name).write_bytes(b"{}")
    assert len(vault.key(home)) == 32


def test_with_a_key_from_outside_a_missing_vault_lacks_its_check_value_only(extracts, monkeypatch):
    home, had = gone(extracts)
    monkeypatch.setenv("TANSO_VAULT_KEY", base64.urlsafe_b64encode(b"x" * 32).decode())
    with pytest.raises(ValueError, match="TANSO_VAULT_KEY is not the key that .* was made with"):
        vault.key(home)
    assert not home.vault.exists()  # the wrong key left no check value
    monkeypatch.setenv("TANSO_VAULT_KEY", had)
    vault.check(home)
    assert (home.vault / "key.check").read_bytes() == (home.receipts / "vault.key.check").read_bytes()


def test_keyed_hash_is_hmac_sha256(tmp_path):
    # RFC 4231, test case 2
    assert vault.keyed_hash(b"Jefe", "what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
    assert vault.key(Home(tmp_path / "a")) != vault.key(Home(tmp_path / "b"))


def test_a_file_of_before_branches_and_types_is_still_read_and_erased_from(extracts, monkeypatch):
    register = extracts("kr_enrolments")
    before = vault.COLUMNS[:-2]
    with monkeypatch.context() as patch:
        patch.setattr(vault, "COLUMNS", before)
        patch.setattr(vault, "SCHEMA", pa.schema([(name, pa.string()) for name in before]))
        register.accept([MEMBER], "enrolments_20210101.csv")
    for left in (["P1"], []):
        found = vault.read(register.home, "kr_carbon_point", [(FILE_1, "P1")]).to_pylist()
        assert [(row["participant_id"], row["account_no"], row["branch_code"]) for row in found] == [
            (one, "110-222-333333", None) for one in left
        ]
        vault.erase(register.home, "kr_enrolments", FILE_1, ["P1"])
