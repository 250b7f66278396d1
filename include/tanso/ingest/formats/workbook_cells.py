"""What the workbook reader does not tell: error cells, which it gives as blanks, and the digits of very long numbers.

Only a sheet that has such cells is read twice; most are searched for them once.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from decimal import Decimal, InvalidOperation
from pathlib import Path
from xml.parsers import expat

_CHUNK, _OVERLAP = 1 << 20, 64
# An error, a number of 16 digits or more, or (either in disguise) a reference instead of a letter or digit.
_SUSPECT = re.compile(rb"\bt\s*=\s*[\"'](e[\"']|&)|>\s*[-+]?[0-9]{16}|>\s*[-+]?[0-9.]+[eE]|v(\s[^>]*)?>[0-9.\s+-]*&#")
_PLACE = re.compile(r"([A-Za-z]+)([0-9]+)")
# Stands before the text of a cell whose value a spreadsheet has lost; ``is_lost`` (values.py) knows it. No character.
LOST = "\ufdd0"
LONGEST = 10**15  # a number from here on has more digits than a spreadsheet keeps


def special(path: Path) -> dict[int, dict[int, str]]:
    """Row -> column (from 0) -> text of the error cells of the first sheet, and of its numbers from ``LONGEST`` on.

    Raises ValueError for a file that is no XLSX workbook, OSError, and what ``zipfile`` and ``expat`` raise.
    """
    with zipfile.ZipFile(path) as archive:
        parts = {name.replace("\\", "/").lower(): name for name in archive.namelist()}
        sheet = parts.get(_first_sheet(archive, parts))
        if sheet is None:
            raise ValueError("it is no XLSX workbook")
        return _special_cells(archive, sheet) if _is_suspect(archive, sheet) else {}


def _first_sheet(archive: zipfile.ZipFile, parts: dict[str, str]) -> str:
    """The name of its part, in small letters; empty if there is none."""
    targets: dict[str, str] = {}
    first: list[str] = []

    def relationship(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    def sheet(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "sheet":
            first.extend(value for key, value in attributes.items() if _local(key) == "id")

    for part, handle in (("xl/_rels/workbook.xml.rels", relationship), ("xl/workbook.xml", sheet)):
        if part in parts:
            parser = expat.ParserCreate()
            parser.StartElementHandler = handle
            parser.Parse(archive.read(parts[part]), True)
    target = targets.get(first[0], "") if first else ""
    return posixpath.normpath(target.lstrip("/") if target.startswith("/") else f"xl/{target}").lower()


def _is_suspect(archive: zipfile.ZipFile, sheet: str) -> bool:
    rest = b""
    with archive.open(sheet) as content:
        while chunk := content.read(_CHUNK):
            text = rest + chunk
            if _SUSPECT.search(text) or b"\0" in text:  # of two bytes a letter: not to be searched like that
                return True
            rest = text[-_OVERLAP:]
    return False


def _special_cells(archive: zipfile.ZipFile, sheet: str) -> dict[int, dict[int, str]]:
    reader = _Reader()
    with archive.open(sheet) as content:
        while chunk := content.read(_CHUNK):
            reader.parser.Parse(chunk, False)
        reader.parser.Parse(b"", True)
    return reader.found


class _Reader:
    def __init__(self) -> None:
        self.found: dict[int, dict[int, str]] = {}
        self._row, self._column, self._kind = -1, -1, ""
        self._value: list[str] | None = None
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        match _local(name):
            case "row":
                self._row = int(attributes["r"]) - 1 if attributes.get("r", "").isdecimal() else self._row + 1
                self._column = -1
            case "c":
                self._column += 1
                if place := _PLACE.fullmatch(attributes.get("r", "")):
                    self._column, self._row = _number(place[1]) - 1, int(place[2]) - 1
                self._kind = attributes.get("t", "n")
            case "v":
                self._value = []

    def _text(self, text: str) -> None:
        if self._value is not None:
            self._value.append(text)

    def _end(self, name: str) -> None:
        if _local(name) == "v" and self._value is not None:
            text, self._value = "".join(self._value).strip(), None
            if self._kind == "n":
                text = _long(text)
            if text and self._kind in ("n", "e"):
                self.found.setdefault(self._row, {})[self._column] = text


def _long(text: str) -> str:
    """The number with all its digits; empty if it is less than ``LONGEST``."""
    try:
        number = Decimal(text)
        return format(number, "f") if LONGEST <= abs(number) < 10**30 else ""
    except InvalidOperation:
        return ""


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _number(letters: str) -> int:
    """The number of a column: A is 1, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - ord("A") + 1
    return number
