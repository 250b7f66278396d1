"""The lake's tables from receipts and results; only files whose content changed are replaced."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from tanso import lake, lake_files, sql
from tanso.files import file_sha256
from tanso.ingest import taken
from tanso.ingest.kinds import values
from tanso.ingest.kinds.registry import kind_of
from tanso.ingest.lake.staged import staged_folder, stored_result
from tanso.ingest.landing import land
from tanso.ingest.model import DamagedStaged, LakeResult, Receipt, ReceiptStatus, SourceResult, StagedFile
from tanso.ingest.verdicts import judge
from tanso.ingest.verdicts.expectations import check_files
from tanso.lake import TABLES, columns_sql
from tanso.packs.policy import Policy
from tanso.packs.sources import Source
from tanso.settings import Home

log = logging.getLogger(__name__)

_COUNTS = ("rows_read", "rows_accepted", "rows_quarantined", "rows_duplicate")
_NOT_OURS = {"ledger"}
# tables of one file over all sources, and their total order
_OVERVIEW = {
    "files": "source_id, received_at, sha256, file_name",
    "quarantine": "source_id, file_name, sha256, row_no",
    "providers": "program_id, utility, provider, source_id",
}


def publish(
    home: Home, sources: Sequence[Source], policy: Policy, results: Sequence[SourceResult], expectations: bool
) -> LakeResult:
    """See ``publish_lake``."""
    problems = [problem for result in results for problem in result.problems]
    notes, totals, accepted = {}, {}, []
    with land.lock(home):
        land.remove_leftovers(home)
        before = _state(home)
        _remove_undeclared(home, sources)
        with duckdb.connect() as overview:
            _make_tables(overview)
            for source in sources:
                others = _other_registers(source, sources)
                staged, found = _publish_source(overview, source, others, home, policy, problems, personal=expectations)
                accepted.append((source, staged))
                if found:
                    notes[source.source_id] = found
                for utility in {usage["utility"] for usage in source.options["usages"]} if source.provider else ():
                    row = [source.program_id, utility, source.provider, source.source_id]
                    overview.execute("insert into providers values (?, ?, ?, ?)", row)
                totals[source.source_id] = _totals(overview, source)
            for table, by in _OVERVIEW.items():
                lake_files.publish(overview, f"select * from {table} order by {by}", home.lake / table / "data.parquet")
        after = _state(home)
        findings = check_files(home, accepted) if expectations else []
    changed = sorted(table for table in TABLES if before.get(table) != after.get(table))
    return LakeResult(bool(changed), changed, list(results), totals, notes, problems, findings)


def _make_tables(overview: duckdb.DuckDBPyConnection) -> None:
    for table in _OVERVIEW:
        overview.execute(f"create table {table} ({columns_sql(table)})")


def _other_registers(source: Source, sources: Sequence[Source]) -> list[Source]:
    """A programme may have several registers: those besides this one. A participant counts in one of them."""
    if not kind_of(source).excludes_others:
        return []
    return [
        other for other in sources
        if (other.kind, other.program_id) == (source.kind, source.program_id) and other != source
    ]  # fmt: skip


def _publish_source(
    overview: duckdb.DuckDBPyConnection,
    source: Source,
    others: Sequence[Source],
    home: Home,
    policy: Policy,
    problems: list[str],
    personal: bool,
) -> tuple[list[StagedFile], dict[str, Any]]:
    """Write the source's share of the lake; its accepted files and notes. Damaged files are made again on the way.

    A damaged receipt fails the source alone: its share stays as it was published last.
    """
    before, made_again = len(problems), set()
    while True:
        overview.execute("begin")
        try:
            staged, in_force = _collect(overview, source, home, problems)
            with duckdb.connect() as con, duckdb.connect() as beside:
                values.install(con)
                _make_tables(beside)
                also = {"others": [(other, _collect(beside, other, home, [])[1]) for other in others]} if others else {}
                found = kind_of(source).publish(con, home, source, in_force, **also)
            overview.execute("commit")
            return staged, found
        except land.DamagedReceipt as damaged:
            overview.execute("rollback")
            problems[before:] = [problem] if (problem := f"{source.source_id}: {damaged}") not in problems else []
            taken.not_taken(home, source.source_id, problem)
            _add_as_published(overview, home, source)
            return [], {}
        except (DamagedStaged, lake.DamagedLake) as damaged:
            overview.execute("rollback")
            del problems[before:]
            if str(damaged) in made_again:
                raise
            made_again.add(str(damaged))
            log.warning("%s", damaged)
            if isinstance(damaged, lake.DamagedLake):
                lake.remove(damaged.path)
                continue
            for owner in (source, *others):
                for receipt in land.receipts(home, owner.source_id):
                    if receipt.sha256 == damaged.sha256 and receipt.status == ReceiptStatus.LANDED:
                        judge.judge(owner, receipt, home, policy, judge.fingerprint(owner, policy), personal)


def make_damaged_again(home: Home, sources: Sequence[Source], policy: Policy) -> None:
    """Publish again what the lake has and is not as it was written.

    Raises NotJudged, and changes nothing, if what it was made of is to be judged first.
    """
    with land.lock(home):  # who writes now is no damage
        damaged = lake.damaged(home.lake, lake.hashes(home.lake))
        _check_judged(home, sources, damaged)
        for path in damaged:
            log.warning("%s", lake.DamagedLake(path))
            lake.remove(path)
    publish(home, sources, policy, (), expectations=False)


class NotJudged(ValueError):
    """A share of the lake cannot be made again yet."""


def _check_judged(home: Home, sources: Sequence[Source], damaged: Sequence[Path]) -> None:
    """All landed files of whose share of the lake something is damaged must have their results.

    Else the marts would be published without them, as after an upgrade to a version that judges anew.
    """
    names = {path.relative_to(home.lake).parts[1].removesuffix(".parquet") for path in damaged}
    for source in sources:
        if not names & {source.source_id, f"source_id={source.source_id}"}:
            continue
        for receipt in land.receipts(home, source.source_id):
            is_landed = receipt.status == ReceiptStatus.LANDED
            if is_landed and stored_result(home, source.source_id, receipt.sha256) is None:
                raise NotJudged(
                    f"{source.source_id}: {receipt.file_name} is not judged by this version yet, so what the lake "
                    "has of it cannot be made again. Nothing was changed. Next step: make ingest, then make evaluate"
                )


def _collect(
    con: duckdb.DuckDBPyConnection, source: Source, home: Home, problems: list[str]
) -> tuple[list[StagedFile], list[StagedFile]]:
    """Add the source's files and refused rows to the overview; return the accepted files and those of them that the
    kind's ``publish`` gets, both in order of supersession."""
    staged, rows = [], []
    receipts = land.receipts(home, source.source_id)
    for receipt in receipts:
        status, result = receipt.status, None
        reason = status if status in land.NOT_LANDED else None
        if status == "landed":
            result = stored_result(home, source.source_id, receipt.sha256)
            if result is None:
                problem = f"{source.source_id}: {receipt.file_name} is not judged yet; ingest the source again"
                problems.append(problem)
                taken.not_taken(home, source.source_id, problem)
                continue
            status, reason = result["status"], result["reason"]
        row = [
            source.program_id,
            source.source_id,
            receipt.file_name,
            receipt.sha256 or None,
            receipt.received_at.rstrip("Z"),
        ]
        row += ["rejected" if status in land.NOT_LANDED else status, reason]
        accepted = result if result and status == "accepted" else None
        row += [accepted[count] if accepted else None for count in _COUNTS]
        rows.append(row)
        if accepted:
            path = staged_folder(home, source.source_id) / f"{receipt.sha256}.parquet"
            came = (receipt.file_name, receipt.received_no, receipt.received_at)
            file = StagedFile(receipt.sha256, *came, path, accepted)
            staged.append(file)
    _add_files(con, rows)
    _add_refused(con, source, [file for file in staged if file.result["rows_quarantined"]])
    in_force = staged if kind_of(source).is_snapshot else _in_force(receipts, staged)
    return _in_order(staged), _in_order(in_force)


def _add_files(con: duckdb.DuckDBPyConnection, rows: list[list[Any]]) -> None:
    """At once: row by row it takes a millisecond each."""
    types = [pa.int64() if kind == "BIGINT" else pa.string() for kind in TABLES["files"].values()]
    columns = zip(*rows, strict=True) if rows else ([] for _ in types)
    arrays = [pa.array(column, type_) for column, type_ in zip(columns, types, strict=True)]
    con.register("coming", pa.table(arrays, list(TABLES["files"])))
    con.execute("insert into files select * from coming")
    con.unregister("coming")


def _add_as_published(con: duckdb.DuckDBPyConnection, home: Home, source: Source) -> None:
    """What the overview says of the source's share of the lake, which stays as it is."""
    for table in ("files", "quarantine"):
        path = home.lake / table / "data.parquet"
        if path.exists() and lake.noted(path)["sha256"] == file_sha256(path):
            columns = ", ".join(map(sql.name, TABLES[table]))
            query = (
                f"insert into {table} ({columns}) select {columns} from read_parquet($path) where source_id = $source"
            )
            con.execute(query, {"path": str(path), "source": source.source_id})


def _add_refused(con: duckdb.DuckDBPyConnection, source: Source, files: list[StagedFile]) -> None:
    if not files:
        return
    con.execute(
        f"""
        insert into quarantine
        select $source_id, $names[file_index::bigint + 1], $hashes[file_index::bigint + 1], row_no, reason
        from read_parquet({sql.texts(file.also("refused") for file in files)})
        """,
        {
            "source_id": source.source_id,
            "names": [file.file_name for file in files],
            "hashes": [file.sha256 for file in files],
        },
    )


def _in_order(files: Iterable[StagedFile]) -> list[StagedFile]:
    return sorted(files, key=lambda file: (file.file_name, file.received_no))


def _in_force(receipts: Sequence[Receipt], staged: Sequence[StagedFile]) -> list[StagedFile]:
    """Of each name the file received last, which replaces what came under that name before.

    Bytes that were replaced and come once more are taken again under another name, for there they replace nothing;
    under the name that they were replaced under they are a duplicate.
    """
    accepted = {file.sha256: file for file in staged}
    by_name: dict[str, StagedFile] = {}
    names: dict[str, set[str]] = {sha256: set() for sha256 in accepted}  # that the bytes came under
    there: set[str] = set()  # the bytes of ``by_name``
    for receipt in receipts:
        name, sha256 = receipt.file_name, receipt.sha256
        if sha256 not in accepted:
            continue
        if receipt.status == ReceiptStatus.LANDED or not (sha256 in there or name in names[sha256]):
            if name in by_name:
                there.discard(by_name[name].sha256)
            came = (receipt.received_no, receipt.received_at)
            by_name[name] = replace(accepted[sha256], file_name=name, received_no=came[0], received_at=came[1])
            there.add(sha256)
        names[sha256].add(name)
    return list(by_name.values())


def _totals(con: duckdb.DuckDBPyConnection, source: Source) -> dict[str, int]:
    query = f"""
        select count(*) filter (where status = 'accepted') as accepted,
               count(*) filter (where status = 'rejected') as rejected,
               count(*) filter (where status = 'duplicate') as duplicate,
               {", ".join(f"coalesce(sum({count}), 0)::bigint as {count}" for count in _COUNTS)}
        from files where source_id = ?
    """
    return sql.rows(con, query, [source.source_id])[0]


def _remove_undeclared(home: Home, sources: Sequence[Source]) -> None:
    """What a source left that no pack declares any more: ``<source_id>.parquet`` or ``source_id=<source_id>/``."""
    declared = {source.source_id for source in sources}
    for table in set(TABLES) - _NOT_OURS - set(_OVERVIEW):
        for share in (home.lake / table).glob("*"):
            if share.is_dir() and share.name.removeprefix("source_id=") not in declared:
                shutil.rmtree(share)
            elif share.suffix == ".parquet" and share.stem not in declared:
                lake.remove(share)


def _state(home: Home) -> dict[str, set[tuple[Path, int]]]:
    """Table -> its files and when they were last replaced."""

    def files(table: str) -> set[tuple[Path, int]]:
        return {(path, path.stat().st_mtime_ns) for path in (home.lake / table).rglob("*.parquet")}

    return {table: files(table) for table in set(TABLES) - _NOT_OURS}
