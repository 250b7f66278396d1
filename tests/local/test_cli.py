"""The command line: the chain without Airflow, on one pack's sample."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tanso import cli, command, warehouse
from tanso.local.lock import hold
from tanso.settings import PROJECT_ROOT, Home

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
    (home.inbox / "jp_actions" / "actions_\n.csv").symlink_to("/etc/passwd")
    (home.inbox / "jp_applications" / "applications_fy2019.csv.part").write_bytes(b"")
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
    # One of the programme's sources failed: nothing is proposed unless it is asked for.
    assert cli.main(["propose"]) == 0
    assert not list(home.proposals.glob("*/*/proposal.json"))
    assert cli.main(["propose", "--despite-failed-sources"]) == 0
    return sorted(home.proposals.glob("*/*/proposal.json"))


def test_a_source_that_is_not_reached_stops_no_other_but_is_a_failure(home, ingested, capsys):
    assert ingested == 1
    assert (home.lake / "applications").is_dir()
    assert cli.main(["ingest", "jp_actions"]) == 0
    assert "jp_actions: nothing new" in capsys.readouterr().out


def test_an_unknown_source_is_named(home, capsys):
    assert cli.main(["ingest", "nobody"]) == 1
    assert "Unknown source: nobody. Declared sources: jp_actions" in capsys.readouterr().err


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


def test_the_source_that_failed_is_named_and_so_is_the_way_out(home, proposed, capsys):
    assert cli.main(["propose"]) == 0
    said = capsys.readouterr().out
    assert "Nothing of jp_nakano_eco_point is proposed or issued" in said and "jp_opening_points failed" in said
    assert "--despite-failed-sources" in said


@pytest.mark.parametrize("step", [["propose"], ["run"], ["evaluate"], ["purge", "--apply"]])
def test_a_day_to_come_is_refused(home, proposed, step, capsys, monkeypatch):
    monkeypatch.setenv("TANSO_AS_OF", "2999-01-01")
    assert cli.main(step) == 1
    assert "as of 2999-01-01: that day is yet to come, for jp_nakano_eco_point it is" in capsys.readouterr().err


def test_what_is_no_file_and_what_is_left_is_told_to_everybody(home, proposed, capsys):
    with warehouse.connect(home) as marts:
        found = marts.sql(
            "select source_id, file_name, sha256, status, rows_read from marts.dq_files where reason = 'not_a_file'"
        ).fetchall()
    assert found == [("jp_actions", r"actions_\x0a.csv", None, "rejected", None)]
    assert cli.main(["ingest", "jp_applications"]) == 0
    waiting = "left for the next run: applications_fy2019.csv.part (it is named as an upload in progress is)"
    assert f"jp_applications: nothing new, {waiting}" in capsys.readouterr().out
    assert cli.main(["summary"]) == 0
    summary = capsys.readouterr().out
    assert re.search(r"jp_actions +actions_\\x0a\.csv +not_a_file\n", summary)
    assert "applications_fy2019.csv.part  it is named as an upload in progress is" in summary


def test_steps_wait_for_nobody_on_a_busy_home(home, capsys):
    with hold(home):
        assert cli.main(["ingest"]) == 1
        assert "Another run is working on" in capsys.readouterr().err


def ran(*words: str, **environment: str) -> subprocess.CompletedProcess:
    """A command line as typed."""
    return subprocess.run(
        words, env={**os.environ, **environment}, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=300
    )


CLI = [sys.executable, "-m", "tanso.cli"]


@pytest.mark.parametrize(
    ("words", "environment", "says"),
    [
        (["summary"], {"TANSO_HOME": __file__}, "TANSO_HOME must be a folder, and "),
        (["ingest"], {"TANSO_HOME": __file__}, "name another, or move that away."),
        (["propose", "--as-of", "1 May"], {}, "argument --as-of: '1 May' is no day; write YYYY-MM-DD"),
        (["backfill", "2026-02-30"], {}, "as of '2026-02-30': write YYYY-MM-DD, or a moment like"),
        (["propose"], {"TANSO_AS_OF": "May"}, "TANSO_AS_OF must be YYYY-MM-DD, not 'May'"),
        (["run"], {"TANSO_PROGRAMS": "/nowhere"}, "/nowhere: is no folder"),
        (["approve", "x/y/z", "--by", "Kim"], {}, "Unknown proposal 'x/y/z'"),
        (["dance"], {}, "invalid choice: 'dance' (choose from 'ingest', 'evaluate', "),
    ],
)
def test_a_mistake_is_told_in_a_sentence(tmp_path, words, environment, says):
    done = ran(*CLI, *words, **{"TANSO_HOME": str(tmp_path), **environment})
    assert done.returncode in (1, 2)
    assert says in done.stderr
    assert "Error" not in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("module", ["tanso.local.headless", "tanso.local.console", "tanso.reports.dbt_docs"])
def test_so_are_those_of_other_commands(module):
    done = ran(sys.executable, "-m", module, "up", TANSO_HOME=__file__)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"TANSO_HOME must be a folder, and {__file__} is none; name another, or move that away.\n"


MANY_LINES = """
import sys
from tanso import command
sys.exit(command.exit_code(lambda: [print('line') for _ in range(100000)] and 0))
"""


def test_a_reader_that_goes_away_is_no_error():
    """As in ``make explain | head``."""
    done = ran("bash", "-c", 'set -o pipefail; "$0" -c "$1" | head -1', sys.executable, MANY_LINES)
    assert (done.returncode, done.stdout, done.stderr) == (141, "line\n", "")


def test_ctrl_c_is_no_error(capsys):
    def stopped() -> int:
        raise KeyboardInterrupt

    assert command.exit_code(stopped) == 130
    assert capsys.readouterr().err == "\nStopped. Nothing is half-written: run it again and it carries on from here.\n"


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "/h/lake/x: No space left on device. Nothing is half-written; make room, and run it again.\n"),
        (
            errno.EROFS,
            "/h/lake/x: Read-only file system. Let TANSO_HOME be a folder that can be written to, and run it again.\n",
        ),
        (errno.EACCES, "/h/lake/x: Permission denied. Let whoever runs this own TANSO_HOME, and run it again.\n"),
        (errno.EIO, "/h/lake/x: Input/output error. Fix that, and run it again.\n"),
    ],
)
def test_what_the_disk_refuses_is_told_with_the_next_step(capsys, number, says):
    def refused() -> int:
        raise OSError(number, "as Python says it", "/h/lake/x")

    assert command.exit_code(refused) == 1
    assert capsys.readouterr().err == says


def test_the_summary_of_a_run_is_of_its_day(home, monkeypatch, capsys):
    monkeypatch.delenv("TANSO_AS_OF")
    assert cli.main(["run", "--as-of", "2020-06-30"]) == 1  # one source cannot be reached
    assert "# Tanso, as of 2020-06-30\n" in capsys.readouterr().out
