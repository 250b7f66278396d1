"""Files as a whole, judged by Great Expectations on figures of one pass.

``expectations/<kind>.json`` says what is usual; ``reports/data_docs/`` shows how each file was judged.

A finding (``critical`` or ``warning``) stops nothing: it is stored beside the file's result and reported. Files refused
whole are not judged again.
"""

from __future__ import annotations

import json
import logging
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from tanso import lake_files
from tanso.files import DamagedFile, read_hashed
from tanso.ingest.model import StagedFile
from tanso.ingest.verdicts import data_docs
from tanso.packs.sources import Source
from tanso.settings import PROJECT_ROOT, Home

SUITES = PROJECT_ROOT / "expectations"
_BEFORE = 12  # months, or files, that a file is compared with
_ENOUGH = 3


def check_files(home: Home, accepted: Sequence[tuple[Source, Sequence[StagedFile]]]) -> list[dict[str, Any]]:
    """Findings on all accepted files: source_id, file_name, severity, figure, value, expected, notes.

    Files whose figures and suite are unchanged since their last check are not checked again; Great Expectations, which
    is slow to import, is imported only if some are left.
    """
    waiting: dict[str, list[dict[str, Any]]] = defaultdict(list)
    checks: list[dict[str, Any]] = []
    new: list[tuple[Path, dict[str, Any]]] = []
    behind = _months_behind(accepted)
    for source, files in accepted:
        suite = SUITES / f"{source.kind}.json"
        if not suite.exists():
            continue
        rules = json.loads(suite.read_text(encoding="utf-8"))
        before = _Before()
        for file in files:
            path = file.path.with_suffix(".checks.json")
            page = data_docs.page_path(home, source.source_id, file.file_name, file.sha256)
            known = {"source_id": source.source_id, "file_name": file.file_name, "sha256": file.sha256}
            figures = before.figures(file) | {"months_behind": behind.get(file.path)}
            check = known | {"figures": figures, "suite": rules}
            stored = _stored(path)
            if {key: stored.get(key) for key in check} == check and page.exists():
                check = stored
            else:
                check["findings"] = []
                waiting[source.kind].append(check)
                new.append((path, check))
            checks.append(check)
    for kind, files_of_kind in waiting.items():
        _judge(home, kind, files_of_kind)
    data_docs.write_index(home, checks)
    for path, check in new:
        lake_files.write_hashed_json(check, path)
    return [finding for check in checks for finding in check["findings"]]


def _stored(path: Path) -> dict[str, Any]:
    try:
        return read_hashed(path)
    except (FileNotFoundError, DamagedFile):
        return {}


class _Before:
    """What a file is compared with: the files of its source before it."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        # Utility -> month -> readings and median of the largest file, which speaks for the month.
        self._months: dict[str, dict[str, tuple[int, float]]] = {}

    def figures(self, file: StagedFile) -> dict[str, Any]:
        """rows_accepted, bad_share, duplicate_share; of readings estimated_share, customers_ratio, usage_ratio; of
        others rows_ratio. A ratio is null without enough months (files) before to compare with. From now on the file
        is one of those before."""
        rows = file.result["rows_read"]
        figures = {
            "rows_accepted": rows - file.result["rows_quarantined"] - file.result["rows_duplicate"],
            "bad_share": file.result["rows_quarantined"] / rows,
            "duplicate_share": file.result["rows_duplicate"] / rows,
        }
        if "by_month" in file.result["figures"]:
            readings = file.result["figures"]["readings"]
            figures["estimated_share"] = file.result["figures"]["estimated"] / readings if readings else None
            return figures | self._against_months(file.result["figures"]["by_month"])
        earlier = self._rows[-_BEFORE:]
        self._rows.append(rows)
        return figures | {"rows_ratio": rows / median(earlier) if len(earlier) >= _ENOUGH else None}

    def _against_months(self, own: dict[str, dict[str, list[Any]]]) -> dict[str, float | None]:
        """The file's newest month against the months before, of the utility that differs most.

        customers_ratio: customers known for it (a correction of a few rows takes none away) by their usual number.
        usage_ratio: 1 if the median usage is within the range of the months before, else how far above or below it is.
        """
        for month, utilities in own.items():
            for utility, (count, middle) in utilities.items():
                months = self._months.setdefault(utility, {})
                months[month] = max(months.get(month, (0, 0.0)), (count, float(middle)))
        newest = max(own, default="")
        customers, usual = [], []
        for utility, (count, middle) in own[newest].items() if own else ():
            months = self._months[utility]
            earlier = [months[month] for month in sorted(month for month in months if month < newest)[-_BEFORE:]]
            if len(earlier) >= _ENOUGH:
                customers.append(max(count, months[newest][0]) / median(known for known, _ in earlier))
                lowest, highest = min(used for _, used in earlier), max(used for _, used in earlier)
                if highest > 0:
                    within = max(float(middle) / highest, 1.0)
                    usual.append(within * (min(float(middle) / lowest, 1.0) if lowest else 1.0))
        return {"customers_ratio": _farthest(customers), "usage_ratio": _farthest(usual)}


def _farthest(ratios: Sequence[float]) -> float | None:
    """The ratio that is farthest from 1, half as far as double."""
    farthest = max(ratios, key=lambda ratio: max(ratio, 1 / ratio if ratio else float("inf")), default=None)
    return None if farthest is None else round(farthest, 6)


def _months_behind(accepted: Sequence[tuple[Source, Sequence[StagedFile]]]) -> dict[Path, int]:
    """Of each source's newest month of readings (by the file that has it): how many months another source of the
    programme is ahead. Not by the clock: a run on old files finds what a run in those days would have found."""
    newest: dict[Path, tuple[str, int]] = {}
    for source, files in accepted:
        dated = [
            (max(file.result["figures"]["months"]), file.path) for file in files if file.result["figures"].get("months")
        ]
        if dated:
            month, path = max(dated)
            newest[path] = (source.program_id, int(month[:4]) * 12 + int(month[5:]))
    ahead = {program: max(month for of, month in newest.values() if of == program) for program, _ in newest.values()}
    return {path: ahead[program] - month for path, (program, month) in newest.items()}


def _judge(home: Home, kind: str, files: list[dict[str, Any]]) -> None:
    """Add to each file's ``findings`` what its figures are not, and render its page."""
    os.environ["GX_ANALYTICS_ENABLED"] = "False"  # read at import
    import great_expectations as gx
    import pandas as pd
    from great_expectations.data_context.types.base import ProgressBarsConfig

    suite = files[0]["suite"]
    columns = {rule["kwargs"]["column"] for rule in suite["expectations"] if "column" in rule["kwargs"]}
    frame = pd.DataFrame({column: [file["figures"].get(column) for file in files] for column in sorted(columns)})
    frame = frame.astype("float64")
    frame["position"] = range(len(files))
    logging.getLogger("great_expectations.data_context.types.base").setLevel(
        logging.WARNING
    )  # it tells of folders it makes and leaves empty
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("figures").add_dataframe_asset(kind)
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    judged = batch.validate(
        gx.ExpectationSuite(**suite),
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["position"]},
    )
    for result in judged.results:
        config = result.expectation_config
        assert config  # each result is of an expectation of the suite
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
    data_docs.write_pages(home, judged, files)
