"""The search for personal data: the registers' own cells (nicknames are public) in files and tables.

Two kinds of search, since short values coincide with other text by chance:

- *long* values (an address, e-mail or log-in id, an account, card or phone number with its hyphens, a name of three
  parts) must not occur anywhere in a file's bytes, nor in any text cell of a table;
- *words*, that is names (two or three syllables may be parts of other words) and numbers without hyphens (customer
  numbers that lie side by side in a file form any row of digits) must not stand as a whole cell, nor as a word of their
  own between signs that are neither letters nor digits.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import duckdb

from tanso.packs import load_sources
from tanso.settings import PROJECT_ROOT, Home

LONG = ("address", "account_no", "card_no", "phone", "email", "login_id")
NAMES = ("name", "householder", "account_holder")
# Where personal data belong: these folders are readable by their owner alone (test_permissions.py).
OURS = ("inbox", "landing", "vault", "quarantine", "exports")


@cache
def register_values() -> tuple[set[str], set[str]]:
    """Long values and words of all bundled registers."""
    long, words = set(), set()
    for source in load_sources([PROJECT_ROOT / "include" / "programs"]):
        if source.kind != "participants":
            continue
        for path in sorted((source.path.parents[1] / "sample" / source.source_id).glob("*.csv")):
            with path.open(encoding=source.encoding, newline="") as file:
                for row in csv.DictReader(file):
                    for field, column in source.columns.items():
                        cell = next((row[name].strip() for name in column.headers if row.get(name)), "")
                        if field in LONG:
                            long.add(cell)
                            words.add(cell.replace("-", ""))
                        elif field in NAMES:
                            (words if cell in words_of(cell) else long).add(cell)
    words = {word for word in words if len(word) > 1 and (len(word) >= 8 or not word.isascii())}
    long = {value for value in long if len(value) >= 8 and not value.isdigit()}
    assert len(long) > 500 and len(words) > 200  # or the search would prove nothing
    return long, words


def cells(tables: Iterable[tuple[str, duckdb.DuckDBPyConnection]]) -> set[str]:
    """All distinct texts of the tables, lists and structs as text."""
    found: set[str] = set()
    for table, connection in tables:
        for name, kind, *_ in connection.execute(f"describe from {table}").fetchall():
            if any(word in kind for word in ("VARCHAR", "BLOB", "JSON", "MAP")):
                rows = connection.execute(f'select distinct "{name}"::varchar from {table}').fetchall()
                found |= {text for (text,) in rows if text}
    return found


def words_of(text: str) -> set[str]:
    """The words of a text, and two words with a blank between them, as some names are written."""
    return set(re.split(r"[\W_]+", text)) | set(re.findall(r"(?=\b([^\W\d_]+[ \u3000][^\W\d_]+)\b)", text))


def assert_clean(texts: set[str], long: set[str], words: set[str]) -> None:
    assert texts, "nothing was searched"
    assert sorted(texts & words) == []
    joined = "\n".join(texts)
    assert sorted(words_of(joined) & words) == []
    assert sorted(value for value in long if value in joined) == []


def assert_files_clean(paths: Iterable[Path], long: set[str], words: set[str]) -> int:
    """Search files as UTF-8 and as JSON escapes it; their number."""
    searched = 0
    anywhere = re.compile(b"|".join(re.escape(form) for value in long for form in forms(value)))
    for path in paths:
        content = path.read_bytes()
        searched += 1
        assert anywhere.search(content) is None, f"{path} holds a value of a register"
        text = content.decode("utf-8", errors="replace")
        if "\\u" in text:
            text += re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)
        if path.suffix != ".duckdb":  # its cells are searched; its bytes hold tables of signs and numbers side by side
            assert sorted(words_of(text) & words) == [], f"{path} holds a word of a register"
    return searched


def forms(value: str) -> set[bytes]:
    return {value.encode(), json.dumps(value)[1:-1].encode()}


def outside(home: Home) -> list[Path]:
    """All files of a home but those that may hold personal data, and Parquet, whose cells are to be searched."""
    return [
        path
        for path in sorted(home.root.rglob("*"))
        if path.is_file() and path.relative_to(home.root).parts[0] not in OURS and path.suffix != ".parquet"
    ]
