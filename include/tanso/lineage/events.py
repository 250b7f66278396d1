"""A step's lineage as events of the OpenLineage client. Imported when there is something to tell: it takes 0.2 s."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from openlineage.client import facet_v2, set_producer
from openlineage.client.event_v2 import InputDataset, OutputDataset, Run, RunEvent, RunState
from openlineage.client.event_v2 import Job as EventJob
from openlineage.client.uuid import generate_new_uuid

from tanso.lineage.model import PRODUCER, Dataset, Job, Step

set_producer(PRODUCER)


def of(step: Step, jobs: Sequence[Job], error: Exception | None) -> list[RunEvent]:
    """START and COMPLETE (or FAIL) of the step and of each of its parts, which name the step as their parent."""
    ended = datetime.now(UTC)
    itself = next((job for job in jobs if job.name == step.name), Job(step.name, (), ()))
    run = str(generate_new_uuid())
    failed = {"errorMessage": facet_v2.error_message_run.ErrorMessageRunFacet(type(error).__name__, "python")}
    events = [_event(RunState.START, step.started, run, Job(step.name, (), ()), {})]
    parent = facet_v2.parent_run.ParentRunFacet(
        run=facet_v2.parent_run.Run(runId=run),
        job=facet_v2.parent_run.Job(namespace=_namespace(), name=step.name),
    )
    for job in jobs:
        if job is not itself:
            part = str(generate_new_uuid())
            events.append(_event(RunState.START, step.started, part, Job(job.name, (), ()), {"parent": parent}))
            events.append(_event(RunState.COMPLETE, ended, part, job, {"parent": parent}))
    end = RunState.FAIL if error else RunState.COMPLETE
    return [*events, _event(end, ended, run, itself, failed if error else {})]


def _namespace() -> str:
    return os.environ.get("OPENLINEAGE_NAMESPACE") or "tanso"


def _event(state: RunState, at: datetime, run: str, job: Job, facets: dict[str, Any]) -> RunEvent:
    kind = facet_v2.job_type_job.JobTypeJobFacet("BATCH", "TANSO", "JOB")
    return RunEvent(
        eventType=state,
        eventTime=at.isoformat(),
        run=Run(runId=run, facets=facets),
        job=EventJob(namespace=_namespace(), name=job.name, facets={"jobType": kind}),
        inputs=[_input(one) for one in job.inputs],
        outputs=[_output(one) for one in job.outputs],
        producer=PRODUCER,
    )


def _input(one: Dataset) -> InputDataset:
    facets: dict[str, facet_v2.InputDatasetFacet] = {}
    if one.rows is not None or one.files is not None:
        statistics = facet_v2.input_statistics_input_dataset.InputStatisticsInputDatasetFacet
        facets["inputStatistics"] = statistics(rowCount=one.rows, fileCount=one.files)
    return InputDataset(namespace=_namespace(), name=one.name, inputFacets=facets, facets=_schema(one))


def _output(one: Dataset) -> OutputDataset:
    facets: dict[str, facet_v2.OutputDatasetFacet] = {}
    if one.rows is not None or one.files is not None:
        statistics = facet_v2.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet
        facets["outputStatistics"] = statistics(rowCount=one.rows, fileCount=one.files)
    return OutputDataset(namespace=_namespace(), name=one.name, outputFacets=facets, facets=_schema(one))


def _schema(one: Dataset) -> dict[str, Any]:
    if not one.fields:
        return {}
    fields = [
        facet_v2.schema_dataset.SchemaDatasetFacetFields(name=name, type=kind, description=text)
        for name, kind, text in one.fields
    ]
    return {"schema": facet_v2.schema_dataset.SchemaDatasetFacet(fields=fields)}
