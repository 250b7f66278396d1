"""What the three DAGs share: the assets that join them, the writer pool, common parameters.

The only module below ``include/`` that imports Airflow.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from airflow.sdk import Asset, Param

from include import settings

LAKE = Asset("tanso/lake")
MARTS = Asset("tanso/marts")
PAYOUTS = Asset("tanso/payouts")

# One slot, since DuckDB allows one writer; made by the headless runner, or `airflow pools set duckdb_writer 1 DuckDB`.
WRITER_POOL = "duckdb_writer"

DEFAULT_ARGS = {
    "owner": "tanso",
    "retries": 1,
    "retry_delay": timedelta(seconds=10),
    "execution_timeout": timedelta(hours=1),
}

AS_OF = Param(
    None,
    type=["null", "string"],
    format="date",
    title="As of",
    description="The day that decides what is payable, YYYY-MM-DD. Empty: what the run that triggered this one was "
    "given, else TANSO_AS_OF, else today.",
)


def as_of(params: dict[str, Any], triggering_asset_events: Any = None) -> date:
    """The day a run works for: its parameter, else the latest triggering event's, else ``settings.as_of()``."""
    if params.get("as_of"):
        return date.fromisoformat(params["as_of"])
    for event in sorted(_events(triggering_asset_events), key=lambda event: event.timestamp, reverse=True):
        if event.extra.get("as_of"):
            return date.fromisoformat(event.extra["as_of"])
    return settings.as_of()


def only_batches_are_new(triggering_asset_events: Any) -> bool:
    """True when the run was started by issued batches and nothing else: they make nothing else due."""
    events = _events(triggering_asset_events)
    return bool(events) and all(event.extra.get("only_batches_are_new") for event in events)


def _events(triggering_asset_events: Any) -> list[Any]:
    return [event for queued in (triggering_asset_events or {}).values() for event in queued]
