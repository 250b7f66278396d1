"""No name, account, card, phone, address or e-mail of a register leaves vault, landing, quarantine and payout files.

What is looked for are the registers' own cells (nicknames are public). Two kinds of search, since short values coincide
with other text by chance:

- *long* values (an address, e-mail or log-in id, an account, card or phone number with its hyphens) must not occur
  anywhere in a file's bytes, nor in any text cell of a table;
- *words*, that is names (two or three syllables may be parts of other words) and numbers without hyphens (customer
  numbers that lie side by side in a file form any row of digits) must not stand as a whole cell, nor as a word of their
  own between signs that are neither letters nor digits.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pytest

from include.packs import load_sources
from include.settings import PROJECT_ROOT, Home

LONG = ("address", "account_no", "card_no", "phone", "email", "login_id")
NAMES = ("name", "householder", "account_holder")
# Where personal data belong: these folders are readable by their owner alone (test_permissions.py).
OURS = ("inbox", "landing", "vault", "quarantine", "exports")


@pytest.fixture(scope="module")
def values() -> tuple[set[str], set[str]]:
    """Long values and words of all bundled registers."""
    long, words = set(), set()
    for source in load_sources():
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
                            words.add(cell)
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


def test_the_search_finds_what_is_there(tmp_path: Path, values):
    """Against a search that is blind: each kind of value is found where it is put."""
    long, words = values
    for number, value in enumerate([max(long), max(words), next(word for word in words if word.isdigit())]):
        for text in (f"a,{value},b", json.dumps({"x": value})):
            path = tmp_path / f"{number}.txt"
            path.write_text(text, "utf-8")
            with pytest.raises(AssertionError, match="holds a"):
                assert_files_clean([path], long, words)
        with pytest.raises(AssertionError):
            assert_clean({"other", value}, long, words)


def test_no_personal_data_in_the_marts(sample_home: Home, values):
    databases = sorted(sample_home.warehouse.rglob("*.duckdb"))
    assert sample_home.database in databases
    for database in databases:
        with duckdb.connect(str(database), read_only=True) as marts:
            tables = marts.execute("select table_schema, table_name from information_schema.tables").fetchall()
            assert len(tables) > 40
            assert_clean(cells((f"{schema}.{name}", marts) for schema, name in tables), *values)


def test_no_personal_data_in_the_lake(sample_home: Home, values):
    paths = sorted(sample_home.lake.rglob("*.parquet"))
    assert len(paths) > 50
    with duckdb.connect() as connection:
        assert_clean(cells((f"read_parquet('{path}')", connection) for path in paths), *values)


def test_no_personal_data_in_a_batchs_own_tables(sample_home: Home, values):
    """What a batch keeps for machines; its CSV files hold what bank and municipality need."""
    paths = sorted(sample_home.exports.rglob("*.parquet"))
    assert len(paths) >= 12
    with duckdb.connect() as connection:
        assert_clean(cells((f"read_parquet('{path}')", connection) for path in paths), *values)
    paths = [path for name in ("manifest.json", "control.html") for path in sample_home.exports.rglob(name)]
    assert assert_files_clean(paths, *values) >= 12


def test_no_personal_data_in_any_other_file(sample_home: Home, values):
    """Reports, receipts, proposals, access log, dbt's logs and compiled models, the database as bytes."""
    paths = [
        path
        for path in sorted(sample_home.root.rglob("*"))
        if path.is_file() and path.relative_to(sample_home.root).parts[0] not in OURS and path.suffix != ".parquet"
    ]
    folders = {path.relative_to(sample_home.root).parts[0] for path in paths}
    assert {"lake", "warehouse", "reports", "receipts", "rejected", "access_log"} <= folders
    assert any("dbt.log" in path.name for path in paths) and any(path.name == "manifest.json" for path in paths)
    assert assert_files_clean(paths, *values) > 50


def test_no_personal_data_in_airflows_history(values):
    """Its database (XComs in it) and task logs, where an Airflow has run the sample in this checkout."""
    folder = PROJECT_ROOT / "var" / "airflow"
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if not any(path.name == "airflow.db" for path in paths):
        pytest.skip("no Airflow has run the sample in var/: make run, then test again")
    assert assert_files_clean(paths, *values) > 1
