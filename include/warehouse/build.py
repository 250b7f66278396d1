"""Evaluate: lake and policy in, published marts out.

A fresh file is built beside the published one and takes its place only when every model is made and every test has
passed. Whatever fails leaves the published file as it was; the failed file is kept as ``warehouse/failed.duckdb``.
"""

from __future__ import annotations

import fcntl
import logging
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from include import lake, leftovers, on_disk
from include.extracts import vault
from include.extracts.publish import make_damaged_again
from include.packs import load_sources
from include.packs.policy import Policy, load_policy
from include.payouts import ledger
from include.settings import Home
from include.warehouse import carry, fingerprint, paid_periods, policies, publish, read, run_dbt
from include.warehouse.fingerprint import DBT_PROJECT, code_version
from include.warehouse.run_dbt import NodeResult

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
    on_disk.shared_folder(home.warehouse)
    vault.check(home)  # returned accounts are compared by keyed hash
    with lock(home):
        leftovers.remove(home.warehouse, home.policies)
        paid_periods.check(home, policy)
        with ledger.lock(home):
            ledger.refresh(home)
        lake_files = _sound_lake(home, roots, policy)
        now = fingerprint.fingerprint(lake_files, policies.policy_sha256(policy, packs), project)
        if not force and now == read.published_fingerprint(home):
            log.info("marts are up to date (%s)", now[:12])
            policies.record(home, packs, policy, datetime.now(UTC))
            return EvaluateResult("unchanged", home.database, time.monotonic() - started, now)
        nodes = _build(home, policy, packs, lake_files, now, project, anew=force)
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
) -> tuple[NodeResult, ...]:
    aside = home.warehouse / ".build"
    on_disk.private_folder(aside)  # it holds meters, the file to be published too until it is stripped
    database = aside / home.database.name
    built_at = datetime.now(UTC)
    rules = carry.rules_hash(policy.fingerprint, project)
    try:
        work = on_disk.private_folder(home.warehouse / ".dbt")
        with ThreadPoolExecutor(1) as beside:
            parsing = beside.submit(run_dbt.parse, project, database, work)  # one processor parses, the other copies
            carry.begin(home, database, lake_files, rules, anew)
            with duckdb.connect(str(database)) as connection:
                policy.write(connection)
        nodes = tuple(run_dbt.build(project, database, work, parsing.result()))
        failures = tuple(node for node in nodes if not node.good and node.status != "skipped")
        if failures:
            lines = "\n".join(f"  {node}" for node in failures)
            _keep_queries(home, database, failures)
            raise EvaluationError(
                f"{len(failures)} models or tests failed, nothing is published:\n{lines}\nThe rows that a test found: "
                f"run its query in {home.warehouse / 'failed.sql'} on failed.duckdb beside it.",
                failures,
            )
        made_by = (policies.policy_sha256(policy, packs), rules, policies.layouts_sha256(packs))
        publish.strip(database, publish.BuildInfo(now, built_at, code_version(), *made_by))
        publish.swap_in(home, database, built_at)
    except (run_dbt.DbtError, publish.NotPublishableError) as error:
        _keep_failed(home, database)
        raise EvaluationError(f"nothing is published: {error}") from error
    except EvaluationError:
        _keep_failed(home, database)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    for name in ("failed.duckdb", "failed.sql"):
        (home.warehouse / name).unlink(missing_ok=True)
    return nodes


def _keep_queries(home: Home, database: Path, failures: tuple[NodeResult, ...]) -> None:
    """Keep what the failed models and tests asked, so that it can be asked of ``failed.duckdb``."""
    # The file has another name there, so its own is taken out of the names of tables.
    own = f'"{database.stem}".'
    queries = [f"-- {node.kind} {node.name}\n{node.query.replace(own, '').strip()};" for node in failures]
    with on_disk.private_file(home.warehouse / "failed.sql") as file:
        file.write(("\n\n".join(queries) + "\n").encode())


def _keep_failed(home: Home, database: Path) -> None:
    """Keep what was built for whoever looks into the failure; the next good build removes it."""
    if database.exists():
        on_disk.keep_to_owner(database).replace(home.warehouse / "failed.duckdb")
        log.error("what was built is in %s", home.warehouse / "failed.duckdb")


@contextmanager
def lock(home: Home) -> Iterator[None]:
    """One at a time writes to ``warehouse/``. The lock goes with the process, so a killed one leaves none behind."""
    with on_disk.private_file(home.warehouse / ".lock") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("another evaluation is running, waiting for it to end")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
