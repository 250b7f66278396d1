"""A batch's folder: its files, its manifest, and the comparison of what lies on disk with what was decided."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC
from pathlib import Path
from typing import Any, BinaryIO

import duckdb

from tanso import sql
from tanso.cells import CUT, Substitution
from tanso.files import file_sha256, sync
from tanso.payouts.files import control, csv_files, pain001, pdf_files, region_files, xlsx_files, zengin
from tanso.payouts.files.declared_files import TABLES, File
from tanso.payouts.files.layouts import Layout
from tanso.payouts.propose import Proposal
from tanso.settings import Home
from tanso.sql import Row, rows


class BatchError(RuntimeError):
    """What was written is not what was decided; nothing was issued."""


def write(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    layout: Layout,
    current: Proposal,
    head: region_files.Head,
    folder: Path,
    approved_by: str,
) -> list[Substitution]:
    """Write all files and the manifest of a batch; the characters that a file cannot show."""
    written, substitutions = region_files.write(connection, home, layout, head, folder)
    named = "program_id, period_id, getvariable('batch_id') as batch_id"
    connection.execute("set variable batch_id = ?", [head.batch_id])
    connection.sql(f"select {named}, * exclude (program_id, period_id) from line order by line_no").write_parquet(
        str(folder / "lines.parquet")
    )
    written.append(region_files.Written("lines.parquet", current.lines, current.amount))
    delivered = sql.scalar(connection, "select count(*) from delivery")
    if delivered:
        connection.sql(f"select {named}, line_no, address_key from delivery order by line_no").write_parquet(
            str(folder / "delivered.parquet")
        )
        written.append(region_files.Written("delivered.parquet", delivered, None))
    if current.lists:
        connection.sql(
            f"select {named}, list, region_code, item, stage from due_list order by list, region_code, item, stage"
        ).write_parquet(str(folder / "listed.parquet"))
        items = sum(listed["items"] for listed in current.lists)
        written.append(region_files.Written("listed.parquet", items, None))
    paid = [
        {"region_code": file.pays[0], "incentive_type": file.pays[1], "amount": file.amount}
        for file in written
        if file.pays
    ]
    totals = control.totals(connection, current, paid, folder / "lines.parquet")
    cut = sorted({lost.participant_id for lost in substitutions if lost.written_as == CUT})
    count = control.write(connection, folder / control.NAME, totals, current, head, cut)
    written.append(region_files.Written(control.NAME, count, None))
    manifest = {
        "batch_id": head.batch_id,
        "program_id": head.program_id,
        "period_id": head.period_id,
        "as_of": current.as_of.isoformat(),
        "approved_by": approved_by,
        "issued_at": head.issued_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "code_version": current.code_version,
        "policy_sha256": current.policy_sha256,
        "lines": current.lines,
        "amount": current.amount,
        "currency": head.currency,
        "files": [
            {"path": file.path, "rows": file.rows, "amount": file.amount, "sha256": file_sha256(folder / file.path)}
            for file in sorted(written, key=lambda file: file.path)
        ],
        "totals": _totals(connection),
        "overpaid": current.overpaid,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", "utf-8")
    return substitutions


def read_back(connection: duckdb.DuckDBPyConnection, layout: Layout, folder: Path) -> None:
    """Compare everything on disk with the decision: rows, sums and bytes of files, lines and manifest.

    Raises BatchError naming what differs.
    """
    totals = _totals(connection)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    _same("files", {f["path"] for f in manifest["files"]} | {"manifest.json"}, set(paths(folder)))
    lines = sql.first(
        connection,
        "select count(*), coalesce(sum(amount), 0)::bigint, count(distinct participant_id), "
        "coalesce(min(amount), 1) > 0 from read_parquet(?)",
        [str(folder / "lines.parquet")],
    )
    _same("lines.parquet", lines, (manifest["lines"], manifest["amount"], manifest["lines"], True))
    _same("totals", (sum(t["lines"] for t in totals), sum(t["amount"] for t in totals)), lines[:2])
    paid: dict[tuple[str, str], list[tuple[int, int | None]]] = {}
    for entry in manifest["files"]:
        path = folder / entry["path"]
        _same(f"{entry['path']}: SHA-256", file_sha256(path), entry["sha256"])
        if path.parent == folder:
            continue  # lines, lists and control report: no region's
        region = path.parent.name
        file = layout.file(region, path.name.removesuffix(layout.seal.suffix(region)))
        if file is None:
            raise BatchError(f"Read back, {entry['path']}: no file of payouts.yml has that name; nothing was issued")
        with layout.seal.open(path) as content:
            rows, amount = _contents(file, content)
        _same(f"{entry['path']}: {'pages' if file.format == 'pdf' else 'rows'}", rows, entry["rows"])
        _same(f"{entry['path']}: amount", amount, entry["amount"])
        if file.incentive_type and file.format in TABLES:
            paid.setdefault((region, file.incentive_type), []).append((rows, amount))
    expected = {(t["region_code"], t["incentive_type"]): [(t["lines"], t["amount"])] for t in totals}
    _same("what the files pay per region and incentive type", paid, expected)
    shown = [
        {name: t[name] for name in ("region_code", "incentive_type", "lines")}
        | dict.fromkeys(("computed", "proposed", "files", "ledger"), t["amount"])
        for t in totals
    ]
    _same(f"{control.NAME}: totals", control.read(folder / control.NAME), shown)
    sums = (manifest["lines"], *[manifest["amount"]] * 4)
    _same(f"{control.NAME}: sums", control.read_sum(folder / control.NAME), sums)


def _contents(file: File, content: BinaryIO) -> tuple[int, int | None]:
    """Rows (or pages) of a file and what it pays, as whoever gets it would read them."""
    if file.format == "pdf":
        return pdf_files.pages(content), None
    if file.format == "zengin":
        count, total, *stated = zengin.read(content)
        _same(f"{file.name}: trailer", [count, total], stated)
        return count, total
    if file.format not in TABLES:
        count, total, stated_sum = pain001.read(content)
        _same(f"{file.name}: sum", total, stated_sum)
        return count, total
    data: Iterable[list[Any]]
    if file.format == "csv":
        data = csv_files.read(content, file.encoding, file.header)
    else:
        data = xlsx_files.read(content, file.header)
    shown = [column.field for column in file.columns.values()]
    place = shown.index("amount") if file.pays else None
    count = total = 0
    for row in data:
        count += 1
        if place is not None:
            total += int(row[place])
    return count, total if file.pays else None


def _totals(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    return rows(
        connection,
        "select region_code, incentive_type, count(*) as lines, sum(amount)::bigint as amount "
        "from line group by all order by all",
    )


def _same(what: str, found: Any, expected: Any) -> None:
    if found != expected:
        raise BatchError(f"Read back, {what}: {found} instead of {expected}; nothing was issued")


def paths(folder: Path) -> list[str]:
    """All files of a batch, sorted, relative to its folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def sync_tree(folder: Path) -> None:
    """Everything below the folder on disk, readable by its owner alone."""
    for path in sorted(folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        sync(path)
    sync(folder)
