"""Evaluate: lake and policy in, published marts out.

A fresh file is built beside the published one and takes its place only when every model is made and every test has
passed. Whatever fails leaves the published files as they were; what failed is kept in ``warehouse/failed/``.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from tanso import lake, leftovers, sql
from tanso.files import keep_to_owner, locked, private_file, private_folder, shared_folder
from tanso.ingest.publish import make_damaged_again
from tanso.ledger import ledger
from tanso.packs import load_sources
from tanso.packs.policy import Policy, load_policy
from tanso.privacy import vault
from tanso.settings import Home
from tanso.warehouse import carry, fingerprint, paid_periods, policies, publish, published, read, run_dbt
from tanso.warehouse.fingerprint import DBT_PROJECT, code_version
from tanso.warehouse.run_dbt import NodeResult

log = logging.getLogger(__name__)


class EvaluationError(RuntimeError):
    """The build failed; the published marts are as they were. ``failures`` are the models and tests that failed."""

    def __init__(self, message: str, failures: tuple[NodeResult, ...] = ()):
        self.failures = failures
        super().__init__(message)


@dataclass(frozen=True)
class EvaluateResult:
    """What an evaluation did."""

    status: str  # built | unchanged
    database: Path
    seconds: float
    fingerprint: str
    nodes: tuple[NodeResult, ...] = ()  # models and tests, in the order they finished; none if unchanged

    def __str__(self) -> str:
        if self.status == "unchanged":
            return f"marts are up to date: {self.database}"
        models = sum(node.kind == "model" for node in self.nodes)
        tests = sum(node.kind == "test" for node in self.nodes)
        return f"built {models} models, passed {tests} tests in {self.seconds:.1f} s: {self.database}"


def evaluate(
    home: Home, roots: list[Path] | None = None, force: bool = False, project: Path = DBT_PROJECT
) -> EvaluateResult:
    """Bring ``warehouse/tanso.duckdb`` up to date with lake, policy, ledger and code.

    ``force`` builds all of it anew, even if nothing has changed. Waits for another evaluation of the same home to end.
    Raises PolicyError (policy is wrong), PeriodUnknown (policy has lost a period that was paid), EvaluationError (a
    model or test failed); all leave the published file alone.
    """
    started = time.monotonic()
    policy, packs = load_policy(roots), policies.files_of(roots)
    shared_folder(home.warehouse)
    vault.check(home)  # returned accounts are compared by keyed hash
    with lock(home):
        leftovers.remove(home.warehouse, home.policies)
        paid_periods.check(home, policy)
        with ledger.lock(home):
            ledger.refresh(home)
        lake_files = _sound_lake(home, roots, policy)
        now = fingerprint.fingerprint(lake_files, policies.policy_sha256(policy, packs), project)
        changed = published.changed(home, with_parquet=True)
        if changed and home.database.exists():
            log.warning("%s. The marts are rebuilt from scratch and published again", changed)
        if not force and not changed and now == read.published_fingerprint(home):
            log.info("marts are up to date (%s)", now[:12])
            policies.record(home, packs, policy, datetime.now(UTC))
            return EvaluateResult("unchanged", home.database, time.monotonic() - started, now)
        nodes = _build(home, policy, packs, lake_files, now, project, anew=force or bool(changed), keep_old=not changed)
        policies.record(home, packs, policy, datetime.now(UTC))
        return EvaluateResult("built", home.database, time.monotonic() - started, now, nodes)


def _sound_lake(home: Home, roots: list[Path] | None, policy: Policy) -> dict[str, str]:
    """The lake's files with their SHA-256; what is not as it was written is made again from what was received."""
    found = lake.hashes(home.lake)
    if lake.damaged(home.lake, found):
        make_damaged_again(home, load_sources(roots), policy)
        found = lake.hashes(home.lake)
        if left := lake.damaged(home.lake, found):
            raise lake.DamagedLake(left[0])
    return found


def _build(
    home: Home,
    policy: Policy,
    packs: dict[str, bytes],
    lake_files: dict[str, str],
    now: str,
    project: Path,
    anew: bool,
    keep_old: bool,
) -> tuple[NodeResult, ...]:
    aside = Home(home.warehouse / ".build")
    private_folder(aside.warehouse)
    built_at = datetime.now(UTC)
    rules = carry.rules_hash(policy.fingerprint, project)
    try:
        work = private_folder(home.warehouse / ".dbt")
        with ThreadPoolExecutor(1) as beside:
            parsing = beside.submit(
                run_dbt.parse, project, aside.warehouse, work
            )  # one processor parses, the other copies
            carry.begin(home, aside, lake_files, rules, anew)
            with duckdb.connect(str(aside.carried)) as connection:
                policy.write(connection)
        nodes = tuple(run_dbt.build(project, aside.warehouse, work, parsing.result()))
        failures = tuple(node for node in nodes if not node.good and node.status != "skipped")
        if failures:
            lines = "\n".join(f"  {node}" for node in failures)
            _keep_queries(home, aside, failures)
            raise EvaluationError(
                f"{len(failures)} models or tests failed, nothing is published:\n{lines}\nThe rows that a test found: "
                f"run its query in {_failed(home) / 'failed.sql'}, which opens what was built, in duckdb.",
                failures,
            )
        made_by = (policies.policy_sha256(policy, packs), rules, policies.layouts_sha256(packs))
        publish.strip(aside, publish.BuildInfo(now, built_at, code_version(), *made_by))
        publish.write_parquet(aside)
        publish.swap_in(home, aside, built_at, keep_old)
    except (run_dbt.DbtError, publish.NotPublishableError) as error:
        _keep_failed(home, aside)
        raise EvaluationError(f"nothing is published: {error}") from error
    except EvaluationError:
        _keep_failed(home, aside)
        raise
    finally:
        shutil.rmtree(aside.root, ignore_errors=True)
    shutil.rmtree(_failed(home), ignore_errors=True)
    return nodes


def _failed(home: Home) -> Path:
    return home.warehouse / "failed"


def _keep_queries(home: Home, built: Home, failures: tuple[NodeResult, ...]) -> None:
    """Keep what the failed models and tests asked, so that it can be asked of what was built."""
    kept = private_folder(_failed(home))
    parts = [
        f"attach if not exists {sql.text(kept / path.name)} as {path.stem} (read_only);"
        for path in (built.database, built.carried)
    ]
    parts += [f"-- {node.kind} {node.name}\n{node.query.strip()};" for node in failures]
    with private_file(kept / "failed.sql") as file:
        file.write(("\n\n".join(parts) + "\n").encode())


def _keep_failed(home: Home, built: Home) -> None:
    """Keep what was built for whoever looks into the failure; the next good build removes it."""
    for path in (built.database, built.carried):
        if path.exists():
            keep_to_owner(path).replace(private_folder(_failed(home)) / path.name)
    log.error("what was built is in %s", _failed(home))


@contextmanager
def lock(home: Home) -> Iterator[None]:
    """One at a time writes to ``warehouse/``. The lock goes with the process, so a killed one leaves none behind."""
    path = home.warehouse / ".lock"
    with ExitStack() as held:
        try:
            held.enter_context(locked(path, wait=False))
        except BlockingIOError:
            log.info("another evaluation is running, waiting for it to end")
            held.enter_context(locked(path))
        yield
