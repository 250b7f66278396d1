"""Cells as received to folded texts: NFKC, without what nobody sees, trimmed, blank = NULL.

Where few texts repeat, each different one is decoded and folded once, and a row holds its code. Where nearly every text
is another one, cells that are plain ASCII without white space, as numbers are, stay the bytes they are.
"""

from __future__ import annotations

import codecs
import itertools
import re
import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tanso.ingest.formats.unseen import AROUND, CONTROL, UNSEEN, fold_text

_BREAKS = re.compile(f"[{re.escape(CONTROL)}\u2028\u2029]+")

_SAMPLE = 8_192  # rows that tell whether a column's texts repeat
_MAX_CODES = 200_000


def as_received(column: pa.Array) -> pa.Array:
    """STRING to names and addresses as they are kept: composed, trimmed, on one line; blank = NULL.

    Composed is not quite NFC, which makes other letters of those that have a canonical twin (塚 U+FA10 becomes 塚
    U+585A): those stay, for they are how people write their names.
    """
    return pa.array([None if text is None else _kept(text) for text in column.to_pylist()], pa.string())


def _kept(text: str) -> str | None:
    if not unicodedata.is_normalized("NFC", text):
        runs = itertools.groupby(text, _has_twin)
        text = "".join("".join(run) if is_kept else unicodedata.normalize("NFC", "".join(run)) for is_kept, run in runs)
    text = _BREAKS.sub(" ", text).strip(AROUND)
    return text if fold_text(text) else None


def _has_twin(letter: str) -> bool:
    """Whether NFC would put one other letter in its place."""
    twin = unicodedata.decomposition(letter)
    return bool(twin) and not twin.startswith("<") and " " not in twin


def fold(column: pa.Array) -> pa.Array:
    """STRING to folded STRING."""
    if column.null_count == 0:
        lengths, data = _content(column)
        if not len(data) or (data.min() > 0x20 and data.max() < 0x7F):
            return column if lengths.all() else pc.if_else(pa.array(lengths > 0), column, pa.scalar(None, pa.string()))
    if not pc.all(pc.string_is_ascii(column)).as_py():
        if pc.any(pc.match_substring_regex(column, UNSEEN)).as_py():
            column = pc.replace_substring_regex(column, UNSEEN, "")
        column = pc.utf8_normalize(column, form="NFKC")
    column = pc.utf8_trim(column, AROUND)
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def decode(column: pa.Array, encoding: str) -> pa.Array:
    """BINARY to STRING. Raises UnicodeDecodeError or pa.ArrowInvalid."""
    if codecs.lookup(encoding).name in ("utf-8", "utf-8-sig"):
        return column.cast(pa.string())
    lengths, data = _content(column)
    if not len(data) or data.max() < 0x80:
        return column.view(pa.string())
    filled = np.flatnonzero(lengths)
    starts = np.cumsum(lengths) - lengths
    is_beyond = np.zeros(len(lengths), bool)  # ASCII
    is_beyond[filled] = np.maximum.reduceat(data, starts[filled]) >= 0x80
    mask = pa.array(is_beyond)
    decoded = [cell.decode(encoding) for cell in column.filter(mask).to_pylist()]
    return pc.replace_with_mask(column.view(pa.string()), mask, pa.array(decoded, pa.string()))


def _content(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The length of each value in bytes, and the bytes of all; of an array without nulls."""
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    content = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]] if data else np.empty(0, np.uint8)
    return np.diff(ends), content


def part(column: pa.Array, encoding: str | None) -> pa.Array:
    """A column of a block, folded: STRING, or where texts repeat a DICTIONARY of folded ones, NULL among them.

    Takes BINARY in ``encoding``, or STRING. Raises UnicodeDecodeError.
    """
    if repeats(column):
        found = column.dictionary_encode(null_encoding="encode")
        return pa.DictionaryArray.from_arrays(found.indices, fold(text(found.dictionary, encoding)))
    return fold(text(column, encoding))


def is_blank(part: pa.Array) -> pa.Array | None:
    """Per row whether a ``part`` has nothing there; None if it has something everywhere."""
    if not pa.types.is_dictionary(part.type):
        return part.is_null() if part.null_count else None
    return part.dictionary.is_null().take(part.indices) if part.dictionary.null_count else None


def repeats(column: pa.Array) -> bool:
    """Whether at least every other value of a sample was there before."""
    step = max(1, len(column) // _SAMPLE)
    sample = column.take(pa.array(np.arange(0, len(column), step))) if step > 1 else column
    return 2 * len(sample.unique()) <= len(sample)


def text(column: pa.Array, encoding: str | None) -> pa.Array:
    """STRING of a column of a block."""
    return column if encoding is None else decode(column, encoding)


def spelt_out(part: pa.Array) -> pa.Array:
    """STRING of a ``part``."""
    return part.dictionary_decode() if pa.types.is_dictionary(part.type) else part


class Column:
    """A field of all blocks."""

    def __init__(self) -> None:
        self._codes: dict[str | None, int] = {}
        self._parts: list[pa.Array] = []
        self.is_coded = True

    def add(self, part: pa.Array) -> None:
        if self.is_coded and pa.types.is_dictionary(part.type):
            texts = part.dictionary.to_pylist()
            known = np.array([self._codes.setdefault(text, len(self._codes)) for text in texts], np.int32)
            self._parts.append(pa.array(known[part.indices.to_numpy()]))
            if len(self._codes) > _MAX_CODES:
                self.spell_out()
        else:
            self.spell_out()
            self._parts.append(spelt_out(part))

    def spell_out(self) -> None:
        """Hold the texts themselves, row by row."""
        if self.is_coded:
            texts = self.texts()
            self._parts = [texts.take(codes) for codes in self._parts]
            self.is_coded = False

    def texts(self) -> pa.Array:
        """By code."""
        return pa.array(list(self._codes), pa.string())

    def of(self, values: pa.Array) -> pa.ChunkedArray:
        """Per row its text's of ``values`` by code; only of a coded column."""
        return pa.chunked_array([values.take(codes) for codes in self._parts], values.type)

    def values(self) -> pa.ChunkedArray:
        """The folded texts of all rows."""
        if not self.is_coded:
            return pa.chunked_array(self._parts, pa.string())
        texts, parts = pc.fill_null(self.texts(), ""), self._parts
        if (blank := self._codes.get(None)) is not None:
            parts = [pc.if_else(pc.equal(codes, blank), pa.scalar(None, pa.int32()), codes) for codes in parts]
        kind = pa.dictionary(pa.int32(), pa.string())
        return pa.chunked_array([pa.DictionaryArray.from_arrays(codes, texts) for codes in parts], kind)
