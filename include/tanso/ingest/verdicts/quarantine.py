"""What people read about refused rows and files: the rows as received, and one report per file refused whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tanso import lake_files
from tanso.ingest import names
from tanso.ingest.formats import read
from tanso.ingest.model import Receipt
from tanso.settings import Home
from tanso.shown import guarded


def write_rows(
    home: Home,
    receipt: Receipt,
    found: read.Layout,
    refused: Mapping[int, str],
    rows: Iterable[tuple[int, list[str]]],
) -> Path:
    """The refused rows (row_no -> reason) as received, row_no and reason behind; UTF-8 with byte order mark, CRLF."""
    path = names.path_for(home.quarantine, receipt, ".csv")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([*map(guarded, found.headers), "row_no", "reason"])
    for row_no, cells in rows:
        writer.writerow([*map(guarded, cells), row_no, refused[row_no]])
    lake_files.write_bytes(path, text.getvalue().encode("utf-8-sig"))
    return path


def write_rejection(
    home: Home, receipt: Receipt, reason: str, detail: str, messages: Mapping[str, str], figures: dict[str, Any]
) -> Path:
    """The report of a file refused whole; ``messages``: language -> what the reason means."""
    path = names.path_for(home.rejected, receipt, ".json")
    came = receipt.content()
    report = {key: came[key] for key in ("source_id", "file_name", "sha256", "received_at")}
    lake_files.write_json({**report, "reason": reason, "detail": detail, "messages": messages, **figures}, path)
    return path
