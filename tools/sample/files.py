"""Extract files written the same to the last byte every time, and a record of what was planted in them."""

from __future__ import annotations

import csv
import io
import random
import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import openpyxl

# Workbooks carry their time of writing twice (properties, zip entries): both are set to this.
WRITTEN_AT = datetime(2023, 1, 31, 9, 0, 0)


def words(text: str) -> list[str]:
    return text.split()


@dataclass
class Planted:
    """What one file must look like once it was ingested."""

    source_id: str
    file_name: str
    status: str = "accepted"  # accepted | rejected | duplicate
    reason: str | None = None
    rows_read: int = 0
    rows_duplicate: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)  # reason -> rows

    @property
    def rows_quarantined(self) -> int:
        return sum(self.quarantined.values())

    @property
    def rows_accepted(self) -> int:
        return self.rows_read - self.rows_quarantined - self.rows_duplicate


class Extract:
    """Rows of one file: good ones, and bad ones with the reason they must be refused for."""

    def __init__(self, source_id: str, file_name: str, header: Sequence[str]) -> None:
        self.source_id = source_id
        self.file_name = file_name
        self.header = list(header)
        self.rows: list[list[object]] = []
        self.planted = Planted(source_id, file_name)

    def add(self, *row: object) -> None:
        self.rows.append(list(row))

    def bad(self, reason: str, *row: object) -> None:
        self.add(*row)
        self.planted.quarantined[reason] += 1

    def duplicate(self, *row: object) -> None:
        """A row that repeats one already there."""
        self.add(*row)
        self.planted.rows_duplicate += 1

    def scatter(self, tail: int, rng: random.Random) -> None:
        """Put the last ``tail`` rows at places of their own, as dirt lies in a real file."""
        moved = self.rows[len(self.rows) - tail :]
        del self.rows[len(self.rows) - tail :]
        for row in moved:
            self.rows.insert(rng.randrange(len(self.rows) + 1), row)

    def csv_bytes(self, encoding: str, newline: str = "\r\n") -> bytes:
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator=newline)
        writer.writerow(self.header)
        writer.writerows(self.rows)
        return text.getvalue().encode(encoding)

    def xlsx_bytes(self, sheet: str, note: str) -> bytes:
        """The rows on the first sheet, a note on a second one that nobody should read as data."""
        workbook = openpyxl.Workbook()
        workbook.properties.creator = "sample"
        workbook.properties.created = WRITTEN_AT
        first = workbook.active
        first.title = sheet
        first.append(self.header)
        for row in self.rows:
            first.append(row)
        workbook.create_sheet("안내").append([note])
        written = io.BytesIO()
        workbook.save(written)
        return _without_clock(written.getvalue())


def _without_clock(workbook: bytes) -> bytes:
    """The same workbook with fixed times and one fixed compression."""
    stamp = WRITTEN_AT.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as source, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + stamp, content)
            entry = zipfile.ZipInfo(name, WRITTEN_AT.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            target.writestr(entry, content, compresslevel=9)
    return result.getvalue()


class Sample:
    """The sample of one programme: writes files under ``folder/<source_id>/`` and keeps the record of each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.planted: list[Planted] = []

    def write(self, extract: Extract, content: bytes) -> None:
        extract.planted.rows_read = len(extract.rows)
        self._put(extract.source_id, extract.file_name, content)
        self.planted.append(extract.planted)

    def write_rejected(self, extract: Extract, content: bytes, reason: str) -> None:
        self._put(extract.source_id, extract.file_name, content)
        self.planted.append(Planted(extract.source_id, extract.file_name, "rejected", reason))

    def write_copy(self, source_id: str, file_name: str, copy_name: str) -> None:
        """The same bytes under another name, taken after the original."""
        assert copy_name > file_name
        self._put(source_id, copy_name, (self.folder / source_id / file_name).read_bytes())
        self.planted.append(Planted(source_id, copy_name, "duplicate"))

    def _put(self, source_id: str, file_name: str, content: bytes) -> None:
        path = self.folder / source_id / file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
