"""
### Work out reductions, points and payouts

**Does** Check the policy of every pack, then run all dbt models and tests into a database file of its own and, when
every check passes, put it in the place of `warehouse/tanso.duckdb`. If lake, policy, ledger and code are those of
the published file, it keeps that and says so.

Started by hand with `as_of` it evaluates a past day again instead, with the files, policy and batches that were known
by its end, into `backfill/<as_of>/`; what is published stays, and nothing else is started.

**Takes** `lake/`, the packs' `policy/*.csv`, issued batches (`exports/`).

**Gives** `warehouse/tanso.duckdb`; asset `tanso/marts`, which starts `issue_payouts`.

**When it fails** The published marts stay as they were, and nobody is paid on the failed build. `check_policy`
names the table, row and column to mend; `build` names the dbt model or test, and leaves the rejected build for a
look. Running it again is safe.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from tanso.airflow import assets
from tanso.airflow.names import WRITER_POOL


@dag(
    schedule=(assets.LAKE | assets.PAYOUTS),
    catchup=False,
    max_active_runs=1,
    default_args=assets.DEFAULT_ARGS,
    doc_md=__doc__,
    tags=["tanso", "evaluate"],
    params={
        "as_of": Param(
            None,
            type=["null", "string"],
            format="date",
            title="As of",
            description="A past day, YYYY-MM-DD, to evaluate again as it was by its end, in the programme's time zone. "
            "Empty: evaluate now.",
        ),
        "program": Param(
            None,
            type=["null", "string"],
            title="Programme",
            description="With as of: the program_id whose figures are written out. Empty: all.",
        ),
        "period": Param(
            None,
            type=["null", "string"],
            title="Period",
            description="With as of: the period_id whose figures are written out, such as 2021H1. Empty: all.",
        ),
        "force": Param(
            False,
            type="boolean",
            title="Force",
            description="Make all of it anew, also when lake, policy, ledger and code are as published.",
        ),
    },
)
def evaluate_programs():
    @task(execution_timeout=timedelta(minutes=5))
    def check_policy() -> str:
        from tanso.steps import check_policy

        return check_policy()

    @task(pool=WRITER_POOL, outlets=[assets.MARTS], execution_timeout=timedelta(hours=4))
    def build(params: dict, triggering_asset_events=None, outlet_events=None) -> str:
        from tanso.steps import evaluate

        if params["as_of"]:
            raise AirflowSkipException("A past day is asked for; what is published stays.")
        day = assets.as_of({}, triggering_asset_events)
        outlet_events[assets.MARTS].extra = {
            "as_of": assets.passed_on(day),
            "only_batches_are_new": assets.only_batches_are_new(triggering_asset_events),
        }
        return evaluate(params["force"], day)

    @task(execution_timeout=timedelta(hours=4))
    def backfill(params: dict) -> str:
        from tanso.steps import backfill

        if not params["as_of"]:
            raise AirflowSkipException("No past day is asked for.")
        return backfill(params["as_of"], params["program"], params["period"])

    check_policy() >> build()
    backfill()


evaluate_programs()
