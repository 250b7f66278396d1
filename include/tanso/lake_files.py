"""Writing derived files: whole or not at all, not when nothing changed, and for their owner alone."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tanso import lake, sql
from tanso.files import file_sha256, hashed_json, keep_to_owner, private_file, private_folder

WRITTEN_AT_ONCE = 200_000  # rows
_CODED = pa.dictionary(pa.int32(), pa.string())


def replace_file(temporary: Path, path: Path) -> bool:
    """Put ``temporary`` in the place of ``path``; False, and nothing done, if the bytes are the same."""
    keep_to_owner(temporary)
    if path.exists() and filecmp.cmp(temporary, path, shallow=False):
        temporary.unlink()
        keep_to_owner(path)
        return False
    temporary.replace(path)
    return True


def write(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> bool:
    """Write the rows of ``query`` (which must have a total order) as Parquet; True if the file changed.

    The same rows give the same bytes.
    """
    private_folder(path.parent)
    temporary = path.with_name(f".{path.name}.tmp")
    con.execute(f"copy ({query}) to {sql.text(temporary)} (format parquet, compression zstd)")
    return replace_file(temporary, path)


def publish(con: duckdb.DuckDBPyConnection, query: str, path: Path, made_of: str = "") -> None:
    """``write`` a file of the lake, and note beside it what it was written as."""
    write(con, query, path)
    lake.note(path, file_sha256(path), made_of)


def write_stream(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    path: Path,
    known: Mapping[str, str],
    metadata: dict[str, str] | None = None,
) -> bool:
    """Write many rows (in a total order) as Parquet, a row group per batch; True if the file changed.

    ``schema`` has the columns in their order; those of ``known`` hold that one text throughout and are in no batch.
    What it says is never null takes half as long to write; raises ArrowInvalid if it is null nevertheless. What
    ``batches`` raises leaves ``path`` as it was. The same rows give the same bytes.
    """
    private_folder(path.parent)
    temporary = path.with_name(f".{path.name}.tmp")
    numbered = [name for name in schema.names if name.endswith("row_no")]  # ascending, so their steps say it shortest
    whole = pa.schema([field.with_type(_CODED) if field.name in known else field for field in schema])
    try:
        with pq.ParquetWriter(
            temporary,
            whole.with_metadata(metadata),
            compression="zstd",
            compression_level=1,
            use_dictionary=[name for name in schema.names if name not in {*numbered, "meter_key", "is_estimated"}],
            column_encoding=dict.fromkeys(numbered, "DELTA_BINARY_PACKED"),
            write_statistics=[name for name in schema.names if name not in known],
            store_decimal_as_integer=True,
            store_schema=False,
            write_batch_size=WRITTEN_AT_ONCE,  # by the thousand, as usual, would take a third longer
        ) as writer:
            for batch in _ahead(batches):
                columns = {name: _throughout(text, len(batch)) for name, text in known.items()}
                columns |= {name: batch[name] for name in batch.schema.names}
                writer.write_batch(pa.RecordBatch.from_pydict({name: columns[name] for name in whole.names}, whole))
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return replace_file(temporary, path)


def _ahead(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same, the next one being made while one is worked on."""
    coming = iter(batches)
    with ThreadPoolExecutor(1) as beside:
        following = beside.submit(next, coming, None)
        while (batch := following.result()) is not None:
            following = beside.submit(next, coming, None)
            yield batch


def _throughout(text: str, count: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([text], pa.string()))


def link(file: Path, path: Path, sha256: str) -> None:
    """Put the same bytes as ``file``, which is never written to, in the place of ``path``, and note what they are."""
    private_folder(path.parent)
    if path.exists() and path.samefile(file):
        return
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        os.link(file, temporary)
    except OSError:  # a file system without links, or another one
        shutil.copyfile(file, temporary)
    replace_file(temporary, path)
    lake.note(path, sha256)


def write_json(value: Any, path: Path) -> bool:
    """Write ``value`` as JSON; True if the file changed."""
    return write_bytes(path, (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode())


def write_hashed_json(value: dict[str, Any], path: Path) -> bool:
    """``write_json`` of what ``read_hashed`` reads."""
    return write_bytes(path, hashed_json(value))


def write_bytes(path: Path, content: bytes) -> bool:
    """Write ``content``; True if the file changed."""
    private_folder(path.parent)
    temporary = path.with_name(f".{path.name}.tmp")
    with private_file(temporary) as file:
        file.write(content)
    return replace_file(temporary, path)
