"""Four eyes: two different people where policy asks for two, for exactly what they were shown."""

from __future__ import annotations

import json
import re
import stat
from datetime import UTC, date, datetime

import pytest

from tanso import cli, steps
from tanso.ledger import approvals
from tanso.packs import load_policy
from tanso.packs.policy import PolicyError
from tanso.payouts import NotApproved, StaleProposal, approve, issue, pending, propose
from tests.payouts.conftest import KR, House

DAY = date(2021, 6, 1)


@pytest.fixture
def two(house: House) -> House:
    """20,000 won are due to Q1; from 20,000 on two people approve."""
    house.rows["policy.approval_rules"] = [
        (KR, date(2018, 1, 1), None, 0, 1),
        (KR, date(2018, 1, 1), None, 20_000, 2),
    ]
    house.money("Q1", 10_000)
    house.publish()
    return house


def proposed(house: House) -> str:
    (proposal,) = propose(house.home, DAY)
    return proposal.proposal_id


def issued(house: House) -> list[dict]:
    return [json.loads(path.read_text("utf-8")) for path in sorted(house.home.exports.glob("*/*/*/manifest.json"))]


def test_one_person_is_not_enough_for_issue(two: House):
    proposal = proposed(two)
    message = "asks for 2 different people, approved so far by Kim. Next step: another person approves it, make approve"
    with pytest.raises(NotApproved, match=re.escape(message)):
        issue(two.home, proposal, "Kim")
    assert issued(two) == []
    assert issue(two.home, proposal, "Lee").approved_by == "Kim, Lee"
    (manifest,) = issued(two)
    assert manifest["approved_by"] == "Kim, Lee"
    page = next(two.home.exports.rglob("control.html")).read_text("utf-8")
    assert "Kim, Lee" in page


@pytest.mark.parametrize("again", ["Kim", " kim ", "ＫＩＭ"])
def test_the_same_person_twice_is_one_person(two: House, again: str):
    proposal = proposed(two)
    assert approve(two.home, proposal, "Kim") is False
    with pytest.raises(NotApproved, match="cannot be the second person too"):
        approve(two.home, proposal, again)
    with pytest.raises(NotApproved, match="cannot be the second person too"):
        issue(two.home, proposal, again)
    assert approve(two.home, proposal, "Lee") is True
    assert issue(two.home, proposal, "Lee").approved_by == "Kim, Lee"


def test_airflow_without_users_can_never_give_two(two: House):
    proposal = proposed(two)
    assert approve(two.home, proposal, "Anonymous") is False
    with pytest.raises(NotApproved, match="all are admins without a login.*give Airflow users of its own"):
        approve(two.home, proposal, "Anonymous")


@pytest.mark.parametrize(
    ("points", "rules", "needed"),
    [
        (9_999, [(None, 20_000, 2)], 1),  # 19,998 won
        (10_000, [(None, 20_000, 2)], 2),
        (10_000, [], 1),
        (10_000, [(None, 20_000, 2), (None, 10_000, 1)], 2),
        (10_000, [(date(2020, 1, 1), 0, 2)], 1),  # held to 2020H1
        (10_000, [(date(2020, 7, 1), 0, 2)], 2),  # to 2020H2, the period paid
    ],
)
def test_policy_says_how_many(house: House, points: int, rules: list, needed: int):
    house.money("Q1", points)
    house.rows["policy.approval_rules"] = [(KR, date(2018, 1, 1), *rule) for rule in rules]
    (proposal,) = propose(house.publish(), DAY)
    assert proposal.approvers == needed


def test_a_rule_that_begins_later_does_not_hold_yet(house: House):
    house.money("Q1", 10_000)
    house.rows["policy.approval_rules"] = [(KR, date(2021, 1, 1), None, 0, 2)]
    (proposal,) = propose(house.publish(), DAY)
    assert proposal.approvers == 1


def test_an_approval_is_a_record_of_who_when_and_what(two: House):
    proposal = proposed(two)
    approve(two.home, proposal, "Kim", datetime(2021, 6, 2, 3, 4, 5, tzinfo=UTC))
    (path,) = two.home.approvals.rglob("*.json")
    (waiting,) = pending(two.home)
    assert path.relative_to(two.home.approvals).as_posix() == f"{KR}/2020H2-001/{waiting.digest}/1.json"
    record = json.loads(path.read_text("utf-8"))
    assert len(record.pop("sha256_of_this")) == 64
    assert record == {
        "proposal_id": proposal,
        "digest": waiting.digest,
        "lines": 1,
        "amount": 20_000,
        "currency": "KRW",
        "approved_by": "Kim",
        "approved_at": "2021-06-02T03:04:05Z",
    }
    private = [two.home.approvals, *two.home.approvals.rglob("*")]
    assert [one for one in private if stat.S_IMODE(one.stat().st_mode) & 0o077] == []


def test_a_changed_proposal_has_no_approvals(two: House):
    old = proposed(two)
    approve(two.home, old, "Kim")
    two.money("Q1", 11_000)
    two.publish()
    with pytest.raises(StaleProposal):
        issue(two.home, old, "Lee")
    new = proposed(two)
    with pytest.raises(StaleProposal, match="was replaced by"):
        approve(two.home, old, "Lee")
    assert approve(two.home, new, "Lee") is False  # Kim approved something else
    assert approve(two.home, new, "Kim") is True
    assert issue(two.home, new, "Kim").amount == 22_000
    # What was due at first is due again: as the second batch, which nobody has approved.
    assert issued(two)[0]["approved_by"] == "Lee, Kim"


def test_the_same_content_proposed_again_keeps_its_approvals(two: House):
    assert approve(two.home, proposed(two), "Kim") is False
    assert approve(two.home, proposed(two), "Lee") is True


@pytest.mark.parametrize("name", ["", "Kim, Lee", "Kim\nLee"])
def test_a_name_that_a_list_of_names_cannot_hold_is_refused(two: House, name: str):
    proposal = proposed(two)
    if "\n" in name:  # white space is one blank
        assert approve(two.home, proposal, name) is False
        assert approvals.given(two.home, pending(two.home)[0]) == ["Kim Lee"]
        return
    with pytest.raises(ValueError, match="approver"):
        approve(two.home, proposal, name)
    assert not two.home.approvals.exists()


def test_on_the_command_line_the_second_approval_issues(two: House, capsys, monkeypatch):
    monkeypatch.setenv("TANSO_HOME", str(two.home.root))
    monkeypatch.setattr(steps, "evaluate", lambda: print("evaluated"))
    proposal = proposed(two)
    assert cli.main(["approve", proposal, "--by", "Kim"]) == 0
    said = capsys.readouterr().out
    assert "another person must approve it too" in said and f"make approve PROPOSAL={proposal} BY=<another" in said
    assert issued(two) == [] and not steps.is_approved(proposal)
    assert cli.main(["approve"]) == 0
    said = capsys.readouterr().out
    assert "2 different people must approve this" in said and "Approved so far by Kim." in said
    assert cli.main(["approve", proposal, "--by", "Kim"]) == 1
    assert "approval_rules asks for 2 different people" in capsys.readouterr().err
    assert cli.main(["approve", proposal, "--by", "Lee"]) == 0
    assert "approved by Kim, Lee" in capsys.readouterr().out
    assert [manifest["approved_by"] for manifest in issued(two)] == ["Kim, Lee"] and steps.is_approved(proposal)


def test_policy_takes_one_or_two_approvers(tmp_path, monkeypatch):
    folder = tmp_path / "p" / "policy"
    folder.mkdir(parents=True)
    (folder / "period_rules.csv").write_text(
        "program_id,period_kind,label,participant_classes,months,starts_month,ends_month,payable_from_month\n"
        "p,Y,YYYY,home,1 2,1,12,13\n"
    )
    rules = folder / "approval_rules.csv"
    rules.write_text("program_id,valid_from,valid_to,amount_from,approvers,source\np,2020,,1000,2,council 12\n")
    (row,) = load_policy([tmp_path]).rows("approval_rules")
    assert (row["amount_from"], row["approvers"], row["valid_from_on"]) == (1000, 2, date(2020, 1, 1))
    rules.write_text("program_id,valid_from,valid_to,amount_from,approvers,source\np,2020,,1000,3,council 12\n")
    with pytest.raises(PolicyError, match="approvers '3': is too many; allowed: 1 to 2"):
        load_policy([tmp_path])


def test_only_what_waits_or_was_issued_is_approved(house: House, capsys, monkeypatch):
    """A nonsense digest of an issued batch is no approval; the id that was issued says so."""
    house.money("A1", 10_000)
    home = house.publish()
    monkeypatch.setenv("TANSO_HOME", str(home.root))
    (proposal,) = propose(home, date(2021, 6, 1))
    batch = issue(home, proposal, "Kim")
    batch_part = f"{KR}/{batch.batch_id}"
    before = sorted(path.name for path in home.approvals.rglob("*"))
    for nonsense in (f"{batch_part}/ffffffffffff", f"{batch_part}/", batch_part, f"{KR}/../{batch_part}/0", "x", ""):
        with pytest.raises(ValueError, match="Unknown proposal .* Waiting for approval: none"):
            steps.approve(nonsense, "Lee")
        with pytest.raises(ValueError, match="Unknown proposal .* Waiting for approval: none"):
            steps.issue(nonsense, "Lee")
    assert "approved" not in capsys.readouterr().out
    assert steps.approve(proposal.proposal_id, "Lee")
    assert "its batch is issued already; there is nothing to approve" in capsys.readouterr().out
    assert issue(home, proposal.proposal_id, "Lee") is None
    assert sorted(path.name for path in home.approvals.rglob("*")) == before
