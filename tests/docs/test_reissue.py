"""docs/how-to/re-issue-a-payout.md, walked as it stands: its commands, its files, and the amounts of its table.

Worked out by hand: 6 × 178 = 1,068 of 1,200 kWh is 11 %, 10,000 points, 20,000 won. December 238: 1,128, 6 %, 5,000
points, 10,000 won. December 118: 1,008, 16 %, 15,000 points, 30,000 won.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tanso import cli, steps
from tanso.settings import PROJECT_ROOT, Home
from tests.blackbox.files import copy_pack
from tests.blackbox.korea import Korea

PAGE = PROJECT_ROOT / "docs" / "how-to" / "re-issue-a-payout.md"
PROGRAM = "kr_carbon_point"
NAMED_FILE = re.compile(r"`(inbox/[^`]+\.csv)`")
ENCODINGS = {"kr_kepco": "cp949", "kr_returns": "cp949"}


class Walk:
    """Runs a section's files and commands in the order in which they stand; keeps what each command said."""

    def __init__(self, home: Home, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
        self.home, self.patch, self.capsys = home, patch, capsys
        sections = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]
        self.sections = {text.splitlines()[0]: text for text in sections}

    def section(self, title: str, between=None) -> list[str]:
        """What the commands said; ``between`` is called before the last block of commands."""
        blocks = list(re.finditer(r"^```(csv|bash)\n(.*?)^```", self.sections[title], re.MULTILINE | re.DOTALL))
        said = []
        for number, block in enumerate(blocks):
            if block[1] == "csv":
                name = NAMED_FILE.findall(self.sections[title][: block.start()])[-1]
                path = self.home.root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block[2], ENCODINGS[path.parent.name])
                continue
            if between and number == len(blocks) - 1:
                between()
            said += [self.run(line) for line in block[2].splitlines()]
        return said

    def run(self, line: str) -> str:
        words = shlex.split(line.replace("<proposal>", self.proposal() or "-"), comments=True)
        given = dict(word.split("=", 1) for word in words if "=" in word)
        if words[0] == "export":
            for name, value in given.items():
                self.patch.setenv(name, value)
            return ""
        assert words[0] == "make"
        self.capsys.readouterr()
        for target in [word for word in words[1:] if "=" not in word]:
            with pytest.MonkeyPatch.context() as patch:
                if target == "approve" and len(self.batches()) < 2:
                    patch.setattr(steps, "evaluate", lambda: None)  # as the commands that follow do anyway
                assert cli.main([target, *self.arguments(target, given)]) == 0, line
        return self.capsys.readouterr().out

    @staticmethod
    def arguments(target: str, given: dict[str, str]) -> list[str]:
        """As the Makefile hands them on."""
        if target == "approve" and given:
            return [given["PROPOSAL"], "--by", given["BY"]]
        if target == "explain":
            return [given["PARTICIPANT"], "--period", given["PERIOD"], *(["--json"] if "JSON" in given else [])]
        assert not given
        return []

    def proposal(self) -> str | None:
        found = list(self.home.proposals.glob("*/*/proposal.json"))
        assert len(found) <= 1
        return json.loads(found[0].read_text("utf-8"))["proposal_id"] if found else None

    def batches(self) -> list[tuple[str, int, str, int]]:
        paths = sorted(self.home.exports.glob("*/*/*/manifest.json"))
        found = [json.loads(path.read_text("utf-8")) for path in paths]
        return [(m["batch_id"], m["amount"], m["approved_by"], m["overpaid"]["amount"]) for m in found]


def entries(said: str) -> list[tuple[str, ...]]:
    """The rows of "Paid, due, and the difference" in an explanation."""
    part = said.split("## Paid, due, and the difference\n")[1].split("\n## ")[0]
    rows = [re.split(r"\s{2,}", line.strip()) for line in part.splitlines() if line.startswith("    ")]
    return [(row[0], *row[-2:]) for row in rows[1:]]


@pytest.mark.timeout(1800)
def test_issue_correct_re_issue(tmp_path: Path, monkeypatch, capsys):
    home = Home(tmp_path / "home")
    copy_pack(tmp_path / "packs", PROGRAM, sources=["kr_enrolments", "kr_kepco", "kr_returns"])
    monkeypatch.setenv("TANSO_HOME", str(home.root))
    monkeypatch.setenv("TANSO_PROGRAMS", str(tmp_path / "packs"))
    members = (
        Korea()
        .person("Q1", **{"전기고객번호": "01-2345-6789"})
        .use("Q1", "2019-07", [200] * 6)
        .use("Q1", "2020-07", [178] * 6)
    )
    members.write(home.inbox, snapshot="20210601")
    walk = Walk(home, monkeypatch, capsys)

    said = walk.section("The first payout")
    assert "pay 20,000 KRW in 1 lines?" in said[2]
    first = ("2020H2-001", 20_000, "Kim Minji", 0)
    assert walk.batches() == [first]

    said = walk.section("A reading is corrected downwards")
    assert walk.proposal() is None and walk.batches() == [first]
    assert "5,000 points × 2.00 = 10,000 KRW" in said[-1]
    assert entries(said[-1]) == [
        ("issued", "20,000", "20,000"),
        ("due by the rules today", "10,000", "20,000"),
        ("overpaid, set off later", "-10,000", "20,000"),
    ]
    # The reading that was replaced, with its file; the one in force has another.
    corrected = said[-1].split("## Readings that a later file corrected\n")[1].split("\n## ")[0]
    assert re.search(r"2020-12-01 +178\.000 +238\.000 +kepco_2020\.csv +6\b", corrected)
    assert "kepco_2020_b.csv" in said[-1]

    walk.section("It is corrected again, upwards")
    second = ("2020H2-002", 10_000, "Kim Minji", 0)
    assert walk.batches() == [first, second]

    def another_account() -> None:
        # Before: the first transfer is due again, and held.
        assert entries(held.pop()) == [
            ("issued", "20,000", "20,000"),
            ("sent back by the bank: 계좌해지", "-20,000", "0"),
            ("issued", "10,000", "10,000"),
            ("due by the rules today", "30,000", "10,000"),
            ("held (account_returned)", "20,000", "10,000"),
        ]
        assert walk.proposal() is None
        members.members["Q1"]["계좌번호"] = "110-222-444444"
        members.readings["electricity"].clear()
        members.write(home.inbox, snapshot="20210901")

    run, held = walk.run, []

    def kept(line: str) -> str:
        held.append(run(line))
        return held[-1]

    walk.run = kept
    said = walk.section("The bank sends a transfer back", another_account)
    assert walk.batches() == [first, second, ("2020H2-003", 20_000, "Kim Minji", 0)]
    (found,) = json.loads(said[-1])
    assert [(line["batch_id"], line["amount"], line["returned_reason"]) for line in found["lines"]] == [
        ("2020H2-001", 20_000, "계좌해지"),
        ("2020H2-002", 10_000, None),
        ("2020H2-003", 20_000, None),
    ]
    assert [(entry["entry"], entry["amount"], entry["paid"]) for entry in found["settlement"][-3:]] == [
        ("issued", 20_000, 30_000),
        ("due by the rules today", 30_000, 30_000),
        ("to be paid", 0, 30_000),
    ]
    assert [(row["usage"], row["usage_now"], row["file_name"]) for row in found["corrections"]] == [
        ("178.000", "118.000", "kepco_2020.csv"),
        ("238.000", "118.000", "kepco_2020_b.csv"),
    ]
