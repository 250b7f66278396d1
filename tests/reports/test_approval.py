"""What the approver reads."""

from __future__ import annotations

from datetime import date

from include.payouts import Proposal
from include.reports.approval import question


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


def test_nothing_held_is_said():
    assert "**Held: not paid until mended**\n\nNone." in question(proposal(held=[]))["body"]
