"""Participants' numbers with Markdown, links and terminal escapes, from the register to whoever reads them."""

from __future__ import annotations

import re
from datetime import date

import pytest

from tanso import cli
from tanso.payouts import propose
from tanso.payouts.files import control
from tanso.reports.approval import question
from tests.payouts.conftest import House, house  # noqa: F401

IDS = ["![](http://a.b/c.png)", "[Approve here](http://a.b)", "a | b |", "\x1b[2J", "=1+1"]


@pytest.fixture
def paid(house: House, monkeypatch: pytest.MonkeyPatch) -> House:  # noqa: F811
    for number, participant_id in enumerate(IDS):
        house.money(participant_id, 1_000 + number)
    monkeypatch.setenv("TANSO_HOME", str(house.home.root))
    house.publish()
    return house


def test_the_question_shows_them_word_for_word(paid: House, capsys: pytest.CaptureFixture):
    (proposal,) = propose(paid.home, date(2021, 6, 1))
    body = re.sub(r"&#\d+;", "", question(proposal)["body"])
    assert "](" not in body and "://" not in body and "\x1b" not in body
    assert cli.main(["approve"]) == 0
    shown = capsys.readouterr().out
    assert "[Approve here](http://a.b)" in shown and "\\x1b[2J" in shown and "\x1b" not in shown


def test_files_and_errors_show_them_on_one_line(paid: House, capsys: pytest.CaptureFixture):
    from tanso.payouts import issue

    (proposal,) = propose(paid.home, date(2021, 6, 1))
    batch = issue(paid.home, proposal, "Kim")
    rows = (batch.path / "48170" / "cash.csv").read_bytes().decode("cp949").split("\r\n")[1:-1]
    assert sorted(row.rpartition(",")[2] for row in rows) == sorted(
        ["![](http://a.b/c.png)", "[Approve here](http://a.b)", "a | b |", " [2J", "'=1+1"]
    )
    assert "\x1b" not in (batch.path / control.NAME).read_text("utf-8")
    assert cli.main(["approve", "x\x1b[2J/y", "--by", "Kim"]) == 1
    said = capsys.readouterr()
    assert not set(said.out + said.err) & set("\x1b\u202e") and "\\x1b[2J" in said.err
