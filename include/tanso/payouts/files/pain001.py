"""ISO 20022 credit transfer initiation, pain.001.001.09: one payment of many credit transfers, as a bank takes it.

``schemas/pain.001.001.09.xsd`` is our own restriction of the message to the elements used here, in the standard's order
and with its lengths: what is valid against it is valid against the standard's schema.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeAlias
from xml.sax.saxutils import escape

from lxml import etree

from tanso.cells import CUT, Substitution
from tanso.shown import one_line

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
# What the standard's users write where a mandatory identification is not known.
NOT_PROVIDED = "NOTPROVIDED"
_TAG = f"{{{NAMESPACE}}}"
# The places of a transfer that are filled in, in the order of FIELDS.
_ID, _AMOUNT, _BANK, _ACCOUNT, _HOLDER, _NOTE = (f"{{{place}}}" for place in range(6))
_AT_ONCE = 1_000
# What an element holds: a text, perhaps with attributes, or elements by name.
_Text: TypeAlias = "str | tuple[str, dict[str, str]]"
_Content: TypeAlias = "list[tuple[str, _Text | _Content]]"
_LONGEST = 140  # characters of a name or a note
# Of 35 characters, less a hyphen and a line number of up to seven digits.
_ID_LENGTH = 27
# The fields of lines (layouts.py) that a transfer is made of, in the order of Transfer's.
FIELDS = ("line_no", "amount", "bank_code", "account_no", "account_holder", "transfer_note")


@dataclass(frozen=True)
class Header:
    """Who pays how much in all, and when. ``message_id``: what ``identification`` gives; ``created_at`` has its offset
    from UTC; amounts are whole units of ``currency``."""

    message_id: str
    created_at: datetime
    transfers: int
    amount: int
    currency: str
    transfer_on: date
    debtor: str
    debtor_bank_code: str | None = None
    debtor_account_no: str | None = None


@dataclass(frozen=True)
class Transfer:
    """One credit transfer; the participant's number is not in the file."""

    end_to_end_id: str
    amount: int
    bank_code: str
    account_no: str
    holder: str
    note: str
    participant_id: str = ""


def identification(program_id: str, batch_id: str, region: str) -> str:
    """A message's id, the same whenever it is made and another for every programme, batch and region; with ``-`` and a
    line number it is a transfer's. Both have the 35 characters at most, and none that banks refuse."""
    tag = hashlib.sha256("/".join((program_id, batch_id, region)).encode()).hexdigest()
    readable = f"{batch_id}-{region}-{tag[:8]}"
    return readable if re.fullmatch(f"[A-Za-z0-9-]{{1,{_ID_LENGTH}}}", readable) else tag[:_ID_LENGTH]


def write(file: BinaryIO, name: str, header: Header, transfers: Iterable[Transfer]) -> tuple[int, list[Substitution]]:
    """Write a file, UTF-8, however many transfers there are; their number, and what of names and notes was cut off.

    ``name`` is the path to report.
    """
    written, cut = 0, []
    # The message is made with one transfer of placeholders, which is then filled in: much faster than a tree for each.
    before, opening, rest = _message(header).partition("<CdtTrfTxInf>")
    transfer, closing, after = rest.partition("</CdtTrfTxInf>")
    filled = (opening + transfer + closing).format
    file.write(before.encode())
    remaining = iter(transfers)
    while some := list(islice(remaining, _AT_ONCE)):
        lines = [
            filled(
                escape(one.end_to_end_id),
                one.amount,
                escape(one_line(one.bank_code)),
                escape(one_line(one.account_no)),
                escape(_name(one.holder)),
                escape(_name(one.note)),
            )
            for one in some
        ]
        file.write("".join(lines).encode())
        for row, one in enumerate(some, written + 1):
            for column, text in (("account_holder", one.holder), ("transfer_note", one.note)):
                if (over := len(one_line(text)) - _LONGEST) > 0:
                    cut.append(Substitution(name, row, column, over, one.participant_id, CUT))
        written += len(lines)
    file.write(after.encode())
    return written, cut


def _message(header: Header) -> str:
    # As written by hand: the library's own declaration has single quotes, which some banks refuse.
    made = io.BytesIO()
    made.write(b'<?xml version="1.0" encoding="UTF-8"?>\n')
    with (
        etree.xmlfile(made, encoding="UTF-8") as xml,
        xml.element(_TAG + "Document", nsmap={None: NAMESPACE}),
        xml.element(_TAG + "CstmrCdtTrfInitn"),
    ):
        _element(xml, "GrpHdr", _group(header))
        with xml.element(_TAG + "PmtInf"):
            for name, content in _payment(header):
                _element(xml, name, content)
            _element(xml, "CdtTrfTxInf", _transfer(header.currency))
    return made.getvalue().decode()


def read(file: BinaryIO) -> tuple[int, int, int]:
    """Transfers, their sum, and the sum that the file states; raises XMLSyntaxError when it is not valid."""
    transfers = amount = stated = 0
    looked_at = [_TAG + name for name in ("InstdAmt", "CtrlSum", "CdtTrfTxInf")]
    for _, element in etree.iterparse(file, schema=_schema(), resolve_entities=False, tag=looked_at):
        if element.tag == _TAG + "InstdAmt":
            amount += int(element.text or "")
            transfers += 1
        elif element.tag == _TAG + "CtrlSum":
            stated = int(element.text or "")
        else:
            element.clear()
            while element.getprevious() is not None and element.getprevious().tag == element.tag:
                del element.getparent()[element.getparent().index(element) - 1]
    return transfers, amount, stated


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(Path(__file__).with_name("schemas") / "pain.001.001.09.xsd")))


def _group(header: Header) -> _Content:
    return [
        ("MsgId", header.message_id),
        ("CreDtTm", header.created_at.isoformat(timespec="seconds")),
        ("NbOfTxs", str(header.transfers)),
        ("CtrlSum", str(header.amount)),
        ("InitgPty", [("Nm", _name(header.debtor))]),
    ]


def _payment(header: Header) -> _Content:
    return [
        ("PmtInfId", header.message_id),
        ("PmtMtd", "TRF"),
        ("NbOfTxs", str(header.transfers)),
        ("CtrlSum", str(header.amount)),
        ("ReqdExctnDt", [("Dt", header.transfer_on.isoformat())]),
        ("Dbtr", [("Nm", _name(header.debtor))]),
        ("DbtrAcct", _account(header.debtor_account_no or NOT_PROVIDED)),
        ("DbtrAgt", _agent(header.debtor_bank_code)),
    ]


def _transfer(currency: str) -> _Content:
    return [
        ("PmtId", [("EndToEndId", _ID)]),
        ("Amt", [("InstdAmt", (_AMOUNT, {"Ccy": currency}))]),
        ("CdtrAgt", _agent(_BANK)),
        ("Cdtr", [("Nm", _HOLDER)]),
        ("CdtrAcct", _account(_ACCOUNT)),
        ("RmtInf", [("Ustrd", _NOTE)]),
    ]


def _account(number: str) -> _Content:
    return [("Id", [("Othr", [("Id", number)])])]


def _agent(bank_code: str | None) -> _Content:
    if bank_code is None:
        return [("FinInstnId", [("Othr", [("Id", NOT_PROVIDED)])])]
    return [("FinInstnId", [("ClrSysMmbId", [("MmbId", bank_code)])])]


def _name(text: str) -> str:
    """As a file that leaves the house shows it, and at most as long as the standard allows."""
    return one_line(text)[:_LONGEST]


def _element(xml: etree._IncrementalFileWriter, name: str, content: _Text | _Content) -> None:
    text, attributes = content if isinstance(content, tuple) else (content, {})
    with xml.element(_TAG + name, attributes):
        if isinstance(text, str):
            xml.write(text)
        else:
            for child, inner in text:
                _element(xml, child, inner)
