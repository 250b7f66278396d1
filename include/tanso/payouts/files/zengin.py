"""Bulk transfers as banks of the Zengin system take them: records of 120 bytes, half-width kana of one byte each.

One header, a record per transfer, a trailer with their number and sum, an end. A region's ``debtors`` entry fills the
header: consignor_code (10 digits), consignor_name (kana), bank_code (4), branch_code (3), account_type (1 ordinary,
2 current, 9 other), account_no (7), and optionally bank_name and branch_name (kana).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, BinaryIO

# Name, bytes, what it holds (N: digits, filled up with zeros from the left; X: exactly so many digits; C: text, filled
# up with blanks from the right; T: the same, cut), and its value where that is always the same.
Record = tuple[tuple[str, int, str, str | None], ...]
HEADER: Record = (
    ("record", 1, "N", "1"),
    ("kind", 2, "N", "21"),  # bulk transfer
    ("code", 1, "N", "0"),  # JIS
    ("consignor_code", 10, "N", None),
    ("consignor_name", 40, "C", None),
    ("transfer_on", 4, "X", None),  # month and day
    ("bank_code", 4, "X", None),
    ("bank_name", 15, "C", None),
    ("branch_code", 3, "X", None),
    ("branch_name", 15, "C", None),
    ("account_type", 1, "X", None),
    ("account_no", 7, "N", None),
    ("dummy", 17, "C", ""),
)
DATA: Record = (
    ("record", 1, "N", "2"),
    ("bank_code", 4, "X", None),
    ("bank_name", 15, "C", ""),
    ("branch_code", 3, "X", None),
    ("branch_name", 15, "C", ""),
    ("clearing_house", 4, "N", ""),
    ("account_type", 1, "X", None),  # 1 ordinary, 2 current, 4 savings
    ("account_no", 7, "N", None),
    ("account_holder", 30, "T", None),  # banks compare the first 30 bytes
    ("amount", 10, "N", None),
    ("new", 1, "N", "0"),
    ("customer_1", 10, "N", None),  # line_no: the bank names it when a transfer comes back
    ("customer_2", 10, "N", ""),
    ("by", 1, "N", "7"),  # wire
    ("identification", 1, "C", ""),
    ("dummy", 7, "C", ""),
)
TRAILER: Record = (("record", 1, "N", "8"), ("count", 6, "N", None), ("total", 12, "N", None), ("dummy", 101, "C", ""))
END: Record = (("record", 1, "N", "9"), ("dummy", 119, "C", ""))
LENGTH = 120
# The fields of lines that a data record is made of.
FIELDS = ("bank_code", "branch_code", "account_type", "account_no", "account_holder", "amount", "line_no")
DEBTOR = ("consignor_code", "consignor_name", "bank_code", "branch_code", "account_type", "account_no")
OPTIONAL = ("bank_name", "branch_name")

# Full-width kana and combining voiced marks -> half-width; small ones are written large, a long vowel as a hyphen.
_HALF = {ord(unicodedata.normalize("NFKC", chr(code))): chr(code) for code in range(0xFF66, 0xFFA0)}
_LARGE = str.maketrans("ァィゥェォッャュョヮヵヶー", "アイウエオツヤユヨワカケ-")
# What names of account holders are made of everywhere: other marks are taken by some banks only, ヲ by none.
_WRITABLE = {chr(code) for code in range(0xFF71, 0xFFA0)} | set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ().-")


def half_width(text: str) -> str:
    """A name as the records hold it; raises ValueError for a character that they do not have."""
    large = unicodedata.normalize("NFKC", text).upper().translate(_LARGE)
    written = unicodedata.normalize("NFD", large).translate(_HALF)
    if set(written) - _WRITABLE:
        raise ValueError("has a character that is none of kana, A to Z, 0 to 9, space ( ) . -")
    return written


def mistakes(debtor: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The keys of ``debtor`` that are missing or unfit, and why."""
    for name, size, kind, fixed in HEADER:
        if fixed is None and name in DEBTOR and not debtor.get(name):
            yield name, "is missing; format zengin needs it"
        elif fixed is None and debtor.get(name):
            try:
                _part(debtor[name], size, kind, name)
            except ValueError as error:
                yield name, str(error).removeprefix(f"{name}: ")


def header(debtor: Mapping[str, str], on: date) -> bytes:
    """The header record of a ``debtor`` without ``mistakes``."""
    return _record(HEADER, {**dict.fromkeys(OPTIONAL, ""), **debtor, "transfer_on": f"{on:%m%d}"})


def write(
    file: BinaryIO, name: str, debtor: Mapping[str, str], on: date, rows: Iterable[Sequence[Any]], line_ends: bool
) -> int:
    """Write a file; its number of transfers. ``rows``: participant_id, and the values of ``FIELDS``; ``name``: the path
    to report. Raises ValueError for what a record cannot hold; whose account that is stands in it, not the account."""
    end = b"\r\n" if line_ends else b""
    file.write(header(debtor, on) + end)
    count = total = 0
    for participant_id, *fields, line_no in rows:
        values = dict(zip(FIELDS, fields, strict=False))
        try:
            file.write(_record(DATA, {**values, "customer_1": line_no}) + end)
        except ValueError as error:
            raise ValueError(
                f"{name}: the account of {participant_id} cannot be written: {error}; declare options.account_format "
                "of the register so that such payouts are held, and ingest and evaluate again"
            ) from None
        count += 1
        total += values["amount"]
    file.write(_record(TRAILER, {"count": count, "total": total}) + end + _record(END, {}) + end)
    return count


def read(file: BinaryIO) -> tuple[int, int, int, int]:
    """Transfers and their sum, and the number and sum that the trailer states; raises ValueError for another file."""
    content = file.read()
    size = LENGTH + 2 * (content[LENGTH : LENGTH + 2] == b"\r\n")
    records = [content[start : start + LENGTH].decode("cp932") for start in range(0, len(content), size)]
    kinds = "".join(record[:1] for record in records)
    if len(content) % size or kinds != f"1{'2' * (len(records) - 3)}89":
        raise ValueError("is not a header, transfers, a trailer and an end, of 120 bytes each")
    amounts = [_read(DATA, record, "amount") for record in records[1:-2]]
    return len(amounts), sum(amounts), _read(TRAILER, records[-2], "count"), _read(TRAILER, records[-2], "total")


def _record(layout: Record, values: Mapping[str, Any]) -> bytes:
    return "".join(
        _part(values[name], size, kind, name) if fixed is None else fixed.rjust(size, "0" if kind == "N" else " ")
        for name, size, kind, fixed in layout
    ).encode("cp932")


def _part(value: Any, size: int, kind: str, name: str) -> str:
    text = "" if value is None else str(value)
    if kind in "NX":
        if not (text.isascii() and text.isdigit()) or len(text) > size or (kind == "X" and len(text) < size):
            raise ValueError(f"{name}: is not {'' if kind == 'X' else 'at most '}{size} digits")
        return text.rjust(size, "0")
    try:
        text = half_width(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if len(text) > size and kind == "C":
        raise ValueError(f"{name}: is longer than {size} bytes in half-width kana")
    return text[:size].ljust(size)


def _read(layout: Record, record: str, wanted: str) -> int:
    start = 0
    for name, size, *_ in layout:
        if name == wanted:
            return int(record[start : start + size])
        start += size
    raise KeyError(wanted)
