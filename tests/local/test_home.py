"""One run at a time, and the sample is recognised as nothing but the sample."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from tanso import cli, settings
from tanso.local import sample
from tanso.local.lock import HomeIsBusy, hold
from tanso.settings import Home


def test_a_second_run_on_the_same_home_is_refused(home: Home):
    with hold(home), pytest.raises(HomeIsBusy, match="Another run is working on"), hold(home):
        pass
    with hold(home):
        pass  # free again


@pytest.fixture
def packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One pack with a sample of one file."""
    file = tmp_path / "packs" / "one" / "sample" / "meters" / "a.csv"
    file.parent.mkdir(parents=True)
    file.write_text("x")
    monkeypatch.setenv("TANSO_PROGRAMS", str(tmp_path / "packs"))
    return tmp_path / "packs"


def land(home: Home, content: bytes) -> None:
    name = hashlib.sha256(content).hexdigest()
    (home.landing / name[:2]).mkdir(parents=True, exist_ok=True)
    (home.landing / name[:2] / name).write_bytes(content)


def test_the_sample_is_copied_once(home: Home, packs: Path):
    assert sample.copy_to_inbox(home) == 1
    assert (home.inbox / "meters" / "a.csv").read_text() == "x"
    assert sample.copy_to_inbox(home) == 0


def test_anything_else_received_asks_for_a_person(home: Home, packs: Path):
    land(home, b"x")
    assert sample.is_all_there_is(home)
    land(home, b"real readings")
    assert not sample.is_all_there_is(home)


def test_without_a_sample_nothing_is_the_sample(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TANSO_PROGRAMS", str(tmp_path / "nowhere"))
    assert not sample.is_all_there_is(home)


@pytest.mark.parametrize("name", ["a[b]", "a*", "a?"])
@pytest.mark.parametrize(
    ("variable", "ask"), [("TANSO_HOME", settings.home), ("TANSO_PROGRAMS", settings.program_roots)]
)
def test_a_path_that_is_a_pattern_is_refused(variable, ask, name, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Of ``a[b]/`` and its neighbour ``ab/`` DuckDB reads the neighbour, of ``a*/`` both."""
    monkeypatch.setenv(variable, str(tmp_path / name / "home"))
    said = rf"{variable}: the path .*{re.escape(name)}/home has {re.escape(name[1])} in it.*Rename the folder, or set"
    with pytest.raises(ValueError, match=said):
        ask()
    monkeypatch.setenv(variable, str(tmp_path / "{1,2} (가) 'x'"))
    ask()


def test_a_pattern_for_a_home_stops_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setenv("TANSO_HOME", str(tmp_path / "a[b]"))
    assert cli.main(["ingest"]) == 1
    assert capsys.readouterr().err.startswith("TANSO_HOME: the path ")
    assert not (tmp_path / "a[b]").exists()
