"""Messages to the people who run the pipeline: a failed run, payout dates, an approval nobody answers.

They go where the Airflow connection ``tanso_alerts`` says: ``http`` or ``https`` gets a POST of ``{"text": …}``,
``smtp`` a mail (extras ``from_email`` and ``to``). It is to be in the environment: the callback of a deadline is denied
those of Airflow's database. Without the connection nothing is sent. No message holds personal
data: of an error only what our own code says, on one line.
"""

from __future__ import annotations

import hashlib
import re
import traceback
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import airflow
import httpx

from tanso import settings, shown
from tanso.settings import PROJECT_ROOT

CONNECTION = "tanso_alerts"
UNANSWERED_AFTER = timedelta(days=7)
SECONDS = 20
# Whose words may be passed on; what a library says of a value may hold the value.
OUR_WORDS = tuple(
    f"{folder}/" for folder in (PROJECT_ROOT / "include", PROJECT_ROOT / "dags", Path(airflow.__file__).parent)
)


def failed(context: Any) -> None:
    """Tell that a run failed: once per run, at its first task that will not be tried again."""
    task, run = context["ti"], context["dag_run"]
    if not _is_first(f"{task.dag_id} {task.run_id} {run.start_date}"):
        return
    name = task.task_id + (f" [{task.rendered_map_index}]" if getattr(task, "rendered_map_index", None) else "")
    send(
        f"tanso: {task.dag_id} failed at {name}",
        [
            f"DAG: {task.dag_id}",
            f"Task: {name}, try {task.try_number}",
            f"Run: {task.run_id}",
            f"Error: {first_line(context.get('exception'))}",
            f"Next: {what_to_do(context['dag'].doc_md)}",
            f"Log: {task.log_url}",
        ],
    )


def unanswered(context: dict[str, Any]) -> None:
    """Tell that the approvals of a run still wait when its deadline has passed."""
    run = context["dag_run"]
    if run["state"] != "running":
        return
    send(
        f"tanso: {run['dag_id']} waits for approval since {run['queued_at'][:10]}",
        [
            f"DAG: {run['dag_id']}",
            f"Run: {run['dag_run_id']}",
            "Nobody has answered for a week, so nobody is paid. Approve or reject under Required Actions in the UI.",
        ],
    )


def payout_dates(as_of: date | None) -> list[str]:
    """Tell which payout dates are near, or have passed with something still due; returns the sentences.

    What cannot be sent is printed: it must not keep anybody from being paid.
    """
    from tanso.reports.payout_dates import sentences

    said = sentences(settings.home(), as_of)
    for sentence in said:
        print(sentence)
    if said:
        try:
            send(f"tanso: payout dates, as of {as_of or 'today'}", said)
        except Exception as error:
            print(f"The message could not be sent: {type(error).__name__}")
    return said


def send(subject: str, lines: list[str]) -> bool:
    """Send a message; False when there is no connection. Errors of the transport are raised."""
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

    try:
        connection = Connection.get(CONNECTION)
    except (AirflowNotFoundException, AirflowRuntimeError):
        print(f"No connection {CONNECTION!r}: no message is sent.")
        return False
    if connection.conn_type == "smtp":
        _mail(connection, subject, lines)
    else:
        text = "\n".join(map(shown.escaped, [subject, *lines]))
        httpx.post(_url(connection), json={"text": text}, timeout=SECONDS).raise_for_status()
    return True


def first_line(error: BaseException | str | None) -> str:
    """The error's class and the first line of what it says (two of a list), if our own code or Airflow says it."""
    if not isinstance(error, BaseException):
        return "the task's process ended without a word (killed, or out of memory)"
    if type(error).__name__ == "AirflowFailException" and error.__cause__:
        error = error.__cause__  # why there is no other try
    kind = type(error).__name__
    if kind == "HITLRejectException":
        return "the proposal was rejected; nothing was issued"
    frames = traceback.extract_tb(error.__traceback__)
    if not frames or not frames[-1].filename.startswith(OUR_WORDS):
        return f"{kind}; the log has more"
    lines = [line.strip() for line in str(error).strip().splitlines()]
    # A heading alone says nothing.
    said = " ".join(lines[:2] if lines and lines[0].endswith(":") else lines[:1])
    return f"{kind}: {said[:300]}" if said else kind


def what_to_do(doc_md: str | None) -> str:
    """The paragraph ``**When it fails**`` of a DAG's documentation, on one line."""
    found = re.search(r"\*\*When it fails\*\*(.*?)(?:\n\s*\n|\Z)", doc_md or "", re.DOTALL)
    return " ".join(found[1].replace("`", "").split()) if found else "see the log"


def _is_first(key: str) -> bool:
    """True for the first caller with this key, on whatever machine it runs."""
    folder = settings.home().root / "airflow" / "alerts"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        (folder / hashlib.sha256(key.encode()).hexdigest()[:32]).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _url(connection: Any) -> str:
    """``https://host/path`` as an environment variable, or a form whose host is the whole address."""
    if "://" in (connection.host or ""):
        return str(connection.host)
    port = f":{connection.port}" if connection.port else ""
    return f"{connection.conn_type}://{connection.host}{port}/{connection.schema or ''}"


def _mail(connection: Any, subject: str, lines: list[str]) -> None:
    from airflow.providers.smtp.hooks.smtp import SmtpHook

    with SmtpHook(CONNECTION) as hook:
        body = "".join(f"<p>{shown.html(line)}</p>\n" for line in lines)
        hook.send_email_smtp(to=connection.extra_dejson["to"], subject=shown.escaped(subject), html_content=body)
