"""The command line: the chain without Airflow, on one pack's sample."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from include import cli
from include.operate.lock import hold
from include.settings import PROJECT_ROOT, Home

PACK = PROJECT_ROOT / "include" / "programs" / "jp_nakano_eco_point"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory):
    """A home with the pack's sample in its inbox; the pack alone, one of its sources at a place that is not there."""
    folder = tmp_path_factory.mktemp("cli")
    shutil.copytree(PACK, folder / "packs" / PACK.name)
    gone = folder / "packs" / PACK.name / "sources" / "jp_opening_points.yml"
    gone.write_text(gone.read_text("utf-8").replace("url: inbox/jp_opening_points", "url: sftp://127.0.0.1:1/opening"))
    home = Home(folder / "home")
    shutil.copytree(PACK / "sample", home.inbox)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANSO_HOME", str(home.root))
        patch.setenv("TANSO_PROGRAMS", str(folder / "packs"))
        patch.setenv("TANSO_AS_OF", "2020-06-30")
        yield home


@pytest.fixture(scope="module")
def ingested(home: Home) -> int:
    return cli.main(["ingest"])


@pytest.fixture(scope="module")
def proposed(home: Home, ingested: int) -> list[Path]:
    assert cli.main(["evaluate"]) == 0
    assert cli.main(["propose"]) == 0
    return sorted(home.proposals.glob("*/*/proposal.json"))


def test_a_source_that_is_not_reached_stops_no_other_but_is_a_failure(home, ingested, capsys):
    assert ingested == 1
    assert (home.lake / "applications").is_dir()
    assert cli.main(["ingest", "jp_actions"]) == 0
    assert "jp_actions: nothing new" in capsys.readouterr().out


def test_an_unknown_source_is_named(home, capsys):
    assert cli.main(["ingest", "nobody"]) == 1
    assert "No source nobody; declared are jp_actions" in capsys.readouterr().err


def test_approval_needs_a_name_and_issues_once(home, proposed, capsys):
    path = proposed[0]
    proposal_id = json.loads(path.read_text("utf-8"))["proposal_id"]
    assert cli.main(["approve"]) == 0
    assert proposal_id in capsys.readouterr().out
    assert cli.main(["approve", proposal_id]) == 1
    assert "--by" in capsys.readouterr().err
    assert list(home.exports.glob("*/*/*/manifest.json")) == []

    assert cli.main(["approve", proposal_id, "--by", "Kim"]) == 0
    [manifest] = home.exports.glob("*/*/*/manifest.json")
    assert json.loads(manifest.read_text("utf-8"))["approved_by"] == "Kim"
    capsys.readouterr()
    assert cli.main(["approve"]) == 0
    assert proposal_id not in capsys.readouterr().out
    assert cli.main(["summary"]) == 0
    assert "Kim" in capsys.readouterr().out


def test_steps_wait_for_nobody_on_a_busy_home(home, capsys):
    with hold(home):
        assert cli.main(["ingest"]) == 1
        assert "Another run is working on" in capsys.readouterr().err
