"""What a provider is sent back: the rows that could not be taken and why, in its own columns, encoding and language.

Unlike ``quarantine/`` it may be mailed: personal data, and columns that nobody asked for, are blotted out in it. The
row's number leads the provider to its own copy of the row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import duckdb

from tanso import lake_files, sql
from tanso.ingest.formats import parsers
from tanso.ingest.formats.read import Layout
from tanso.ingest.kinds.registry import kind_of
from tanso.ingest.model import Receipt
from tanso.ingest.names import path_for
from tanso.packs.sources import Source
from tanso.settings import Home
from tanso.shown import guarded

TEXTS = Path(__file__).with_name("feedback.csv")  # language, code (a reason or a heading), text
BLOT = "***"
_LACKING = "〓"  # for a character that the provider's encoding does not have


def check(source: Source) -> None:
    """Raises SourceError for a language without texts."""
    if not texts(source.feedback_language):
        raise source.error("feedback_language", f"{source.feedback_language!r} has no texts in {TEXTS}; add them")


@cache
def texts(language: str) -> dict[str, str]:
    """Code -> text in a language."""
    with TEXTS.open(encoding="utf-8", newline="") as file:
        return {row["code"]: row["text"] for row in csv.DictReader(file) if row["language"] == language}


def blamed(con: duckdb.DuckDBPyConnection, source: Source) -> dict[int, tuple[str, list[str]]]:
    """row_no -> reason and the fields that it is about, of every row of ``refused``; ``shown`` (those rows of ``raw``)
    and, if the kind makes it, ``parsed`` are there.

    Reads ``refused``, ``shown``, ``parsed``.
    """
    causes = [(reason, field, test) for reason, field, test in kind_of(source).blame(source) if field in source.columns]
    causes += [
        ("missing_value", field, f"raw.{sql.name(field)} is null")
        for field, column in source.columns.items()
        if column.not_null
    ]
    causes += [("bad_value", field, f"is_lost(raw.{sql.name(field)})") for field in source.columns]
    branches = []
    for reason in dict.fromkeys(reason for reason, _, _ in causes):
        own = [(field, test) for of, field, test in causes if of == reason]
        named = ", ".join(f"case when {test} then {sql.text(field)} end" for field, test in own)
        every = ", ".join(sql.text(field) for field, _ in own)
        found = f"list_filter([{named}], lambda field: field is not null)"
        branches.append(f"when {sql.text(reason)} then case when len({found}) > 0 then {found} else [{every}] end")
    tables = {name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()}
    parsed = "join parsed on parsed.row_no = refused.row_no" if "parsed" in tables else ""
    refused = con.execute(
        f"""
        select refused.row_no, refused.reason, case refused.reason {" ".join(branches)} else []::varchar[] end
        from refused join shown as raw on raw.row_no = refused.row_no {parsed}
        order by 1
        """
    ).fetchall()
    return {row_no: (reason, list(dict.fromkeys(fields))) for row_no, reason, fields in refused}


def write_rows(
    home: Home,
    source: Source,
    receipt: Receipt,
    found: Layout,
    refused: dict[int, tuple[str, list[str]]],
    rows: Iterable[tuple[int, list[str]]],
) -> Path:
    """Write the refused rows (``rows``: row_no and cells as received) for the provider; CRLF, UTF-8 with a mark."""
    local, english = texts(source.feedback_language), texts("en")
    both = source.feedback_language != "en"
    masked = _masked(source, found)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    headings = [local[code] for code in ("row_no", "column", "value", "reason")]
    writer.writerow([*map(guarded, found.headers), *headings, *(["reason (English)"] if both else [])])
    headers = [header.strip() for header in found.headers]
    for row_no, cells in rows:
        reason, fields = refused[row_no]
        if masked:
            cells = [BLOT if position in masked and cell.strip() else cell for position, cell in enumerate(cells)]
        at = [found.positions[field] for field in fields if field in found.positions]
        columns = ", ".join([headers[position] for position in at])
        # No value where it is the missing one.
        values = ", ".join([value for position in at if (value := cells[position].strip())])
        said = [local[reason], english[reason]] if both else [local[reason]]
        writer.writerow([*map(guarded, cells), row_no, guarded(columns), guarded(values), *said])
    return _write(home, receipt, ".csv", text.getvalue(), source.encoding)


def write_notice(home: Home, source: Source, receipt: Receipt, reason: str, detail: str) -> Path:
    """Write for the provider why nothing of the file was taken."""
    lines = [receipt.file_name, "", *messages(source, reason).values(), "", detail]
    return _write(home, receipt, ".txt", "\r\n".join(lines) + "\r\n", "utf-8")


def messages(source: Source, reason: str) -> dict[str, str]:
    """Language -> what the reason means, in the provider's language and in English."""
    known = {language: texts(language) for language in dict.fromkeys([source.feedback_language, "en"])}
    # An XML has no columns to speak of.
    return {language: said.get(f"{reason} {source.format}", said[reason]) for language, said in known.items()}


def remove(home: Home, receipt: Receipt) -> None:
    """Remove what an earlier judgement left."""
    for suffix in (".csv", ".txt"):
        path_for(home.feedback, receipt, suffix).unlink(missing_ok=True)


def _masked(source: Source, found: Layout) -> set[int]:
    """Columns not to be shown: those no field asks for, and the kind's personal ones."""
    personal = kind_of(source).personal
    shown = {position for field, position in found.positions.items() if field not in personal}
    return set(range(len(found.headers))) - shown


def _write(home: Home, receipt: Receipt, suffix: str, text: str, encoding: str) -> Path:
    path = path_for(home.feedback, receipt, suffix)
    if parsers.is_utf8(encoding):
        content = text.encode("utf-8-sig")
    else:
        content = "".join(_encodable(text, encoding)).encode(encoding)
    lake_files.write_bytes(path, content)
    return path


def _encodable(text: str, encoding: str) -> Iterator[str]:
    try:
        text.encode(encoding)
        yield text
    except UnicodeEncodeError:
        for character in text:
            try:
                character.encode(encoding)
                yield character
            except UnicodeEncodeError:
                yield _LACKING
