"""Regions with a public key: what lies on the disk can be opened by the region, and by nobody else."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pyrage
import pytest

from tanso.payouts import batch, issue, propose
from tanso.payouts.files.layouts import load_layout
from tests.payouts.conftest import KR, House
from tests.payouts.test_bank_files import AT, SECOND_BANK, pack, pay, regions

PERSONAL = ("홍길동", "동진로 155", "110222333333", "9430001122223333", "K1")


@pytest.fixture
def people(house: House) -> House:
    """All kinds of files in Jinju, and somebody in a region without a key."""
    regions(house, "43110")
    house.money("K1", 10_000, name="홍길동", account_holder="홍길동")
    house.money("K2", 5_000, incentive_type="voucher", name="홍길동", address="동진로 155")
    house.money("K3", 2_500, incentive_type="green_card")
    house.money("K4", 3_000, hold_reason="account_holder_mismatch")
    house.money("C1", 1_000, region="43110", account_no="01055556666")
    return house


def again(house: House) -> None:
    for record in (house.home.exports, house.home.access_log, house.home.root / "issue_log"):
        shutil.rmtree(record, ignore_errors=True)


def test_the_region_opens_what_the_batch_would_have_been_without_a_key(people: House, tmp_path: Path):
    plain = pay(people)
    before = {path.relative_to(plain.path).as_posix(): path.read_bytes() for path in plain.path.glob("*/*")}
    manifest = json.loads((plain.path / "manifest.json").read_text("utf-8"))
    again(people)

    clerk, deputy, stranger = (pyrage.x25519.Identity.generate() for _ in range(3))
    keys = [str(clerk.to_public()), str(deputy.to_public())]
    sealed = pay(people, pack(tmp_path, recipients={"48170": keys}))
    for name, content in before.items():
        if name.startswith("43110/"):
            assert (sealed.path / name).read_bytes() == content
            continue
        on_disk = (sealed.path / f"{name}.age").read_bytes()
        assert on_disk.startswith(b"age-encryption.org/v1")
        for identity in (clerk, deputy):
            assert pyrage.decrypt(on_disk, [identity]) == content, name
        with pytest.raises(pyrage.DecryptError):
            pyrage.decrypt(on_disk, [stranger])
    assert {path.suffix for path in (sealed.path / "48170").iterdir()} == {".age"}

    # The manifest lists what lies there, and nothing else differs but the names.
    of_sealed = json.loads((sealed.path / "manifest.json").read_text("utf-8"))
    for entry in of_sealed["files"]:
        assert hashlib.sha256((sealed.path / entry["path"]).read_bytes()).hexdigest() == entry["sha256"]
    shown = [
        [(e["path"].removesuffix(".age"), e["rows"], e["amount"]) for e in m["files"]] for m in (manifest, of_sealed)
    ]
    assert shown[0] == shown[1] and of_sealed["totals"] == manifest["totals"]


def test_without_the_key_nothing_personal_is_in_the_home(people: House, tmp_path: Path):
    """Nor was it ever, under another name: the whole folder of exports is searched when the batch is read back."""
    del people.people[KR, "C1"]
    people.forget(KR, "2020H2", "C1")
    key = str(pyrage.x25519.Identity.generate().to_public())
    roots = pack(tmp_path, recipients={"48170": key}, by_region={"48170": SECOND_BANK})
    needles = [data.encode(encoding) for data in PERSONAL for encoding in ("utf-8", "cp949")]
    searched = 0
    read_back = batch.read_back

    def search(*args: object) -> None:
        nonlocal searched
        for path in people.home.exports.rglob("*"):
            if path.is_file() and path.parent.name == "48170":
                searched += 1
                assert not any(needle in path.read_bytes() for needle in needles if len(needle) > 2), path
        read_back(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "read_back", search)
        pay(people, roots)
    assert searched == 6  # bulk.xlsx, cash.pain001.xml, voucher, green_card, held, review


def test_a_later_batch_needs_no_private_key(people: House, tmp_path: Path):
    key = str(pyrage.x25519.Identity.generate().to_public())
    roots = pack(tmp_path, recipients={"48170": key})
    first = pay(people, roots)
    assert propose(people.publish(), AT.date(), roots) == []
    people.money("K1", 12_000, name="홍길동", account_holder="홍길동")
    (proposal,) = propose(people.publish(), AT.date(), roots)
    second = issue(people.home, proposal, "Kim", roots, issued_at=AT)
    assert (first.amount, second.amount) == (37_000, 4_000)
    assert pq.read_table(second.path / "lines.parquet")["participant_id"].to_pylist() == ["K1"]


def test_what_was_changed_on_the_disk_is_found_when_read_back(people: House, tmp_path: Path):
    key = str(pyrage.x25519.Identity.generate().to_public())
    roots = pack(tmp_path, recipients={"48170": key})
    read_back = batch.read_back

    def tampered(connection, layout, aside: Path) -> None:
        path = aside / "48170" / "cash.csv.age"
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        read_back(connection, layout, aside)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "read_back", tampered)
        with pytest.raises(batch.BatchError, match=r"48170/cash.csv.age: SHA-256"):
            pay(people, roots)
    assert not list(people.home.exports.glob("*/*/2020H2-*"))


@pytest.mark.parametrize("key", ["age1qqq", "", "ssh-ed25519 AAAA", 5, None])
def test_a_wrong_key_is_named_with_file_region_and_value(tmp_path: Path, key: object):
    roots = pack(tmp_path, recipients={"48170": key})
    message = f"{roots[0] / KR / 'payouts.yml'}: recipients.48170: {key!r} is no public key of age"
    with pytest.raises(ValueError, match=re.escape(message)):
        load_layout(KR, roots)


def test_a_private_key_is_refused_and_not_shown(tmp_path: Path):
    secret = str(pyrage.x25519.Identity.generate())
    with pytest.raises(ValueError, match=r"recipients.48170\[0\]: a private key is no public key") as error:
        load_layout(KR, pack(tmp_path, recipients={"48170": [secret]}))
    assert secret not in str(error.value)


def test_a_region_without_a_key_among_its_keys_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="recipients.48170: has no key; nobody could open its files"):
        load_layout(KR, pack(tmp_path, recipients={"48170": []}))
