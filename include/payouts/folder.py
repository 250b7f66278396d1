"""A batch's folder: its files, its manifest, and the comparison of what lies on disk with what was decided."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import duckdb

from include.payouts import control, csv_files, files, pain001, pdf_files
from include.payouts.csv_files import Substitution
from include.payouts.decision import rows
from include.payouts.layouts import Layout
from include.payouts.propose import Proposal
from include.settings import Home


class BatchError(RuntimeError):
    """What was written is not what was decided; nothing was issued."""


def write(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    layout: Layout,
    current: Proposal,
    head: files.Head,
    folder: Path,
    approved_by: str,
) -> list[Substitution]:
    """Write all files and the manifest of a batch; the characters that an encoding lacks."""
    written, substitutions = files.write(connection, home, layout, head, folder)
    named = "program_id, period_id, getvariable('batch_id') as batch_id"
    connection.execute("set variable batch_id = ?", [head.batch_id])
    connection.sql(f"select {named}, * exclude (program_id, period_id) from line order by line_no").write_parquet(
        str(folder / "lines.parquet")
    )
    written.append(files.Written("lines.parquet", current.lines, current.amount))
    if current.lists:
        connection.sql(
            f"select {named}, list, region_code, item, stage from due_list order by list, region_code, item, stage"
        ).write_parquet(str(folder / "listed.parquet"))
        items = sum(listed["items"] for listed in current.lists)
        written.append(files.Written("listed.parquet", items, None))
    pays = {file.name: file.incentive_type for file in layout.files if file.pays and file.format == "csv"}
    paid = [
        {"region_code": Path(file.path).parent.name, "incentive_type": pays[name], "amount": file.amount}
        for file in written
        if (name := Path(file.path).name) in pays
    ]
    totals = control.totals(connection, current, paid, folder / "lines.parquet")
    count = control.write(connection, folder / control.NAME, totals, current, head)
    written.append(files.Written(control.NAME, count, None))
    manifest = {
        "batch_id": head.batch_id,
        "program_id": head.program_id,
        "period_id": head.period_id,
        "as_of": current.as_of.isoformat(),
        "approved_by": approved_by,
        "issued_at": head.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "code_version": current.code_version,
        "policy_sha256": current.policy_sha256,
        "lines": current.lines,
        "amount": current.amount,
        "currency": head.currency,
        "files": [
            {"path": file.path, "rows": file.rows, "amount": file.amount, "sha256": _sha256(folder / file.path)}
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
    lines = connection.execute(
        "select count(*), coalesce(sum(amount), 0)::bigint, count(distinct participant_id), "
        "coalesce(min(amount), 1) > 0 from read_parquet(?)",
        [str(folder / "lines.parquet")],
    ).fetchone()
    _same("lines.parquet", lines, (manifest["lines"], manifest["amount"], manifest["lines"], True))
    _same("totals", (sum(t["lines"] for t in totals), sum(t["amount"] for t in totals)), lines[:2])
    by_name = {file.name: file for file in layout.files}
    paid: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for entry in manifest["files"]:
        path = folder / entry["path"]
        _same(f"{entry['path']}: SHA-256", _sha256(path), entry["sha256"])
        if path.suffix == ".parquet":
            continue
        if entry["path"] == control.NAME:
            continue
        file = by_name.get(path.name)
        if path.suffix == ".pdf":
            _same(f"{entry['path']}: pages", pdf_files.pages(path), entry["rows"])
            continue
        if file is not None and file.format != "csv":
            transfers, amount, stated = pain001.read(path)
            _same(entry["path"], (transfers, amount, stated), (entry["rows"], entry["amount"], entry["amount"]))
            continue
        header, data = csv_files.read(path.read_bytes(), layout.encoding)
        _same(f"{entry['path']}: rows", len(data), entry["rows"])
        if file is not None and file.pays:
            column = header.index(next(title for title, field in file.columns.items() if field == "amount"))
            amount = sum(int(row[column]) for row in data)
            _same(f"{entry['path']}: amount", amount, entry["amount"])
            paid.setdefault((path.parent.name, file.incentive_type), []).append((len(data), amount))
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


def _totals(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
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


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(folder: Path) -> None:
    """Everything below the folder on disk, readable by its owner alone."""
    for path in sorted(folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        sync_folder(path)
    sync_folder(folder)


def sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
