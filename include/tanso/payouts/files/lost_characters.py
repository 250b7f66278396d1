"""Whose names or addresses a batch could not print as they are: ``reports/lost_characters/``, ids only.

For whoever sends the letters to look up in the register, and to correct there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tanso.cells import CUT, GETA, Substitution
from tanso.files import private_file, private_folder
from tanso.payouts.files import csv_files
from tanso.settings import Home

HEADER = ("participant_id", "file", "row", "column", "characters", "written_as")


def keep(home: Home, program_id: str, batch_id: str, lost: Sequence[Substitution]) -> Path | None:
    """Write a batch's list, ``<program_id>/<batch_id>.csv``; None, and no file, when nothing was lost."""
    if not lost:
        return None
    path = folder(home) / program_id / f"{batch_id}.csv"
    private_folder(path.parent)
    rows = sorted((one.participant_id, one.path, one.row, one.column, one.characters, one.written_as) for one in lost)
    with private_file(path) as file:
        csv_files.write(file, path.name, "utf-8", HEADER, ((None, *row) for row in rows), True)
    return path


def folder(home: Home) -> Path:
    return home.reports / "lost_characters"


def counts(home: Home) -> list[tuple[str, str, int, int, int]]:
    """Per batch with such a list: program_id, batch_id, participants with 〓, with something cut off, with look-alikes
    only."""
    found = []
    for path in sorted(folder(home).glob("*/*.csv")):
        with path.open("rb") as file:
            # A list of an older version has 〓 only, and does not say so.
            rows = [(row[0], (*row[5:], GETA)[0]) for row in csv_files.read(file, "utf-8", True)]
        lost, cut = ({who for who, written_as in rows if written_as == what} for what in (GETA, CUT))
        alike = {who for who, _ in rows} - lost - cut
        found.append((path.parent.name, path.stem, len(lost), len(cut), len(alike)))
    return found
