"""Data Docs: how each file was judged as a whole, as web pages made of Great Expectations' results.

Great Expectations' own pages fetch style and scripts from public servers and take long to render; these need neither.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tanso import lake_files
from tanso.ingest import names
from tanso.settings import Home

_STYLE = """\
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
td, th { border-bottom: 1px solid #ddd; padding: .3rem .6rem; text-align: left; vertical-align: top; }
.critical { color: #b00020; } .met { color: #11701a; } .warning { color: #8a5a00; }
"""


def page_path(home: Home, source_id: str, file_name: str, sha256: str) -> Path:
    return home.data_docs / source_id / names.derived(file_name, sha256, ".html")


def index_path(home: Home) -> Path:
    return home.data_docs / "index.html"


def write_pages(home: Home, judged: Any, files: Sequence[dict[str, Any]]) -> None:
    """Write a page per file. ``judged``: GX's result on a frame with a row per file and the column ``position``."""
    file_page = _template().file_page
    failed = [
        {unexpected["position"] for unexpected in result.result.get("unexpected_index_list") or []}
        for result in judged.results
    ]
    for position, file in enumerate(files):
        rows = [
            _row(result, file["figures"], position not in of)
            for result, of in zip(judged.results, failed, strict=True)
            if "column" in result.expectation_config.kwargs
        ]
        name = f"{file['source_id']} / {file['file_name']}"
        page = file_page(name, all(row["is_met"] for row in rows), rows)
        path = page_path(home, file["source_id"], file["file_name"], file["sha256"])
        lake_files.write_bytes(path, str(page).encode())


def write_index(home: Home, checks: Sequence[dict[str, Any]]) -> None:
    """Write the list of all pages: files with findings first."""
    if not checks:
        return
    files = []
    for check in sorted(checks, key=lambda check: (not check["findings"], check["source_id"], check["file_name"])):
        path = page_path(home, check["source_id"], check["file_name"], check["sha256"])
        findings = [{**finding, "value": f"{finding['value']:g}"} for finding in check["findings"]]
        files.append({**check, "link": quote(path.relative_to(home.data_docs).as_posix()), "findings": findings})
    lake_files.write_bytes(home.data_docs / "style.css", _STYLE.encode())
    lake_files.write_bytes(index_path(home), str(_template().index_page(files)).encode())


@functools.cache
def _template() -> Any:
    """The macros of ``data_docs.html``."""
    import jinja2

    places = jinja2.FileSystemLoader(Path(__file__).parent)
    pages = jinja2.Environment(loader=places, autoescape=True, undefined=jinja2.StrictUndefined)
    return pages.get_template("data_docs.html").module


def _row(result: Any, figures: dict[str, float | None], is_met: bool) -> dict[str, Any]:
    """An expectation about a figure, as the page shows it."""
    config = result.expectation_config
    value = figures.get(config.kwargs["column"])
    bounds = {"at least": config.kwargs.get("min_value"), "at most": config.kwargs.get("max_value")}
    return {
        "figure": config.kwargs["column"],
        "expected": " and ".join(f"{word} {bound:g}" for word, bound in bounds.items() if bound is not None),
        "found": "nothing to compare with" if value is None else f"{value:.4f}".rstrip("0").rstrip("."),
        "is_met": is_met,
        "severity": config.severity.value,
        "notes": config.notes,
    }
