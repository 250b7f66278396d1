"""What people read about refused rows and files: the rows as received, and one report per file refused whole."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from include.extracts import lake_files, names, read
from include.settings import Home
from include.shown import spreadsheet

_NUMBER = re.compile(r"[+-]?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)([.][0-9]+)?")


def guarded(cell: str) -> str:
    """A cell that a spreadsheet would take for a formula gets a leading ``'``; numbers are left alone."""
    return cell if _NUMBER.fullmatch(cell) else spreadsheet(cell)


def path_for(folder: Path, receipt: dict, suffix: str) -> Path:
    """A file of its own per received file: names come again with other bytes."""
    return folder / receipt["source_id"] / names.derived(receipt["file_name"], receipt["sha256"], suffix)


def write_rows(
    home: Home, receipt: dict, found: read.Layout, refused: Mapping[int, str], rows: Iterable[tuple[int, list[str]]]
) -> Path:
    """The refused rows (row_no -> reason) as received, row_no and reason behind; UTF-8 with byte order mark, CRLF."""
    path = path_for(home.quarantine, receipt, ".csv")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([*map(guarded, found.headers), "row_no", "reason"])
    for row_no, cells in rows:
        writer.writerow([*map(guarded, cells), row_no, refused[row_no]])
    lake_files.write_bytes(path, text.getvalue().encode("utf-8-sig"))
    return path


def write_rejection(
    home: Home, receipt: dict, reason: str, detail: str, messages: Mapping[str, str], figures: dict
) -> Path:
    """The report of a file refused whole; ``messages``: language -> what the reason means."""
    path = path_for(home.rejected, receipt, ".json")
    report = {key: receipt[key] for key in ("source_id", "file_name", "sha256", "received_at")}
    lake_files.write_json({**report, "reason": reason, "detail": detail, "messages": messages, **figures}, path)
    return path
