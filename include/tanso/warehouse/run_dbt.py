"""Run the dbt project in this process against files, and leave no connection to them behind."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from tanso import sql
from tanso.files import file_sha256

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

log = logging.getLogger(__name__)

# Parsed projects, by content: parsing takes several times as long as running on little data.
_manifests: dict[str, Manifest] = {}
_one_at_a_time = threading.Lock()  # dbt keeps its flags, adapters and connections in module globals


@dataclass(frozen=True)
class NodeResult:
    """A model or test of one build."""

    name: str
    kind: str  # model | test | ...
    status: str  # success | pass | warn | fail | error | skipped
    seconds: float
    message: str
    path: str = ""  # of the file that declares it, in the project
    query: str = ""  # what was run; of a test, the rows that should not be there

    @property
    def good(self) -> bool:
        return self.status in ("success", "pass", "warn", "no-op")

    def __str__(self) -> str:
        text = f"{self.status:<8} {self.kind} {self.name} ({self.seconds:.2f} s)"
        if self.good or not self.message:
            return text
        # dbt names the file of a model itself.
        return f"{text}: {self.message}" + (f" ({self.path})" if self.kind == "test" and self.path else "")


class DbtError(RuntimeError):
    """dbt could not run at all: the project does not parse, the file does not open."""


def variables(folder: Path) -> dict[str, str]:
    """What ``profiles.yml`` asks for: the folder of the two files, and how much of the machine DuckDB may take.

    Unless set: all cores and 60 % of the memory, of the container where there is one; other steps need some, too.
    """
    with duckdb.connect() as connection:
        threads, limit = sql.first(connection, "select current_setting('threads'), current_setting('memory_limit')")
    memory, unit = limit.split()
    return {
        "TANSO_BUILD": str(folder),
        "TANSO_DUCKDB_THREADS": os.environ.get("TANSO_DUCKDB_THREADS") or str(threads),
        # DuckDB's own limit is 80 %.
        "TANSO_DUCKDB_MEMORY": os.environ.get("TANSO_DUCKDB_MEMORY") or f"{float(memory) * 0.75:.2f} {unit}",
        "TANSO_DUCKDB_TEMP": os.environ.get("TANSO_DUCKDB_TEMP") or str(folder / "spill"),
    }


def parse(project: Path, folder: Path, work: Path) -> Manifest:
    """The project's manifest for ``build``; nothing in ``folder`` is opened, it may be filled meanwhile."""
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    with _one_at_a_time, _environment(**variables(folder)):
        content = _content(project)
        if content not in _manifests:
            parsed = dbtRunner().invoke(["parse", *_common(project, work)])
            if not isinstance(parsed.result, Manifest):
                raise DbtError(f"dbt cannot parse {project}: {parsed.exception}")
            _manifests.clear()
            _manifests[content] = parsed.result
        # A copy: dbt notes in the manifest what it has compiled, and a second build would lack ephemeral models.
        copy: Manifest = _manifests[content].deepcopy()  # type: ignore[no-untyped-call]  # dbt does not say its types here
        return copy


def build(project: Path, folder: Path, work: Path, manifest: Manifest) -> list[NodeResult]:
    """``dbt build`` of models and data tests into ``carried.duckdb`` and ``tanso.duckdb`` (the marts) of ``folder``;
    logs and compiled SQL go to ``work``.

    ``manifest`` is what ``parse`` has made, for this one build. A failing model or test is a result, not an exception.
    """
    from dbt.cli.main import dbtRunner

    with _one_at_a_time, _environment(**variables(folder)):
        try:
            # Unit tests are about the code, not about this data; `make test` runs them.
            arguments = ["build", *_common(project, work), "--exclude-resource-type", "unit_test"]
            done = dbtRunner(manifest=manifest, callbacks=[_log_node]).invoke(arguments)
        finally:
            _forget_connections()
    if done.result is None or not hasattr(done.result, "results"):
        raise DbtError(f"dbt cannot build {project}: {done.exception}")
    return [_result(one) for one in done.result.results]


def docs(project: Path, folder: Path, work: Path) -> Path:
    """dbt's documentation of the project and of what is in the two files of ``folder``, as one HTML file below
    ``work``."""
    from dbt.cli.main import dbtRunner

    with _one_at_a_time, _environment(**variables(folder)):
        try:
            done = dbtRunner().invoke(["docs", "generate", "--static", *_common(project, work)])
        finally:
            _forget_connections()
    if not done.success:
        raise DbtError(f"dbt cannot document {project}: {done.exception}")
    return work / "target" / "static_index.html"


def command(project: Path, folder: Path, work: Path, arguments: list[str]) -> bool:
    """Any dbt command, with dbt's own output, on the two files of ``folder``; whether it succeeded.

    Where things are is set by variables, since not every command takes the options.
    """
    from dbt.cli.main import dbtRunner

    places = {
        "DBT_PROJECT_DIR": project,
        "DBT_PROFILES_DIR": project,
        "DBT_TARGET_PATH": work / "target",
        "DBT_LOG_PATH": work / "logs",
    }
    switches = {
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_VERSION_CHECK": "false",
        # What is carried from build to build holds under the rules that made it, and here the rules change.
        "DBT_FULL_REFRESH": "true",
    }
    with (
        _one_at_a_time,
        _environment(**variables(folder), **{name: str(path) for name, path in places.items()}, **switches),
    ):
        try:
            done = dbtRunner().invoke(arguments)
        finally:
            _forget_connections()
    if done.exception:
        raise DbtError(f"dbt {' '.join(arguments)}: {done.exception}")
    return done.success


def _common(project: Path, work: Path) -> list[str]:
    common = ["--project-dir", str(project), "--profiles-dir", str(project), "--target-path", str(work / "target")]
    common += ["--log-path", str(work / "logs"), "--no-send-anonymous-usage-stats", "--no-use-colors", "--quiet"]
    return [*common, "--no-version-check"]


def _result(one: Any) -> NodeResult:
    node = one.node
    return NodeResult(
        node.name,
        str(node.resource_type),
        str(one.status),
        one.execution_time,
        one.message or "",
        node.original_file_path,
        getattr(node, "compiled_code", None) or "",
    )


def _log_node(event: Any) -> None:
    """One line per finished model or test, as it happens."""
    if event.info.name != "NodeFinished":
        return
    node, result = event.data.node_info, event.data.run_result
    line = NodeResult(node.node_name, node.resource_type, result.status, result.execution_time, result.message)
    log.log(logging.INFO if line.good or line.status == "skipped" else logging.ERROR, "%s", line)


def _content(project: Path) -> str:
    files = [path for path in sorted(project.rglob("*")) if path.is_file()]
    return "\n".join(f"{path.relative_to(project)} {file_sha256(path)}" for path in files)


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _forget_connections() -> None:
    """Close dbt's DuckDB instance: it holds the file open, and a next build would be given the same one."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.adapters.factory import reset_adapters

    reset_adapters()  # type: ignore[no-untyped-call]  # dbt does not say its types here, nor below
    if DuckDBConnectionManager._ENV is not None:
        DuckDBConnectionManager._ENV.close()
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
