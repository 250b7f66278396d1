"""The lock files of packages: versions with hashes, and no word of where they came from."""

from __future__ import annotations

import re

import pytest

from tanso.settings import PROJECT_ROOT

LOCKS = sorted(PROJECT_ROOT.glob("requirements*.txt"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_package_is_pinned_with_hashes(lock):
    text = lock.read_text("utf-8")
    packages = re.split(r"\n(?=[A-Za-z0-9])", text)[1:]
    assert packages
    for package in packages:
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==[\w.!+-]+ ", package), package[:60]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", package), package[:60]
    assert "://" not in text and "--find-links" not in text.replace("--no-emit-find-links", "")


def test_nothing_else_is_installed():
    for name in ("Makefile", "Dockerfile"):
        lines = (PROJECT_ROOT / name).read_text("utf-8").splitlines()
        installing = [line for line in lines if "pip install" in line]
        assert installing and all("--require-hashes" in line or "--no-index" in line for line in installing), name
    assert {path.stem for path in LOCKS} == {path.stem for path in PROJECT_ROOT.glob("requirements*.in")}
