"""Texts of packs that want to be SQL, a path, markup or a command: refused by file and key, or nothing but a text."""

from __future__ import annotations

import copy
import csv
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from tanso.ingest import ingest_source, publish_lake
from tanso.packs.policy import PolicyError, load_policy
from tanso.packs.sources import SourceError, check, read_source
from tanso.packs.tables import TABLES
from tanso.payouts.files.layouts import load_layout
from tanso.settings import PROJECT_ROOT, Home

PROGRAMS = PROJECT_ROOT / "include" / "programs"
SQL = """x'||(select content from read_text('/etc/passwd'))||'"; drop table raw; --"""
HOSTILE = (
    SQL, "a\nb", "a\0b", "a\u200bb", "../../x", "(?=a)b", "{0}", "<img src=x onerror=alert(1)>", "'", '"', "{{ 1 }}",
    "$1", "a\x1b[2Jb", "$(id)", "x" * 5_000,
)  # fmt: skip


def leaves(value: Any, path: tuple = ()) -> Iterator[tuple[tuple, bool]]:
    """Where the texts are: path, and whether it is the key there that is meant."""
    if isinstance(value, dict):
        for key, inside in value.items():
            yield (*path, key), True
            yield from leaves(inside, (*path, key))
    elif isinstance(value, list):
        for number, inside in enumerate(value):
            yield from leaves(inside, (*path, number))
    else:
        yield path, False


def changed(declared: Any, path: tuple, is_key: bool, text: str) -> Any:
    found = copy.deepcopy(declared)
    inside = found
    for part in path[:-1]:
        inside = inside[part]
    if is_key:
        items = [(text if key == path[-1] else key, value) for key, value in inside.items()]
        inside.clear()
        inside.update(items)
    else:
        inside[path[-1]] = text
    return found


def dumped(value: Any) -> str:
    return yaml.dump(value, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), allow_unicode=True)


def sample(source_id: str, pack: Path) -> tuple[str, str] | None:
    """Name and text of a few rows of the bundled sample, if it is a CSV."""
    declared = yaml.safe_load((pack / "sources" / f"{source_id}.yml").read_text("utf-8"))
    for path in sorted((pack / "sample" / source_id).glob("*.csv")):
        text = path.read_bytes().decode(declared["read"].get("encoding", "utf-8"), errors="replace")
        if "\ufffd" not in text:  # one of them is in another encoding
            return path.name, "".join(text.splitlines(keepends=True)[:6])
    return None


SOURCES = {path.stem: path.parent.parent for path in sorted(PROGRAMS.glob("*/sources/*.yml"))}


@pytest.fixture(scope="module")
def policy():
    return load_policy([PROGRAMS])


@pytest.mark.parametrize("source_id", SOURCES)
def test_every_text_of_a_source(tmp_path: Path, source_id: str, policy) -> None:
    """Each text and key in turn; what passes the checks is used on a file."""
    pack = SOURCES[source_id]
    original = pack / "sources" / f"{source_id}.yml"
    declared, rows = yaml.safe_load(original.read_text("utf-8")), sample(source_id, pack)
    path = tmp_path / pack.name / "sources" / original.name
    path.parent.mkdir(parents=True)
    used = 0
    first = next(iter(declared["columns"]))  # of the others' texts the same is made
    for where, is_key in leaves(declared):
        if where[0] == "columns" and len(where) > 1 and where[1] != first:
            continue
        for text in HOSTILE:
            path.write_text(dumped(changed(declared, where, is_key, text)), "utf-8")
            try:
                source = read_source(path)
                check(source)
            except SourceError as error:
                assert str(error).startswith(f"{path}: ") and "\0" not in str(error) and "\x1b" not in str(error)
                continue
            if text != SQL or not rows or where[0] == "pull":
                continue
            used += 1
            home = Home(tmp_path / f"home{used}")
            name, content = rows
            if where[-1] == "header" and isinstance(declared["columns"][where[1]]["header"], str):
                quoted = io.StringIO()
                csv.writer(quoted).writerow([text])
                content = content.replace(declared["columns"][where[1]]["header"], quoted.getvalue().strip(), 1)
            folder = home.root / source.pull_url
            folder.mkdir(parents=True)
            (folder / name).write_bytes(content.encode(source.encoding))
            try:
                ingest_source(source, home, policy)
            except SourceError as error:  # of the text that feedback would be in
                assert str(error).startswith(f"{path}: ")
                continue
            publish_lake(home, [source], policy, expectations=False)
            untouched(home.root)
            shutil.rmtree(home.root)


def untouched(root: Path) -> None:
    """Nothing of /etc/passwd is in what was written."""
    for found in root.rglob("*"):
        if found.suffix == ".parquet" and "vault" not in found.parts:
            shown = duckdb.execute("select * from read_parquet($1)", [str(found)]).fetchall()
            assert "root:" not in repr(shown), found
        elif found.is_file():
            assert b"root:" not in found.read_bytes(), found


@pytest.mark.parametrize("source_id", [name for name, pack in SOURCES.items() if sample(name, pack)])
def test_every_cell_of_a_file(tmp_path: Path, source_id: str, policy) -> None:
    source = read_source(SOURCES[source_id] / "sources" / f"{source_id}.yml")
    name, content = sample(source_id, SOURCES[source_id])
    header, first, *_ = csv.reader(io.StringIO(content))
    written = io.StringIO()
    csv.writer(written).writerows(
        [
            header,
            first,
            *([SQL if at == column else cell for at, cell in enumerate(first)] for column in range(len(header))),
        ]
    )
    home = Home(tmp_path / "home")
    (home.root / source.pull_url).mkdir(parents=True)
    (home.root / source.pull_url / name).write_bytes(written.getvalue().encode(source.encoding))
    ingest_source(source, home, policy)
    publish_lake(home, [source], policy, expectations=False)
    untouched(home.root)


@pytest.mark.parametrize("program_id", sorted({pack.name for pack in SOURCES.values()}))
def test_every_cell_of_a_policy_table(tmp_path: Path, program_id: str) -> None:
    """The first row of each table: refused by row and column, or, in a free text, the same text in the database."""
    shutil.copytree(PROGRAMS / program_id / "policy", tmp_path / program_id / "policy")
    for path in sorted((tmp_path / program_id / "policy").glob("*.csv")):
        original = path.read_text("utf-8-sig")
        header, first, *others = csv.reader(io.StringIO(original))
        kinds_of = {column: TABLES[path.stem].kind_of(column) for column in header}
        free = {column for column, kind in kinds_of.items() if kind == "text"}
        lists = {column for column, kind in kinds_of.items() if kind in ("tariff", "template", "words", "pattern")}

        def found(columns: set[str], text: str, path=path, header=header, first=first, others=others) -> Any:
            cells = [text if column in columns else cell for column, cell in zip(header, first, strict=True)]
            written = io.StringIO()
            csv.writer(written).writerows([header, cells, *others])
            path.write_text(written.getvalue(), "utf-8")
            return load_policy([tmp_path])

        def problems(columns: set[str], text: str, found=found) -> str:
            with pytest.raises(PolicyError) as raised:
                found(columns, text)
            assert "\0" not in str(raised.value) and "\x1b" not in str(raised.value)
            return str(raised.value)

        for text in HOSTILE[:8]:
            lines = problems(set(header) - free - lists, text)
            assert all(f"{path.name}:2 {column} '" in lines for column in set(header) - free - lists), lines
            if text in ("a\nb", "a\0b", "a\u200bb"):
                lines = problems(free | lists, text) if free | lists else ""
                assert all(f"{column} '" in lines for column in free | lists), lines
            elif free:
                with duckdb.connect() as con:
                    found(free, text).write(con)
                    rows = con.execute(f"select {', '.join(sorted(free))} from policy.{path.stem}").fetchall()
                assert (text,) * len(free) in rows
        path.write_text(original, "utf-8")


@pytest.mark.parametrize("program_id", sorted({pack.name for pack in SOURCES.values()}))
def test_every_text_of_the_payout_files(tmp_path: Path, program_id: str) -> None:
    shutil.copytree(PROGRAMS / program_id, tmp_path / program_id, ignore=shutil.ignore_patterns("sample"))
    path = tmp_path / program_id / "payouts.yml"
    declared = yaml.safe_load(path.read_text("utf-8"))
    for where, is_key in leaves(declared):
        for text in HOSTILE:
            path.write_text(dumped(changed(declared, where, is_key, text)), "utf-8")
            try:
                layout = load_layout(program_id, [tmp_path])
            except ValueError as error:
                assert str(error).startswith(f"{path}: ") and "\0" not in str(error) and "\x1b" not in str(error)
                continue
            for file in layout.files:
                assert "/" not in file.name and ".." not in file.name and not file.name.startswith(".")


@pytest.mark.parametrize(
    "name",
    ["../../../../../x.csv", "/x.csv", "..", ".x.csv", "a/b.csv", "a\\b.csv", "manifest.json", "Control.HTML",
     "x" * 101, "한" * 90, "a\nb.csv", "a\u202eb.csv", "a{region}.csv", "x.csv ", "x."],
)  # fmt: skip
def test_names_of_payout_files(tmp_path: Path, name: str) -> None:
    pack = tmp_path / "kr_carbon_point"
    pack.mkdir()
    files = {name: {"rows": "lines", "incentive_type": "cash", "columns": {"amount": "amount"}}}
    (pack / "payouts.yml").write_text(yaml.safe_dump({"encoding": "utf-8", "transfer_note": "x", "files": files}))
    with pytest.raises(ValueError, match="payouts.yml: files"):
        load_layout("kr_carbon_point", [tmp_path])


@pytest.mark.parametrize("label", ["YYYY/H1", ".YYYYH1", "../YYYYH1", "YYYY H1", "YYYYH1\u200b", "YYYY'H1", "-YYYYH1"])
def test_labels_of_periods(tmp_path: Path, label: str) -> None:
    shutil.copytree(PROGRAMS / "kr_carbon_point" / "policy", tmp_path / "kr_carbon_point" / "policy")
    path = tmp_path / "kr_carbon_point" / "policy" / "period_rules.csv"
    text = path.read_text("utf-8")
    assert ",YYYYH1," in text
    path.write_text(text.replace(",YYYYH1,", f",{label},"), "utf-8")
    with pytest.raises(PolicyError, match=r"period_rules\.csv:2 label '"):
        load_policy([tmp_path])


@pytest.mark.parametrize("pattern", ["(?=a)b", "(?!a)b", r"(a)\1", "(?<=a)b", "(?>a)", "a{2000}", "["])
def test_patterns_are_of_the_engine_that_runs_them(tmp_path: Path, pattern: str) -> None:
    declared = yaml.safe_load((PROGRAMS / "kr_carbon_point" / "sources" / "kr_kepco.yml").read_text("utf-8"))
    declared["options"]["customer_no_pattern"] = pattern
    path = tmp_path / "kr_carbon_point" / "sources" / "kr_kepco.yml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump(declared, allow_unicode=True), "utf-8")
    with pytest.raises(SourceError, match=r"options\.customer_no_pattern: '.*' is no regular expression \(RE2\)"):
        ingest_source(read_source(path), Home(tmp_path / "home"))


def test_yaml_that_never_ends_is_told(tmp_path: Path) -> None:
    """Anchors that hold one another: walked once."""
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))]
    path = tmp_path / "a_town" / "sources" / "bomb.yml"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(SourceError, match="bomb.yml: a0: unknown key"):
        read_source(path)
    path.write_text("[" * 100_000, "utf-8")
    with pytest.raises(SourceError, match="bomb.yml: is not YAML: more than 50 lists"):
        read_source(path)
