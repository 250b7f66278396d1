"""Which data sets each step reads and writes: extracts → landing → lake → marts → proposals → exports."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tanso import payouts, sql
from tanso.lake import TABLES
from tanso.lineage.model import Dataset, Job
from tanso.settings import Home

if TYPE_CHECKING:
    from tanso.ingest.model import LakeResult, SourceResult
    from tanso.packs.sources import Source
    from tanso.payouts import Batch, Proposal
    from tanso.warehouse import EvaluateResult
    from tanso.warehouse.backfill.backfill import BackfillResult

# What a kind of extract becomes, if not the table of its own name.
_TABLES_OF = {"participants": ("participants", "participant_utilities"), "readings": ("readings", "providers")}
_OF_ALL = ("files", "quarantine")


def ingested(result: SourceResult) -> list[Job]:
    """Of a source's files the accepted ones; none if it brought none."""
    files = [file for file in result.files if file["status"] == "accepted"]
    if not files:
        return []
    name = result.source_id
    read, accepted = (sum(file[count] for file in files) for count in ("rows_read", "rows_accepted"))
    taken, landed = Dataset(f"extracts/{name}", read, len(files)), Dataset(f"landing/{name}", accepted, len(files))
    return [Job(f"ingest_source.{name}", (taken,), (landed,))]


def published(sources: Iterable[Source], result: LakeResult) -> list[Job]:
    """Per table of the lake that changed, the landed extracts it is made from."""
    fed: dict[str, list[Dataset]] = {}
    for source in sources:
        for table in (*_TABLES_OF.get(source.kind, (source.kind,)), *_OF_ALL):
            fed.setdefault(table, []).append(Dataset(f"landing/{source.source_id}"))
    return [
        Job(f"publish_lake.{table}", tuple(fed.get(table, ())), (Dataset(f"lake/{table}", fields=_lake_fields(table)),))
        for table in result.tables
    ]


def evaluated(home: Home, result: EvaluateResult) -> list[Job]:
    """Per mart the tables of lake and policy that its models are made from; none if nothing was built."""
    from tanso import warehouse

    if result.status != "built":
        return []
    manifest = json.loads((home.warehouse / ".dbt" / "target" / "manifest.json").read_text("utf-8"))
    with warehouse.connect(home, by_bytes=False) as marts:
        columns = marts.execute(
            "select table_name, column_name, data_type from duckdb_columns() "
            "where database_name = 'tanso' and schema_name = 'marts' order by table_name, column_index"
        ).fetchall()
        rows = {mart: sql.scalar(marts, f'select count(*) from marts."{mart}"') for mart, *_ in columns}
    jobs = []
    for node_id, node in sorted(manifest["nodes"].items()):
        if node["resource_type"] == "model" and node["name"] in rows and node["schema"] == "marts":
            mart = node["name"]
            texts = {name: column["description"] or None for name, column in node["columns"].items()}
            fields = tuple((name, kind, texts.get(name)) for table, name, kind in columns if table == mart)
            inputs = tuple(Dataset(name) for name in _sources(manifest, node_id))
            jobs.append(Job(f"evaluate.{mart}", inputs, (Dataset(f"marts/{mart}", rows[mart], fields=fields),)))
    return jobs


def backfilled(home: Home, result: BackfillResult) -> list[Job]:
    """The files of a back-fill, from the landed extracts."""
    inputs = tuple(Dataset(f"landing/{path.name}") for path in sorted(home.receipts.iterdir()) if path.is_dir())
    where = result.folder.relative_to(home.root).as_posix()
    outputs = tuple(Dataset(f"{where}/{file['path']}", file["rows"]) for file in result.files)
    return [Job("backfill", inputs, outputs)]


def proposed(proposals: Iterable[Proposal]) -> list[Job]:
    """Per proposal; none if nothing is due."""
    outputs = tuple(
        Dataset(f"proposals/{one.program_id}/{one.period_id}", one.lines, fields=_lines()) for one in proposals
    )
    return [Job("propose", _decided_from(), outputs)] if outputs else []


def issued(batch: Batch | None) -> list[Job]:
    """The batch, and the ledger that it extends."""
    if batch is None:
        return []
    where = f"{batch.program_id}/{batch.period_id}"
    inputs = (*_decided_from(), Dataset(f"proposals/{where}"), Dataset("vault"))
    outputs = (
        Dataset(f"exports/{where}/{batch.batch_id}", batch.lines, fields=_lines()),
        Dataset("lake/ledger", fields=_lake_fields("ledger")),
    )
    return [Job(f"issue.{batch.program_id}", inputs, outputs)]


def _lake_fields(table: str) -> tuple[tuple[str, str, None], ...]:
    return tuple((name, kind, None) for name, kind in TABLES[table].items())


def _lines() -> tuple[tuple[str, str, None], ...]:
    return tuple(field for field in _lake_fields("ledger") if field[0] != "issued_at")


def _sources(manifest: dict[str, Any], node_id: str) -> list[str]:
    """The lake and policy tables below a model, whatever lies between."""
    found, seen, waiting = set(), set(), [node_id]
    while waiting:
        one = waiting.pop()
        if source := manifest["sources"].get(one):
            # What a build is told of the one before it is no table of the lake.
            if source["schema"] != "lake" or source["name"] in TABLES:
                found.add(f"{source['schema']}/{source['name']}")
        elif one not in seen:
            seen.add(one)
            waiting += manifest["parent_map"].get(one, [])
    return sorted(found)


def _decided_from() -> tuple[Dataset, ...]:
    """The marts that decide on payouts, as the SQL of the decision names them."""
    sql = (Path(payouts.__file__).parent / "decision.sql").read_text("utf-8")
    return tuple(Dataset(f"marts/{mart}") for mart in sorted(set(re.findall(r"house\.marts\.(\w+)", sql))))
