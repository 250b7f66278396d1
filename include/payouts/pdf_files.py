"""PDF files of letters, a page per row, typeset by a template of the programme's pack (Typst) in one embedded font."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO

import typst

from include.payouts.csv_files import GETA, Substitution


def write(
    file: BinaryIO,
    name: str,
    template: Path,
    font: Path,
    head: dict[str, Any],
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
    at: datetime,
) -> tuple[int, list[Substitution]]:
    """Write a file; the number of rows and what the font has no letter for. ``name`` is the path to report.

    ``rows``: participant_id, and the values of ``header``.
    The template gets ``head`` and ``rows``, a dictionary by ``header`` each, as JSON in its input ``data``. ``at``: its
    clock, so that the same input gives the same bytes. Raises ValueError naming the template when it does not compile.
    """
    from fontTools.ttLib import TTFont  # slow to import, and only batches with letters need it

    with TTFont(font, lazy=True) as letters:
        drawn = set(letters.getBestCmap())
    lost: list[Substitution] = []
    values = []
    for number, (participant_id, *row) in enumerate(rows, start=1):
        values.append({})
        for column, value in zip(header, row, strict=True):
            shown, missing = _shown(value, drawn)
            values[-1][column] = shown
            if missing:
                lost.append(Substitution(name, number, column, missing, participant_id))
    data = json.dumps({**head, "rows": values}, ensure_ascii=False)
    try:
        compiler = typst.Compiler(
            template, font_paths=[font.parent], ignore_system_fonts=True, sys_inputs={"data": data}
        )
        # Tags for screen readers would make the file five times as large; these are letters to print.
        content = compiler.compile(format="pdf", timestamp=int(at.timestamp()), pdf_tags=False)
    except typst.TypstError as error:
        raise ValueError(f"{template} does not compile: {error}; correct the template") from None
    file.write(content)
    return len(values), lost


def pages(file: BinaryIO) -> int:
    """How many pages a file has."""
    from pypdf import PdfReader  # as above

    return len(PdfReader(file).pages)


def _shown(value: Any, drawn: set[int]) -> tuple[Any, int]:
    """A value as JSON, and how many characters of a text the font lacks: they become 〓. A blank text is null."""
    if value is None or isinstance(value, int):
        return value, 0
    text = value.isoformat() if isinstance(value, date) else str(value)
    missing = sum(ord(character) not in drawn for character in text)
    return "".join(character if ord(character) in drawn else GETA for character in text) or None, missing
