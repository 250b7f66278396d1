"""Data Docs: how each file was judged as a whole, as web pages by Great Expectations' own renderer.

Its pages fetch style and scripts from public servers; these here come without them, and are readable offline.
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tanso import lake_files
from tanso.ingest import names
from tanso.settings import Home

# What needs a public server or a script: gone, with the links to pages that we do not make.
_ONLINE = re.compile(
    r"(?is)<script\b.*?</script>|<style\b.*?</style>|<link\b[^>]*>|<img\b[^>]*>|<footer\b.*?</footer>|<title>.*?</title>"
    r"|<!--.*?-->"
)
_MARK = re.compile("mark[0-9]+x9f3c51e07b")
_RANDOM_ID = re.compile(r"-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # without it the same result is the same page
_STYLE = """\
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
td, th { border-bottom: 1px solid #ddd; padding: .3rem .6rem; text-align: left; vertical-align: top; }
h5 { font-size: 1.1rem; margin: 1.5rem 0 .3rem; border-bottom: 2px solid #888; } h6 { margin: .5rem 0 0; }
.badge { background: #eee; border-radius: 3px; padding: 0 .3rem; font-family: ui-monospace, monospace; }
.text-danger, .critical { color: #b00020; } .text-success { color: #11701a; }
.text-warning, .warning { color: #8a5a00; }
.fa-check-circle::before { content: "\\2713 met"; } .fa-times::before { content: "\\2717 not met"; }
.fa-exclamation-triangle::before { content: "\\26a0 not met"; } i { font-style: normal; }
.sticky, .collapse, a[data-toggle], #ge-cta-footer, .navbar, .cooltip .top { display: none; }
"""


def page_path(home: Home, source_id: str, file_name: str, sha256: str) -> Path:
    return home.data_docs / source_id / names.derived(file_name, sha256, ".html")


def index_path(home: Home) -> Path:
    return home.data_docs / "index.html"


def render(home: Home, judged: Any, files: Sequence[dict[str, Any]]) -> None:
    """Write a page per file. ``judged``: GX's result on a frame with a row per file and the column ``position``.

    Files that met the same expectations have the same page, but for name and figures: it is rendered once, for that
    takes long, with marks where those go.
    """
    failed = [
        {unexpected["position"] for unexpected in result.result.get("unexpected_index_list") or []}
        for result in judged.results
    ]
    columns = [result.expectation_config.kwargs.get("column") for result in judged.results]
    pages: dict[tuple[bool, ...], str] = {}
    for position, file in enumerate(files):
        met = tuple(
            bool(result.success) if column is None else position not in of
            for result, column, of in zip(judged.results, columns, failed, strict=True)
        )
        if met not in pages:
            pages[met] = _rendered(judged, met)
        values = [file["figures"].get(column) if column else 1 for column in columns]
        said = ["nothing to compare with" if value is None else _shown(value) for value in values]
        marks = {_mark(number): text for number, text in enumerate([*said, html.escape(file["file_name"])])}
        page = _MARK.sub(lambda mark, marks=marks: marks[mark[0]], pages[met])
        path = page_path(home, file["source_id"], file["file_name"], file["sha256"])
        lake_files.write_bytes(path, _named(page, file).encode())


def _mark(number: int) -> str:
    return f"mark{number}x9f3c51e07b"  # no page says that


def _rendered(judged: Any, met: Sequence[bool]) -> str:
    """The page of files that met these expectations, with marks for their figures and, as the last one, the name."""
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    results = [
        ExpectationValidationResult(
            success=is_met,
            expectation_config=result.expectation_config,
            result={"observed_value": _mark(number)},
            exception_info={"raised_exception": False, "exception_message": None, "exception_traceback": None},
        )
        for number, (result, is_met) in enumerate(zip(judged.results, met, strict=True))
    ]
    page = ExpectationSuiteValidationResult(
        success=all(met),
        results=results,
        suite_name=judged.suite_name,
        statistics={
            "evaluated_expectations": len(met),
            "successful_expectations": sum(met),
            "unsuccessful_expectations": len(met) - sum(met),
            "success_percent": 100 * sum(met) / len(met),
        },
        meta={"active_batch_definition": {"data_asset_name": _mark(len(met))}, "run_id": None},
    )
    view = DefaultJinjaPageView()
    view._get_template = functools.cache(view._get_template)  # it compiles its templates anew for every part
    return _offline(view.render(ValidationResultsPageRenderer().render(page)))


def write_index(home: Home, checks: Sequence[dict[str, Any]]) -> None:
    """Write the list of all pages: files with findings first."""
    if not checks:
        return
    rows = []
    for check in sorted(checks, key=lambda check: (not check["findings"], check["source_id"], check["file_name"])):
        path = page_path(home, check["source_id"], check["file_name"], check["sha256"])
        link = quote(path.relative_to(home.data_docs).as_posix())
        found = "<br>".join(
            f'<span class="{severity}">{severity}: {finding["figure"]} {finding["value"]:g}</span> '
            f"{html.escape(finding['notes'])}"
            for finding in check["findings"]
            for severity in [finding["severity"]]
        )
        cells = [html.escape(check["source_id"]), f'<a href="{link}">{html.escape(check["file_name"])}</a>', found]
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    body = "<h1>Files judged as a whole</h1><table><tr><th>source</th><th>file</th><th>unusual</th></tr>"
    head = '<meta charset="utf-8"><title>Data Docs</title><link rel="stylesheet" href="style.css">'
    lake_files.write_bytes(home.data_docs / "style.css", _STYLE.encode())
    index = f"<!DOCTYPE html>\n<html><head>{head}</head><body>{body}{chr(10).join(rows)}</table></body></html>\n"
    lake_files.write_bytes(index_path(home), index.encode())


def _shown(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _offline(page: str) -> str:
    """The page without anything that is fetched."""
    page = _RANDOM_ID.sub("", _ONLINE.sub("", page))
    return re.sub(r'<a href="[^"#]*">(.*?)</a>', r"\1", page, flags=re.DOTALL)


def _named(page: str, file: dict[str, Any]) -> str:
    """The page under the file's name."""
    name = html.escape(f"{file['source_id']} / {file['file_name']}")
    page = page.replace("</head>", f'<title>{name}</title><link rel="stylesheet" href="../style.css"></head>', 1)
    return page.replace("<body>", f'<body><p><a href="../index.html">all files</a></p><h1>{name}</h1>', 1)
