"""Writing derived files: whole or not at all, and not when nothing changed."""

from __future__ import annotations

import filecmp
import json
import os
from pathlib import Path
from typing import Any

import duckdb


def sql_text(value: str) -> str:
    """A SQL literal, for the places where DuckDB takes no parameter (COPY, views)."""
    return "'" + value.replace("'", "''") + "'"


def sql_list(paths: list[Path]) -> str:
    """A SQL list literal of paths."""
    return "[" + ", ".join(sql_text(str(path)) for path in paths) + "]"


def replace_file(temporary: Path, path: Path) -> bool:
    """Put ``temporary`` in the place of ``path``; False, and nothing done, if the bytes are the same."""
    if path.exists() and filecmp.cmp(temporary, path, shallow=False):
        temporary.unlink()
        return False
    temporary.replace(path)
    return True


def write(con: duckdb.DuckDBPyConnection, query: str, path: Path, metadata: dict[str, str] | None = None) -> bool:
    """Write the rows of ``query`` (which must have a total order) as Parquet; True if the file changed.

    The same rows give the same bytes. ``metadata`` (plain ASCII) goes into the file's key-value metadata.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    pairs = ", ".join(f"{key}: {sql_text(value)}" for key, value in (metadata or {}).items())
    extra = f", kv_metadata {{{pairs}}}" if pairs else ""
    con.execute(f"copy ({query}) to {sql_text(str(temporary))} (format parquet, compression zstd{extra})")
    return replace_file(temporary, path)


def write_json(value: Any, path: Path) -> bool:
    """Write ``value`` as JSON; True if the file changed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return replace_file(temporary, path)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read."""
    temporary = path.with_name(f".{path.name}.tmp")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    temporary.replace(path)
