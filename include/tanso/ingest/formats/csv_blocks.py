"""A CSV as blocks of whole rows, parsed side by side, its cells the bytes they are.

In encodings whose characters of several bytes hold no comma, quote or line end, rows and cells can be told before
anything is decoded: that saves decoding each of millions of cells (texts.py decodes each different one). Blocks are cut
only where it is certain that no quote is open; where quotes stand so that it is not, ``Unclear`` asks for reading the
file from one end to the other.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

BLOCK_BYTES = 16 << 20
# ASCII is itself in these, and their characters of several bytes have none below 0x30 after the first.
BYTEWISE = ("ascii", "utf-8", "cp949", "euc_kr", "cp932", "shift_jis", "euc_jp")
_LF, _CR, _COMMA, _QUOTE = b'\n\r,"'

_T = TypeVar("_T")


class Unclear(Exception):
    """Quotes stand where it cannot be told from a block alone which of them open."""


def parsed(path: Path, width: int, work: Callable[[pa.RecordBatch], _T]) -> Iterator[_T]:
    """``work`` on the rows of each block, in their order, the header without; columns are BINARY.

    Raises Unclear, pa.ArrowInvalid if a row has not ``width`` cells, and what ``work`` raises.
    """
    workers = len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[_T]] = deque()
        try:
            for number, block in enumerate(_blocks(path)):
                waiting.append(pool.submit(_worked, block, width, number == 0, work))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def serial(path: Path, width: int, encoding: str | None) -> Iterator[pa.RecordBatch]:
    """The same from one end of the file to the other, without the header; columns are STRING if there is an encoding to
    decode. Raises pa.ArrowInvalid, and UnicodeDecodeError."""
    kind = pa.binary() if encoding is None else pa.string()
    names = [f"c{position}" for position in range(width)]
    reader = arrow_csv.open_csv(
        path,
        arrow_csv.ReadOptions(column_names=names, encoding=encoding or "utf8", block_size=BLOCK_BYTES),
        arrow_csv.ParseOptions(newlines_in_values=True),
        arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, kind), strings_can_be_null=False),
    )
    is_first = True
    for batch in reader:
        yield batch.slice(1) if is_first else batch
        is_first = False


def _worked(block: bytes, width: int, is_first: bool, work: Callable[[pa.RecordBatch], _T]) -> _T:
    names = [f"c{position}" for position in range(width)]
    schema = pa.schema([(name, pa.binary()) for name in names])
    if not block.strip(b"\r\n"):
        return work(pa.RecordBatch.from_pylist([], schema))
    table = arrow_csv.read_csv(
        pa.BufferReader(block),
        arrow_csv.ReadOptions(use_threads=False, column_names=names, block_size=len(block) + 1),
        arrow_csv.ParseOptions(newlines_in_values=True),
        arrow_csv.ConvertOptions(column_types=schema, strings_can_be_null=False),
    )
    [batch] = table.combine_chunks().to_batches()
    return work(batch.slice(1) if is_first else batch)


def _blocks(path: Path) -> Iterator[bytes]:
    """The file's bytes, cut after ends of lines that are ends of rows."""
    with path.open("rb") as file:
        rest = b""
        while read := file.read(BLOCK_BYTES):
            content = rest + read
            cut = _last_end(content)
            if cut == 0 and len(content) > 2 * BLOCK_BYTES:
                raise Unclear  # a row as long as that has a quote that is never closed
            if cut:
                yield content[:cut]
            rest = content[cut:]
        if rest:
            yield rest


def _last_end(content: bytes) -> int:
    """Behind the last line end that is outside of quotes; 0 if there is none. ``content`` begins with a row."""
    if b'"' not in content:
        return content.rfind(b"\n") + 1
    cells = np.frombuffer(content, np.uint8)
    quotes = np.flatnonzero(cells == _QUOTE)
    opening, closing = quotes[::2], quotes[1::2]
    # By turns they open and close: so it is if each that opens begins a cell, and each that closes ends one. Of two in
    # a row within a cell (a quote written twice) the first closes and the second opens again.
    before = cells[opening[opening > 0] - 1]
    behind = cells[closing[closing + 1 < len(cells)] + 1]
    is_begin = (before == _COMMA) | (before == _LF) | (before == _CR) | (before == _QUOTE)
    is_end = (behind == _COMMA) | (behind == _LF) | (behind == _CR) | (behind == _QUOTE)
    if not (is_begin.all() and is_end.all()):
        raise Unclear
    end = content.rfind(b"\n")
    while end >= 0:
        open_before = int(np.searchsorted(quotes, end))
        if open_before % 2 == 0:
            return end + 1
        end = content.rfind(b"\n", 0, int(quotes[open_before - 1]))
    return 0
