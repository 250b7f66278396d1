"""OpenLineage events of the steps: which data sets a run read and wrote, for catalogues.

They are appended to ``lineage/<day>.jsonl``, or go to where the client's own configuration says (``OPENLINEAGE_URL``,
``OPENLINEAGE_CONFIG``, ``OPENLINEAGE__TRANSPORT__…``, ``AIRFLOW__OPENLINEAGE__TRANSPORT``). Sent when a step ends, so
that one that finds nothing new sends nothing and does not even load the client. No names of files, participants or
values: a failure is told by its type alone. A step never fails because of its events.
"""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from tanso.files import private_folder
from tanso.lineage.model import Step
from tanso.settings import Home

log = logging.getLogger(__name__)

_CONFIGURED = ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG", "OPENLINEAGE__TRANSPORT", "OPENLINEAGE_DISABLED")


@contextmanager
def step(home: Home, name: str) -> Iterator[Step]:
    """Run a step's work; its events are sent when it ends, well or not."""
    running = Step(name)
    try:
        yield running
    except Exception as error:
        _send(home, running, error)
        raise
    _send(home, running, None)


def _send(home: Home, ended: Step, error: Exception | None) -> None:
    if os.environ.get("OPENLINEAGE_DISABLED", "").lower() == "true":
        return
    try:
        jobs = ended.describe()
        if jobs or error:
            from tanso.lineage import events  # it takes 0.2 s

            _emit(home, events.of(ended, jobs, error))
    except Exception:  # whatever it is, the step's work is done
        log.warning("lineage of %s is not recorded: %s", ended.name, traceback.format_exc(limit=-3))


def _emit(home: Home, events: Sequence[Any]) -> None:
    """To the configured place; what does not get there goes to the file."""
    from openlineage.client import OpenLineageClient

    transport = os.environ.get("AIRFLOW__OPENLINEAGE__TRANSPORT")
    path = home.lineage / f"{datetime.now(UTC).date()}.jsonl"
    file = {"transport": {"type": "file", "log_file_path": str(path), "append": True}}
    left = list(events)
    if transport or any(name.startswith(_CONFIGURED) for name in os.environ):
        try:
            client = OpenLineageClient(config={"transport": json.loads(transport)} if transport else None)
            while left:
                client.emit(left[0])
                del left[0]
        except Exception as error:  # of the network, the server or the configuration
            log.warning("lineage events go to %s, not to the configured place: %s", path, type(error).__name__)
    if left:
        private_folder(home.lineage)
        path.touch(mode=0o600)
        client = OpenLineageClient(config=file)
        for event in left:
            client.emit(event)
