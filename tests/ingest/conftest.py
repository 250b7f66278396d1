"""A home, the shipped packs, and short words for: a provider drops a file, it is taken in, this is in the lake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from tanso.ingest import ingest_source, publish_lake
from tanso.ingest.model import LakeResult, SourceResult
from tanso.lake import create_sources
from tanso.packs.policy import Policy, load_policy
from tanso.packs.sources import Source, load_sources
from tanso.settings import PROJECT_ROOT, Home

PACKS = [PROJECT_ROOT / "include" / "programs"]
HEADERS = {
    "kr_kepco": "고객번호,청구년월,검침시작일,검침종료일,사용량,계약종별,검침구분",
    "kr_waterworks": "수용가번호,사용년월,사용량(㎥),검침구분",
    "kr_citygas": "사용계약번호,사용년월,사용량,단위,용도,검침구분",
    "kr_apartments": "단지코드,동,호,부과년월,전기,수도,가스",
    "jp_meter_slips": "参加者番号,種別,対象年月,今年使用量,前年使用量",
    "jp_opening_points": "参加者番号,認定日,ポイント",
    "jp_actions": "参加者番号,実施日,行動コード,数量",
    "jp_applications": "申請番号,参加者番号,年度,受付日,電気台紙,ガス台紙,希望賞品コード,エコマーク枚数,"
    "行動レポート_7月,行動レポート_8月,行動レポート_9月,行動レポート_12月,行動レポート_1月,行動レポート_2月",
    "kr_returns": "배치번호,순번,반송사유",
}


@dataclass
class Office:
    """One installation under test."""

    home: Home
    sources: dict[str, Source]
    policy: Policy

    def drop(self, source_id: str, name: str, rows: Sequence[str] | bytes, header: str | None = None) -> Path:
        """Put a file into the inbox: bytes as they are, or lines under the source's header, in its encoding."""
        path = self.home.inbox / source_id / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(rows, bytes):
            lines = [HEADERS[source_id] if header is None else header, *rows]
            if self.sources[source_id].format == "xlsx":
                rows = workbook([line.split(",") for line in lines])
            else:
                rows = ("\r\n".join(lines) + "\r\n").encode(self.sources[source_id].encoding)
        path.write_bytes(rows)
        return path

    def take_in(self, *source_ids: str) -> SourceResult:
        """Ingest these sources and publish; the result of the last."""
        for source_id in source_ids:
            result = ingest_source(self.sources[source_id], self.home, self.policy)
        self.publish()
        return result

    def publish(self, expectations: bool = False) -> LakeResult:
        used = [source for source in self.sources.values() if (self.home.inbox / source.source_id).exists()]
        return publish_lake(self.home, used, self.policy, expectations=expectations)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query over schema ``lake``; dates and decimals as text."""
        with duckdb.connect() as con:
            create_sources(con, self.home.lake)
            rows = con.execute(sql).fetchall()
        return [
            tuple(cell if cell is None or isinstance(cell, bool | int) else str(cell) for cell in row) for row in rows
        ]

    def readings(self) -> list[tuple[Any, ...]]:
        return self.query(
            "select utility, meter_key, strftime(usage_month, '%Y-%m'), usage from lake.readings order by all"
        )

    def refused(self) -> list[tuple[Any, ...]]:
        return self.query("select row_no, reason from lake.quarantine order by all")

    def file(self, name: str) -> tuple[Any, ...]:
        """Status, reason and counts of the last file of that name."""
        rows = self.query(
            "select file_name, status, reason, rows_read, rows_accepted, rows_quarantined, rows_duplicate "
            "from lake.files order by received_at"
        )
        return [row[1:] for row in rows if row[0] == name][-1]


def workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append([None if cell == "" else cell for cell in row])
    book.create_sheet("another").append(["no", "business", "of", "ours"])
    content = BytesIO()
    book.save(content)
    return content.getvalue()


@pytest.fixture(scope="session")
def sources() -> dict[str, Source]:
    return {source.source_id: source for source in load_sources(PACKS)}


@pytest.fixture(scope="session")
def policy() -> Policy:
    return load_policy(PACKS)


@pytest.fixture
def office(tmp_path: Path, sources: dict[str, Source], policy: Policy) -> Office:
    return Office(Home(tmp_path / "home"), {name: sources[name] for name in HEADERS}, policy)
