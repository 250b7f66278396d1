"""A receipt is a record: its bytes are the same whichever version writes it, and those of older ones are read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tanso.files import hashed_json
from tanso.ingest.landing import land
from tanso.ingest.model import Receipt, ReceiptStatus

ALWAYS = {
    "source_id": "kr_kepco",
    "program_id": "kr_carbon_point",
    "file_name": "kepco_202101.csv",
    "received_no": 3,
    "received_at": "2021-02-01T00:00:00.000000Z",
}


@pytest.mark.parametrize(
    "of_the_status",
    [
        {"status": "landed", "size": 0, "sha256": "ab" * 32},
        {"status": "duplicate", "size": 7, "sha256": "ab" * 32},
        {"status": "forbidden_column", "size": 7, "sha256": "ab" * 32, "detail": "has RRN, which may not be sent"},
        {"status": "not_a_file"},
    ],
)
def test_what_is_read_is_written_again_byte_for_byte(of_the_status: dict, tmp_path: Path) -> None:
    path = tmp_path / "000003.json"
    path.write_bytes(hashed_json(ALWAYS | of_the_status))
    receipt = land.read_receipt(path)
    assert receipt.status == of_the_status["status"]
    assert hashed_json(receipt.content()) == path.read_bytes()


def test_one_of_an_older_version_has_no_hash_and_may_have_other_keys(tmp_path: Path) -> None:
    path = tmp_path / "000003.json"
    path.write_text(json.dumps({**ALWAYS, "status": "landed", "size": 1, "sha256": "cd" * 32, "place": "inbox"}))
    at = ALWAYS["received_at"]
    assert land.read_receipt(path) == Receipt(
        "kr_kepco", "kr_carbon_point", "kepco_202101.csv", 3, at, ReceiptStatus.LANDED, 1, "cd" * 32
    )


@pytest.mark.parametrize("status", ["", "lended", None])
def test_a_status_that_is_none_is_named_with_the_file(status: str | None, tmp_path: Path) -> None:
    path = tmp_path / "000003.json"
    path.write_bytes(hashed_json({**ALWAYS, "status": status}))
    with pytest.raises(land.DamagedReceipt, match=r"000003.json is damaged: .*; restore receipts/ from its backup"):
        land.read_receipt(path)
