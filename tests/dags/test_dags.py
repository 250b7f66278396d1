"""The DAGs as Airflow sees them: all there, readable, explained, bounded; no approval answers itself."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tanso.airflow import alerts
from tanso.settings import PROJECT_ROOT

DAG_FILES = sorted((PROJECT_ROOT / "dags").glob("*.py"))
DAG_IDS = {"ingest_extracts", "evaluate_programs", "issue_payouts"}
WRITERS = {"publish_lake", "build", "payout.issue"}
APPROVALS = {"payout.approve", "payout.approve_again"}
HEAVY = ["duckdb", "dbt", "great_expectations", "pandas", "pyarrow", "tanso.ingest.model", "tanso.payouts"]


@pytest.fixture(scope="module")
def dags(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The DAGs of ``dags/``, read with an Airflow home of the tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        patch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        from airflow.dag_processing.dagbag import DagBag

        bag = DagBag(str(PROJECT_ROOT / "dags"), collect_dags=True)
    assert bag.import_errors == {}
    return bag.dags


def test_exactly_these_dags_are_there(dags):
    assert set(dags) == DAG_IDS
    assert {path.stem for path in DAG_FILES} == DAG_IDS


@pytest.mark.parametrize("path", DAG_FILES, ids=lambda path: path.stem)
def test_a_dag_file_is_thin_and_parses_without_the_engine(path: Path, tmp_path: Path):
    assert len(path.read_text("utf-8").splitlines()) < 100
    code = (
        "import runpy, sys, resource; import airflow.sdk; from airflow.providers.standard.operators import hitl; "
        "used = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2]); before = used(); "
        f"runpy.run_path({str(path)!r}); print(used() - before); print(*[m for m in {HEAVY!r} if m in sys.modules])"
    )
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    seconds, heavy = done.stdout.splitlines()[-2:]
    assert heavy == ""
    assert float(seconds) < 2, "CPU seconds to parse the file, Airflow's own import not counted"


def test_dag_files_are_read_without_a_database_and_without_a_home(tmp_path: Path):
    code = (
        "from airflow.dag_processing.dagbag import DagBag; "
        f"bag = DagBag({str(PROJECT_ROOT / 'dags')!r}, collect_dags=True); print(sorted(bag.dags), bag.import_errors)"
    )
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2://nobody@127.0.0.1:1/none",
        "TANSO_HOME": str(tmp_path / "none"),
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == f"{sorted(DAG_IDS)} {{}}", done.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("dag_id", sorted(DAG_IDS))
def test_a_dag_says_what_to_do_when_it_fails(dags, dag_id):
    for what in ("**Does**", "**Takes**", "**Gives**", "**When it fails**"):
        assert what in dags[dag_id].doc_md


def test_every_task_is_bounded_and_says_how_often_it_is_tried(dags):
    for dag in dags.values():
        assert dag.max_active_runs
        for task in dag.tasks:
            arguments = {**dag.default_args, **getattr(task, "partial_kwargs", vars(task))}
            assert arguments["retries"] is not None, task.task_id
            # A person's answer has a time limit of its own.
            limit = "response_timeout" if task.task_id in APPROVALS else "execution_timeout"
            assert arguments[limit], task.task_id
            assert arguments["on_failure_callback"] in (alerts.failed, [alerts.failed])
            assert arguments["retry_exponential_backoff"] and arguments["max_retry_delay"]


def test_approvals_have_a_deadline(dags):
    assert dags["issue_payouts"].deadline[0].interval == timedelta(days=7)


@pytest.mark.parametrize("task_id", sorted(APPROVALS))
def test_nobody_but_a_person_answers_an_approval(dags, task_id):
    approve = dags["issue_payouts"].get_task(task_id)
    assert approve.defaults is None
    assert approve.fail_on_reject is True
    assert approve.retries == 1  # for a lost worker; an answer is final whatever it is
    assert approve.execution_timeout is None


def test_writers_share_one_slot(dags):
    pooled = {task.task_id for dag in dags.values() for task in dag.tasks if task.pool == "duckdb_writer"}
    assert pooled == WRITERS


def test_runs_that_wait_for_a_person_do_not_block_new_ones(dags):
    assert dags["issue_payouts"].max_active_runs > 31  # a daily run, each open for 30 days


def test_assets_join_the_dags(dags):
    given = {
        (dag_id, asset.name)
        for dag_id, dag in dags.items()
        for task in dag.tasks
        for asset in getattr(task, "outlets", [])
    }
    assert given == {
        ("ingest_extracts", "tanso/lake"),
        ("evaluate_programs", "tanso/marts"),
        ("issue_payouts", "tanso/payouts"),
    }
    conditions = {dag_id: getattr(dag.timetable, "asset_condition", None) for dag_id, dag in dags.items()}
    wanted = {
        dag_id: {asset.name for asset in condition.objects} for dag_id, condition in conditions.items() if condition
    }
    assert wanted == {"evaluate_programs": {"tanso/lake", "tanso/payouts"}, "issue_payouts": {"tanso/marts"}}


@pytest.mark.parametrize(
    ("dag_id", "names"),
    [
        ("ingest_extracts", {"sources", "as_of"}),
        ("evaluate_programs", {"as_of", "program", "period", "force"}),
        ("issue_payouts", {"as_of", "program", "period", "despite_failed_sources"}),
    ],
)
def test_params(dags, dag_id, names):
    assert set(dags[dag_id].params) == names


@pytest.mark.parametrize(
    ("dag_id", "name", "wrong"),
    [
        ("ingest_extracts", "as_of", "2022-13-01"),
        ("ingest_extracts", "sources", "kepco"),
        ("ingest_extracts", "sources", [7]),
        ("evaluate_programs", "as_of", "30.06.2022"),
        ("evaluate_programs", "force", "yes"),
        ("issue_payouts", "period", 2022),
    ],
)
def test_a_wrong_value_is_refused(dags, dag_id, name, wrong):
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError):
        dags[dag_id].params.get_param(name).resolve(wrong)


def test_params_explain_themselves(dags):
    for dag in dags.values():
        for name in dag.params:
            param = dag.params.get_param(name)
            assert param.description and param.schema["title"]
