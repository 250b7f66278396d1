"""docs/develop/change-a-rule.md, followed literally in a copy of the project: commands, patches and what they print."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tanso.settings import PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "develop" / "change-a-rule.md"
COPIED = ("include", "dbt_project", "expectations")


class Shell:
    """One shell for all blocks, so that what one of them exports holds for the next."""

    def __init__(self, folder: Path):
        environment = os.environ | {"PYTHONPATH": str(folder / "include"), "TMPDIR": str(folder)}
        for name in ("TANSO_HOME", "TANSO_PROGRAMS", "TANSO_AS_OF"):
            environment.pop(name, None)
        self.process = subprocess.Popen(
            ["bash"], cwd=folder, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, script: str) -> tuple[str, int]:
        """What it printed, and the exit code of the first command that failed, else 0."""
        self.process.stdin.write(f"set -e; trap 'echo __failed $?' EXIT\n{script}\necho __done 0\n")
        self.process.stdin.flush()
        printed = []
        for line in self.process.stdout:
            if found := re.match(r"__(?:done|failed) (\d+)", line):
                return "".join(printed), int(found[1])
            printed.append(line)
        raise AssertionError("".join(printed))

    def close(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in COPIED:
        shutil.copytree(PROJECT_ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "target"))
    (tmp_path / ".venv").symlink_to(PROJECT_ROOT / ".venv")
    return tmp_path


@pytest.mark.timeout(1800)
def test_every_step_does_what_the_page_says(project: Path):
    shell, printed, blocks = Shell(project), "", 0
    try:
        for kind, text in re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL):
            blocks += 1
            if kind == "bash":
                printed, code = shell.run(text.replace("make setup\n", ""))
                assert code == 0, f"{text}\n{printed}"
            elif kind == "diff":
                patch = ["patch", "-p1", "--fuzz=0"]
                done = subprocess.run(patch, input=text, cwd=project, capture_output=True, text=True)
                assert done.returncode == 0, done.stdout + done.stderr
            else:
                lines = text.splitlines()
                assert kind == "text" and lines
                assert [line for line in lines if line.strip() not in printed] == [], printed
    finally:
        shell.close()
    assert blocks == 13
