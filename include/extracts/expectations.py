"""Files as a whole, judged by Great Expectations on figures of one pass.

``expectations/<kind>.json`` says what is usual.

A finding (``critical`` or ``warning``) stops nothing: it is stored beside the file's result and reported. Files refused
whole are not judged again.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from include.extracts import lake_files
from include.extracts.kinds import StagedFile
from include.packs.sources import Source
from include.settings import PROJECT_ROOT

SUITES = PROJECT_ROOT / "expectations"
_BEFORE = 12  # files that a file is compared with
_ENOUGH = 3


def check_files(accepted: Sequence[tuple[Source, Sequence[StagedFile]]]) -> list[dict[str, Any]]:
    """Findings on all accepted files: source_id, file_name, severity, figure, value, expected, notes.

    Files whose figures and suite are unchanged since their last check are not checked again; Great Expectations, which
    is slow to import, is imported only if some are left.
    """
    waiting: dict[str, list[dict[str, Any]]] = defaultdict(list)
    checks: list[tuple[Path, dict[str, Any]]] = []
    for source, files in accepted:
        suite = SUITES / f"{source.kind}.json"
        if not suite.exists():
            continue
        rules = json.loads(suite.read_text(encoding="utf-8"))
        for position, file in enumerate(files):
            path = file.path.with_suffix(".checks.json")
            check = {"figures": _figures(file, files[:position]), "suite": rules}
            stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
            if {key: stored.get(key) for key in check} == check:
                check = stored
            else:
                check["findings"] = []
                waiting[source.kind].append({"source_id": source.source_id, "file_name": file.file_name} | check)
            checks.append((path, check))
    for kind, files_of_kind in waiting.items():
        _judge(kind, files_of_kind)
    for path, check in checks:
        lake_files.write_json(check, path)
    return [finding for _, check in checks for finding in check["findings"]]


def _figures(file: StagedFile, before: Sequence[StagedFile]) -> dict[str, Any]:
    """rows, bad_share, duplicate_share, rows_ratio (null without enough files before), of readings estimated_share."""
    rows = file.result["rows_read"]
    earlier = [other.result["rows_read"] for other in before[-_BEFORE:]]
    figures = {
        "rows": rows,
        "bad_share": file.result["rows_quarantined"] / rows,
        "duplicate_share": file.result["rows_duplicate"] / rows,
        "rows_ratio": rows / median(earlier) if len(earlier) >= _ENOUGH else None,
    }
    if readings := file.result["figures"].get("readings"):
        figures["estimated_share"] = file.result["figures"]["estimated"] / readings
    return figures


def _judge(kind: str, files: list[dict[str, Any]]) -> None:
    """Add to each file's ``findings`` what its figures are not."""
    os.environ["GX_ANALYTICS_ENABLED"] = "False"  # read at import
    import great_expectations as gx
    import pandas as pd

    suite = files[0]["suite"]
    columns = {rule["kwargs"]["column"] for rule in suite["expectations"] if "column" in rule["kwargs"]}
    frame = pd.DataFrame({column: [file["figures"].get(column) for file in files] for column in sorted(columns)})
    frame = frame.astype("float64")
    frame["position"] = range(len(files))
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("figures").add_dataframe_asset(kind)
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    judged = batch.validate(
        gx.ExpectationSuite(**suite),
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["position"]},
    )
    for result in judged.results:
        config = result.expectation_config
        if result.exception_info.get("raised_exception"):
            raise ValueError(f"{SUITES / kind}.json: {config.type}: {result.exception_info['exception_message']}")
        column = config.kwargs.get("column")
        for unexpected in result.result.get("unexpected_index_list") or []:
            file = files[unexpected["position"]]
            file["findings"].append(
                {
                    "source_id": file["source_id"],
                    "file_name": file["file_name"],
                    "severity": config.severity.value,
                    "figure": column,
                    "value": round(float(unexpected[column]), 4),
                    "expected": {key: config.kwargs[key] for key in ("min_value", "max_value") if key in config.kwargs},
                    "notes": config.notes,
                }
            )
