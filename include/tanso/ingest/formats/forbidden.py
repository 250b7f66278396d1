"""What may not even be landed: columns whose header, or whose values, a source forbids, in whatever disguise.

The file may have another encoding, delimiter or format than the one declared, a title row above its header, or its
header spelt otherwise: so all of them are tried, on the first rows. Values are looked at in samples.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tanso.ingest.formats import espi, workbooks
from tanso.ingest.formats.parsers import FileRefused, codec
from tanso.packs.declaration import ForbiddenValue
from tanso.packs.sources import Source

_ENCODINGS = ("utf-8", "cp949", "cp932")
_WIDE_ENCODINGS = ("utf-16-le", "utf-16-be")
_HEADER_ROWS = 20
_HEAD_BYTES = 1 << 20
_SAMPLES, _SAMPLE_BYTES = 3, 64 << 10  # of a larger file, behind its head
_SAMPLE_ROWS = 500  # of the head and of each sample
_FEWEST = 3  # values: one or two may look like what they are not
_DELIMITERS = ",;:|\t"
_WORKBOOK = b"PK\x03\x04"
_NO_WORD = re.compile(r"[\W_]+")
_OPEN, _CLOSE = r"(\[{<〈《「『【〔〖〘", r")\]}>〉》」』】〕〗〙"  # after NFKC
_BRACKET = re.compile(f"[{_OPEN}]([^{_OPEN}{_CLOSE}]*)(?:[{_CLOSE}]|$)")  # the innermost, or one that is never closed


def found(source: Source, path: Path) -> list[str]:
    """What the file has of what the source forbids: names as declared, with the column's number where values show it.

    Of a file that cannot be read nothing is known.
    """
    unwanted = {_bare(name): name for name in source.forbidden_columns}
    if not unwanted and not source.forbidden_values:
        return []
    if source.format == "espi":
        return _named(unwanted, map(_bare, espi.element_names(path)))
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith(_WORKBOOK):
        try:
            sheets = workbooks.heads(path)
        except FileRefused:
            return []
        cells = (cell for rows in sheets for row in rows[:_HEADER_ROWS] for cell in row)
        headers = (spelling for cell in cells for spelling in _spellings(cell))
        tables: Iterable[list[list[str]]] = sheets
    else:
        texts = {encoding: head.decode(encoding, "replace") for encoding in _encodings(source, head)}
        headers = (spelling for text in texts.values() for spelling in _headers(text, unwanted))
        tables = _tables(path, texts)
    return _named(unwanted, headers) or _valued(source.forbidden_values, tables)


def _named(unwanted: dict[str, str], headers: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(unwanted[header] for header in headers if header in unwanted))


def _bare(text: str) -> str:
    """Letters and digits alone: no white space, invisible characters, quotes or marks."""
    return _NO_WORD.sub("", unicodedata.normalize("NFKC", text).casefold())


def _spellings(cell: str) -> Iterator[str]:
    """A header as it stands, without what is in brackets, and what is in them."""
    yield _bare(cell)
    outside, inside = unicodedata.normalize("NFKC", cell), []
    while bracket := _BRACKET.search(outside):
        outside = f"{outside[: bracket.start()]}{outside[bracket.end() :]}"
        inside.append(bracket[1])
    if inside:
        yield _bare(outside)
        yield from map(_bare, inside)


def _encodings(source: Source, head: bytes) -> list[str]:
    encodings = [source.encoding] if head.isascii() else [source.encoding, *_ENCODINGS]
    if b"\0" in head or head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings += _WIDE_ENCODINGS
    return list(dict.fromkeys(codec(encoding) for encoding in encodings))


def _headers(text: str, unwanted: Iterable[str]) -> Iterator[str]:
    """The spellings of all cells of the first rows, whatever separates them: each sign that could is tried by
    itself."""
    for rows in (text, _without_quoted_breaks(text)) if '"' in text else (text,):
        for line in _lines(rows, _HEADER_ROWS):
            whole = list(_spellings(line))
            if not any(name in spelling for name in unwanted for spelling in whole):
                continue
            yield from whole
            signs = {sign for sign in line if not sign.isalnum() and sign not in " \"'"}
            for parts in (re.split(r"\s{2,}", line), re.split("<[^>]*>", line), *(line.split(sign) for sign in signs)):
                for part in parts:
                    yield from _spellings(part)


def _without_quoted_breaks(text: str) -> str:
    return re.sub('"[^"]*"', lambda quoted: " ".join(quoted[0].split()), text)


def _lines(text: str, most: int) -> list[str]:
    """The first lines with anything to be seen."""
    lines = []
    for line in text.splitlines():
        if any(sign.isalnum() for sign in line):
            lines.append(line)
            if len(lines) == most:
                break
    return lines


def _tables(path: Path, texts: Mapping[str, str]) -> Iterator[list[list[str]]]:
    """Sampled rows, once for each encoding and each sign that separates cells in most of them."""
    size, samples = path.stat().st_size, []
    if size > _HEAD_BYTES:
        with path.open("rb") as file:
            for number in range(1, _SAMPLES + 1):
                file.seek(size * number // (_SAMPLES + 1) // 2 * 2)
                samples.append(file.read(_SAMPLE_BYTES))
    for encoding, text in texts.items():
        lines = _lines(text, _SAMPLE_ROWS)
        for sample in samples:
            lines += _lines(sample.decode(encoding, "replace"), _SAMPLE_ROWS)[1:-1]  # the first and the last are cut
        common = [sign for sign in _DELIMITERS if 2 * sum(sign in line for line in lines) > len(lines)]
        for sign in common or [","]:
            try:
                yield list(csv.reader(lines, delimiter=sign))
            except csv.Error:
                yield [line.split(sign) for line in lines]


def _valued(kinds: tuple[ForbiddenValue, ...], tables: Iterable[list[list[str]]]) -> list[str]:
    """The first column of which most values are of one of these kinds."""
    for rows in tables if kinds else ():
        for kind in kinds:
            filled: dict[int, int] = {}
            fitting: dict[int, int] = {}
            length = kind.length
            for row in rows:
                for position, cell in enumerate(row):
                    if not cell or cell.isspace():
                        continue
                    if len(cell) >= length and kind.fits(_bare(cell)):
                        fitting[position] = fitting.get(position, 0) + 1
                    # What comes first and does not fit is the header.
                    filled[position] = filled[position] + 1 if position in filled else fitting.get(position, 0)
            for position, count in fitting.items():
                if count >= _FEWEST and 2 * count > filled[position]:
                    return [f"{position + 1} ({kind.name} by its values)"]
    return []
