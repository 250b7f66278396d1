"""Judging and publishing without files: ``raw`` is made from dictionaries (field -> text)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tanso import lake_files
from tanso.files import file_sha256
from tanso.ingest.kinds import values
from tanso.ingest.kinds.registry import kind_of
from tanso.ingest.model import Context, Kind, StagedFile
from tanso.packs.sources import Source, check, read_source
from tanso.settings import PROJECT_ROOT, Home

POLICY = """
create schema policy;
create table policy.enrolment_policies (
    program_id varchar, excluded_region_prefixes varchar, required_utilities varchar, login_id_pattern varchar
);
insert into policy.enrolment_policies values ('kr_carbon_point', '11', 'electricity', '^[a-z0-9]{6,20}$');
create table policy.transition_rules (program_id varchar, registered_until date, first_period varchar);
insert into policy.transition_rules values ('jp_nakano_eco_point', date '2018-03-31', 'FY2018');
"""


@dataclass
class Extracts:
    """One source, judged file by file like the framework does."""

    source: Source
    home: Home
    staged: list[StagedFile] = field(default_factory=list)
    policy_change: str = "select 1"  # SQL on the policy tables above

    @property
    def kind(self) -> Kind:
        return kind_of(self.source)

    def judge(self, rows: list[dict[str, str]], file_name: str = "file.csv", sha256: str = "f" * 64) -> Judged:
        con = duckdb.connect(config={"threads": 1})
        values.install(con)
        con.execute(POLICY)
        con.execute(self.policy_change)
        fields = list(self.source.columns)
        assert all(set(row) <= set(fields) for row in rows), "a test names a field that the source does not declare"
        con.execute(f"create table raw (row_no bigint, {', '.join(f'{name} varchar' for name in fields)})")
        for row_no, row in enumerate(rows, start=1):
            marks = ", ".join("?" for _ in range(len(fields) + 1))
            con.execute(f"insert into raw values ({marks})", [row_no, *(row.get(name) or None for name in fields)])
        context = Context(sha256, file_name, len(self.staged) + 1, None, self.home)
        self.kind.judge(con, self.source, context)
        return Judged(con, self, context)

    def accept(self, rows: list[dict[str, str]], file_name: str) -> None:
        """Judge, keep and stage a file."""
        self.judge(rows, file_name, sha256=f"{len(self.staged) + 1:064x}").stage()

    def publish(self) -> dict[str, Any]:
        con = duckdb.connect(config={"threads": 1})
        values.install(con)
        ordered = sorted(self.staged, key=lambda file: (file.file_name, file.received_no))
        return self.kind.publish(con, self.home, self.source, ordered)

    def lake(self, table: str, columns: str = "*") -> list[tuple]:
        path = self.home.lake / table / f"{self.source.source_id}.parquet"
        return duckdb.sql(f"select {columns} from read_parquet('{path}')").fetchall()


@dataclass
class Judged:
    con: duckdb.DuckDBPyConnection
    extracts: Extracts
    context: Context

    @property
    def refused(self) -> dict[int, str]:
        self._every_row_once()
        return dict(self.con.execute("select row_no, reason from refused order by row_no").fetchall())

    @property
    def duplicates(self) -> list[int]:
        return [row[0] for row in self.con.execute("select row_no from duplicates order by row_no").fetchall()]

    def good(self, columns: str = "row_no") -> list[Any]:
        """Rows of ``good`` in the file's order; bare values for one column."""
        rows = self.con.execute(f"select {columns} from good order by row_no").fetchall()
        return [row[0] for row in rows] if rows and len(rows[0]) == 1 else rows

    def table(self, name: str) -> list[tuple]:
        return self.con.execute(f"select * from {name} order by all").fetchall()

    def stage(self) -> None:
        context, kind = self.context, self.extracts.kind
        if kind.keep:
            kind.keep(self.con, self.extracts.source, context)
        folder = self.extracts.home.lake / "_staged" / self.extracts.source.source_id
        came = (context.file_name, context.received_no, f"2021-01-01T00:00:{context.received_no:02}Z")
        path = folder / f"{context.sha256}.parquet"
        lake_files.write(self.con, "select * from good order by row_no", path)
        written = {path.name: file_sha256(path)}
        for name in kind.also_staged:
            also = path.with_name(f"{context.sha256}.{name}.parquet")
            lake_files.write(self.con, f"select * from {name} order by all", also)
            written[also.name] = file_sha256(also)
        self.extracts.staged.append(StagedFile(context.sha256, *came, path, result={"written": written}))

    def _every_row_once(self) -> None:
        numbers = "select row_no from refused union all select row_no from duplicates union all select row_no from good"
        twice = self.con.execute(f"select row_no from ({numbers}) group by row_no having count(*) > 1").fetchall()
        lost = self.con.execute(f"select row_no from raw except select row_no from ({numbers})").fetchall()
        assert not twice and not lost


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.delenv("TANSO_VAULT_KEY", raising=False)
    return Home(tmp_path)


@pytest.fixture
def extracts(home: Home):
    """``extracts(source_id)``: an empty history of a shipped source."""

    def of(source_id: str) -> Extracts:
        path = next((PROJECT_ROOT / "include" / "programs").glob(f"*/sources/{source_id}.yml"))
        source = read_source(path)
        check(source)
        return Extracts(source, home)

    return of
