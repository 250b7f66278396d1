"""What the approver reads."""

from __future__ import annotations

import re
from datetime import date

from tanso.payouts import Proposal
from tanso.reports.approval import TERMINAL, body, question, subject


def proposal(**changes) -> Proposal:
    values = {
        "program_id": "p",
        "period_id": "2021H1",
        "batch_id": "2021H1-002",
        "as_of": date(2022, 1, 31),
        "digest": "0123456789abcdef",
        "lines": 2,
        "amount": 30_000,
        "currency": "KRW",
        "totals": [
            {
                "region_code": "10",
                "incentive_type": "cash",
                "lines": 2,
                "amount": 30_000,
                "period_amount": 50_000,
                "previous_amount": 45_000,
            }
        ],
        "previous_period_id": "2020H1",
        "held": [{"region_code": "10", "hold_reason": "bank_account_missing", "participants": 3, "amount": 12_000}],
        "lists": [],
        "top": [{"participant_id": "P1", "region_code": "10", "incentive_type": "cash", "amount": 20_000}],
        "overpaid": {"participants": 1, "amount": 500},
        "issued_before": {"batches": 1, "amount": 20_000},
        "policy_sha256": "abc",
        "code_version": "v1",
        "marts_fingerprint": "f",
        "approvers": 1,
    }
    return Proposal(**values | changes)


def test_the_question_names_batch_and_amount():
    asked = question(proposal())
    assert asked["proposal_id"] == "p/2021H1-002/0123456789ab"
    assert asked["subject"] == "p 2021H1-002: pay 30,000 KRW in 2 lines?"


def test_the_body_shows_totals_change_held_largest_and_origin():
    body = question(proposal())["body"]
    assert "| 10 | cash | 2 | 30,000 | 50,000 | 45,000 | 5,000 |" in body
    assert "| 10 | bank_account_missing | 3 | 12,000 |" in body
    assert "| P1 | 10 | cash | 20,000 |" in body
    assert "1 earlier batches paid (20,000 KRW)" in body
    assert "500 KRW to 1 participants" in body
    assert "`v1`" in body and "`abc`" in body
    assert "`p/2021H1-002/0123456789ab`" in body and "`proposals/p/2021H1/lines.parquet`" in body


def test_the_body_says_when_two_people_must_approve():
    assert "2 different people must approve this" in question(proposal(approvers=2))["body"]
    assert "different people" not in question(proposal())["body"]


def test_totals_of_several_regions_and_kinds_are_added_up():
    row = {"region_code": "10", "lines": 2, "amount": 30_000, "period_amount": 50_000, "previous_amount": 45_000}
    other = {"region_code": "20", "lines": 1, "amount": 500, "period_amount": 500, "previous_amount": 4_000}
    totals = [{**row, "incentive_type": "cash"}, {**other, "incentive_type": "voucher"}]
    body = question(proposal(totals=totals, amount=30_500, lines=3))["body"]
    assert (
        "| 20 | voucher | 1 | 500 | 500 | 4,000 | -3,500 |\n| all |  | 3 | 30,500 | 50,500 | 49,000 | 1,500 |\n" in body
    )


HOSTILE = ["![](http://a.b/c.png)", "[Approve here](http://a.b)", "a | b |", "\x1b[2J\u202e", "a\n\n# b", "<b>`x`"]


def hostile() -> Proposal:
    """Every text of a register or pack that reaches the question."""
    top = [
        {"participant_id": text, "region_code": text, "incentive_type": text, "amount": number}
        for number, text in enumerate(HOSTILE)
    ]
    totals = [{**row, "lines": 1, "period_amount": 1, "previous_amount": 1} for row in top]
    held = [{"region_code": text, "hold_reason": text, "participants": 1, "amount": 1} for text in HOSTILE]
    lists = [{"region_code": text, "list": text, "items": 1} for text in HOSTILE]
    named = {"program_id": HOSTILE[0], "period_id": HOSTILE[1], "batch_id": HOSTILE[2], "currency": HOSTILE[3]}
    rest = {"code_version": HOSTILE[4], "policy_sha256": HOSTILE[5], "previous_period_id": HOSTILE[1]}
    return proposal(top=top, totals=totals, held=held, lists=lists, **named, **rest)


def test_in_markdown_no_id_is_a_link_an_image_or_a_cell_of_its_own():
    asked = question(hostile())
    plain = re.sub(r"&#\d+;", "", asked["body"])
    assert not set(plain) & set("![](){}<>\x1b\u202e\\") - set("()")
    assert "://" not in plain and "\n#" not in plain
    lines = [line for line in plain.splitlines() if line.startswith("|")]
    # region, kind and 5 figures; region, reason and 2; participant, region, kind and amount; region, list and entries
    assert {line.count("|") for line in lines} == {8, 5, 4}
    assert "&#91;Approve here&#93;&#40;http&#58;&#47;&#47;a&#46;b&#41;" in asked["body"]
    assert not set(asked["subject"]) & set("\n\x1b\u202e")


def test_a_terminal_shows_ids_as_they_are_without_their_escapes():
    text = f"{subject(hostile())}\n{body(hostile(), TERMINAL)}"
    assert not set(text) & set("\x1b\u202e") and "&#" not in text and "**" not in text
    assert "[Approve here](http://a.b)" in text and "\\x1b[2J\\u202e" in text and "a\\x0a\\x0a# b" in text


def test_nothing_held_is_said():
    assert "**On hold: not paid until fixed**\n\nNone." in question(proposal(held=[]))["body"]


def test_the_same_account_more_than_once_is_shown():
    same = {"payees": 1, "largest": [{"participants": ["P1", "P|2"], "lines": 2, "amount": 30_000}]}
    shown = body(proposal(same_payee=same), TERMINAL)
    assert "More than one line to the same account or card: 1, the largest" in shown and "P1, P|2" in shown
    assert "P|2" not in question(proposal(same_payee=same))["body"]
    assert "same account" not in question(proposal())["body"]


def test_sources_that_failed_are_named_first():
    asked = question(proposal(failed_sources=["kr_kepco", "kr_citygas"]))["body"]
    assert asked.startswith("**Worked out without all sources**: kr_kepco, kr_citygas failed in the newest ingest.")
