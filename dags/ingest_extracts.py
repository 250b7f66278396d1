"""
### Take what providers sent into the lake

**Does** For every declared source: pull new files from where they lie, keep their bytes in `landing/`, read them,
refuse bad rows and files, and stage the rest. Then publish the lake: for each meter and month the version in force.

**Takes** the files of `inbox/<source_id>/` (or wherever the source's YAML says).

**Gives** `lake/`, `vault/`, `quarantine/`, `rejected/`; asset `tanso/lake`, which starts `evaluate_programs`.

**When it fails** A task `ingest_source [<source_id>]` that fails stops only its own source: the others are
published, and `report_failed_sources` fails the run so that it is seen. Of its programme nothing is proposed until it
is taken, or a person starts `issue_payouts` with `despite_failed_sources`. Nothing of the failed source is lost or
half-taken: fix what the log names and start the DAG again, with `sources` set to that source if you like. Refused
rows and files are no failure: see `make summary`. Running it again takes nothing twice.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from tanso.airflow.assets import AS_OF, DEFAULT_ARGS, LAKE, as_of, passed_on
from tanso.airflow.names import WRITER_POOL


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
    tags=["tanso", "ingest"],
    params={
        "sources": Param(
            None,
            type=["null", "array"],
            items={"type": "string"},
            title="Sources",
            description="Ids of the sources to take, one a line. Empty: all.",
        ),
        "as_of": AS_OF,
    },
)
def ingest_extracts():
    @task(execution_timeout=timedelta(minutes=5))
    def list_sources(params: dict) -> list[str]:
        from tanso.steps import source_ids

        try:
            return source_ids(params["sources"])
        except ValueError as error:  # trying again would not help
            raise AirflowFailException(str(error)) from None

    # Named by the files it brought, as soon as they are known.
    @task(retries=2, execution_timeout=timedelta(hours=2), map_index_template="{{ brought | default(source_id) }}")
    def ingest_source(source_id: str) -> str:
        from tanso.steps import ingest_source

        return ingest_source(source_id, lambda files: get_current_context().update(brought=f"{source_id}: {files}"))

    # A source that failed must not keep the others' files out of the lake.
    @task(trigger_rule="all_done", pool=WRITER_POOL, outlets=[LAKE], execution_timeout=timedelta(hours=2))
    def publish_lake(asked: list[str] | None, params: dict, dag_run=None, outlet_events=None) -> str:
        from tanso.steps import publish_lake

        if asked is None:
            raise AirflowSkipException("No source was looked at.")
        outlet_events[LAKE].extra = {"as_of": passed_on(as_of(params))}
        return publish_lake(asked, dag_run.start_date)

    @task(trigger_rule="one_failed", retries=0, execution_timeout=timedelta(minutes=5))
    def report_failed_sources() -> None:
        raise RuntimeError("A source was not taken. Its ingest_source task above says why; the others were published.")

    asked = list_sources()
    ingested = ingest_source.expand(source_id=asked)
    ingested >> [publish_lake(asked), report_failed_sources()]


ingest_extracts()
