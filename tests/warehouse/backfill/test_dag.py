"""The DAG evaluates now, or a past day, never both."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tanso.settings import PROJECT_ROOT, Home


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> dict:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        from airflow.dag_processing.dagbag import DagBag

        bag = DagBag(str(PROJECT_ROOT / "dags" / "evaluate_programs.py"), collect_dags=True)
    return bag.dags["evaluate_programs"].task_dict


def test_a_past_day_leaves_what_is_published_and_starts_no_other_dag(tasks):
    from airflow.sdk.exceptions import AirflowSkipException

    with pytest.raises(AirflowSkipException):  # a skipped task emits no asset event
        tasks["build"].python_callable({"as_of": "2026-06-30", "program": None, "period": None, "force": False})


def test_without_a_past_day_nothing_is_evaluated_again(tasks, home: Home):
    from airflow.sdk.exceptions import AirflowSkipException

    with pytest.raises(AirflowSkipException):
        tasks["backfill"].python_callable({"as_of": None, "program": None, "period": None})
    assert not home.root.exists()


def test_the_parameters_reach_the_back_fill(tasks, home: Home):
    today = datetime.now(UTC).date().isoformat()
    with pytest.raises(ValueError, match=f"{today}.*nothing had been evaluated by then; none is on record"):
        tasks["backfill"].python_callable({"as_of": today, "program": "", "period": None})
