"""The metadata database (SQLite) of an Airflow of one's own, put right before that Airflow opens it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

END_OPEN_RUNS = """
delete from deadline where dagrun_id in (select id from dag_run where state in ('queued', 'running'));
update task_instance set state = 'failed', end_date = current_timestamp
where (dag_id, run_id) in (select dag_id, run_id from dag_run where state in ('queued', 'running'))
    and (state is null or state not in ('success', 'failed', 'skipped', 'upstream_failed', 'removed'));
update dag_run set state = 'failed', end_date = current_timestamp where state in ('queued', 'running');
delete from asset_dag_run_queue;
update dag set exceeds_max_non_backfill = false;
"""


def is_whole(path: Path) -> bool:
    """Whether SQLite can read every page of it and Airflow's tables are there; OperationalError when it is locked."""
    try:
        with closing(sqlite3.connect(path)) as database:
            made = database.execute("select 1 from sqlite_master where name = 'dag_run'").fetchone()
            return bool(made) and database.execute("pragma quick_check(1)").fetchone() == ("ok",)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        return False


def end_open_runs(path: Path) -> None:
    """Fail what earlier runs left open, and forget the events that they left to start others with their day.

    Done with nobody else looking: Airflow counts active runs only while it schedules one, so that runs which are failed
    afterwards, through its API, go on counting and keep the next from starting.
    """
    with closing(sqlite3.connect(path)) as database:
        database.executescript(f"begin immediate; {END_OPEN_RUNS} commit;")
