"""PDF files of letters, a page per row, typeset by a template of the programme's pack (Typst) in one embedded font."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import typst

from tanso.cells import Substitution, fit, text_of


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
    values: list[dict[str, Any]] = []
    for number, (participant_id, *row) in enumerate(rows, start=1):
        values.append({})
        for column, value in zip(header, row, strict=True):
            values[-1][column], changes = _shown(value, drawn)
            lost += [Substitution(name, number, column, count, participant_id, sign) for count, sign in changes]
    data = json.dumps({**head, "rows": values}, ensure_ascii=False)
    try:
        compiler = typst.Compiler(
            template, font_paths=[font.parent], ignore_system_fonts=True, sys_inputs={"data": data}
        )
        # Tags for screen readers would make the file five times as large; these are letters to print.
        content = compiler.compile(format="pdf", timestamp=int(at.timestamp()), pdf_tags=False)
    except typst.TypstError as error:
        raise ValueError(f"{template} does not compile: {error}; correct the template") from None
    assert isinstance(content, bytes)  # a PDF is one file, whatever its pages
    file.write(content)
    return len(values), lost


def pages(file: BinaryIO) -> int:
    """How many pages a file has."""
    from pypdf import PdfReader  # as above

    return len(PdfReader(file).pages)


def _shown(value: Any, drawn: set[int]) -> tuple[Any, list[tuple[int, str]]]:
    """A value as JSON, and what the font lacks of a text, as ``fit`` counts it. A blank text is null."""
    if value is None or isinstance(value, int):
        return value, []
    fitted, changes = fit(text_of(value), lambda sign: ord(sign) in drawn)
    return fitted or None, changes
