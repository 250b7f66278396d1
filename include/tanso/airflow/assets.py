"""What the three DAGs share: the assets that join them, the writer pool, common parameters."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from airflow.sdk import Asset, Param
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from tanso import settings
from tanso.airflow import alerts, connections
from tanso.ingest.pull.connections import ask_scheduler

# Every DAG file imports this module, so every task finds Airflow's connections.
ask_scheduler(connections.find)

LAKE = Asset("tanso/lake")
MARTS = Asset("tanso/marts")
PAYOUTS = Asset("tanso/payouts")

DEFAULT_ARGS = {
    "owner": "tanso",
    "retries": 1,
    "retry_delay": timedelta(seconds=10),
    # 10, 20, 40 … seconds, each a little off, so that what was overloaded is not met by all at once.
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(hours=1),
    "on_failure_callback": alerts.failed,
}

AS_OF = Param(
    None,
    type=["null", "string"],
    format="date",
    title="As of",
    description="The day that decides what is payable, YYYY-MM-DD. Empty: what the run that triggered this one was "
    "given, else TANSO_AS_OF, else today in each programme's time zone. Not a day to come.",
)
PAYOUT_PARAMS = {
    "as_of": AS_OF,
    "program": Param(
        None,
        type=["null", "string"],
        title="Programme",
        description="The program_id whose payouts are asked for. Empty: all.",
    ),
    "period": Param(
        None,
        type=["null", "string"],
        title="Period",
        description="The period_id whose payouts are asked for, such as 2021H1. Empty: all.",
    ),
    "despite_failed_sources": Param(
        False,
        type="boolean",
        title="Despite failed sources",
        description="Propose also what was worked out without a source that failed in the newest ingest. The rate of "
        "a region is fixed by its first batch, so what that source brings later may exceed the budget.",
    ),
}

# Nothing of ours runs by the clock; this alone lets somebody hear of an approval that nobody gives.
ANSWERED_IN_TIME = DeadlineAlert(
    reference=DeadlineReference.DAGRUN_QUEUED_AT,
    interval=alerts.UNANSWERED_AFTER,
    callback=SyncCallback(alerts.unanswered),
)


def as_of(params: dict[str, Any], triggering_asset_events: Any = None) -> date | None:
    """The day a run works for: its parameter, else the latest triggering event's, else ``settings.as_of()``; None:
    today, in each programme's time zone."""
    if params.get("as_of"):
        return date.fromisoformat(params["as_of"])
    for event in sorted(_events(triggering_asset_events), key=lambda event: event.timestamp, reverse=True):
        if event.extra.get("as_of"):
            return date.fromisoformat(event.extra["as_of"])
    return settings.as_of()


def passed_on(day: date | None) -> str | None:
    """A day as an event carries it to the run that it triggers."""
    return day.isoformat() if day else None


def only_batches_are_new(triggering_asset_events: Any) -> bool:
    """True when the run was started by issued batches and nothing else: they make nothing else due."""
    events = _events(triggering_asset_events)
    return bool(events) and all(event.extra.get("only_batches_are_new") for event in events)


def responder(approval: dict[str, Any] | None) -> str:
    """The name of the person who answered; ValueError when nobody did, whatever state the task was given."""
    if not approval:
        raise ValueError(
            "No person's answer is recorded: the approval was marked as done, not given. Clear it, and an approver "
            "answers under Required Actions."
        )
    return str(approval["responded_by_user"]["name"])


def _events(triggering_asset_events: Any) -> list[Any]:
    return [event for queued in (triggering_asset_events or {}).values() for event in queued]
