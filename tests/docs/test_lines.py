"""Prose is broken at sentences, so that a diff shows the sentence that changed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tanso.settings import PROJECT_ROOT

MOST = 160
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "include/programs/*/*.md", "tests/packs/*/*.md")
    for path in PROJECT_ROOT.glob(pattern)
)


def prose(path: Path) -> list[tuple[int, str]]:
    """Number and text of each line, without code and tables, which cannot be broken."""
    lines, is_code = [], False
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
        elif not is_code and not line.lstrip().startswith("|"):
            lines.append((number, line))
    assert not is_code, f"{path}: a code block does not end"
    return lines


def test_all_pages_are_found():
    assert len(PAGES) > 40


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
def test_no_line_is_long(path: Path):
    assert [number for number, line in prose(path) if len(line) > MOST] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
def test_links_lead_somewhere(path: Path):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text("utf-8"))
    local = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in local if not (path.parent / link).exists()] == []
