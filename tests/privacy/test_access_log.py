"""Who read personal data, when and why is written down where it cannot be rewritten by a run."""

from __future__ import annotations

import json
from datetime import date

from tanso.payouts import issue, propose
from tanso.privacy import access_log
from tanso.settings import Home
from tests.payouts.conftest import House, house  # noqa: F401  # the fixture


def events(home: Home) -> list[dict]:
    return [
        json.loads(line) for path in sorted(home.access_log.glob("*.jsonl")) for line in path.read_text().splitlines()
    ]


def test_issuing_says_who_approved_and_what_was_read(house: House):  # noqa: F811
    house.money("Q1", 10_000)
    house.money("Q2", 5_000)
    home = house.publish()
    (proposal,) = propose(home, date(2021, 6, 1))
    assert events(home) == []  # a proposal needs no personal data
    issue(home, proposal, "김 담당")
    read, issued = events(home)
    assert (read["what"], read["who"], read["why"]) == ("vault_read", "김 담당", "files of batch 2020H2-001")
    assert read["participants"] == 2
    assert (issued["what"], issued["who"], issued["why"]) == (
        "batch_issued",
        "김 담당",
        f"approved proposal {proposal.proposal_id}",
    )
    assert issued["batch_id"] == "2020H2-001" and issued["regions"] == ["48170"]
    assert "48170/cash.csv" in issued["files"] and "manifest.json" in issued["files"]
    assert read["at"] <= issued["at"] and issued["at"].endswith("Z")


def test_the_log_only_grows(home: Home):
    access_log.record(home, "explained", "asked by phone", "a", participant_id="Q1")
    before = next(home.access_log.glob("*.jsonl")).read_bytes()
    access_log.record(home, "explained", "asked\nagain", participant_id="Q2")
    (path,) = home.access_log.glob("*.jsonl")
    assert path.read_bytes().startswith(before)
    assert [event["participant_id"] for event in events(home)] == ["Q1", "Q2"]
    assert events(home)[1]["who"]  # the account that runs the process
    assert oct(path.stat().st_mode)[-3:] == "600" and oct(home.access_log.stat().st_mode)[-3:] == "700"
