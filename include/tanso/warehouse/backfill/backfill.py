"""Back-fill: evaluate again as of a past day, with the files, policy and batches that were known by its end.

Everything is built aside and nothing that is published is touched. The code is today's; what a purge has erased is
taken from the facts that it kept.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tanso import days
from tanso.files import locked, private_folder, private_tree
from tanso.packs import load_policy, load_sources
from tanso.settings import Home
from tanso.warehouse import build, marts_files, policies
from tanso.warehouse.backfill import past_home
from tanso.warehouse.fingerprint import DBT_PROJECT, code_version


@dataclass(frozen=True)
class BackfillResult:
    """``folder`` has tanso.duckdb, marts/<mart>.parquet, due_and_paid.csv and manifest.json."""

    folder: Path
    moment: datetime  # UTC; what was known by then counts
    policy: str  # name of the record under policies/
    files: tuple[dict[str, Any], ...]  # path, rows, sha256

    def __str__(self) -> str:
        return f"evaluated as of {self.moment.isoformat()} with policy {self.policy}: {self.folder}"


def backfill(
    home: Home,
    as_of: date | datetime,
    program_id: str | None = None,
    period_id: str | None = None,
    project: Path = DBT_PROJECT,
) -> BackfillResult:
    """Evaluate as of the end of a day, or a moment; of a programme or a period if given, else of all.

    A day ends in each programme's time zone, in that of the programme where one is given.

    The same call gives the same bytes but for ``tanso.duckdb``, whose contents are the same. Safe beside every other
    step and beside itself. Raises PolicyNotKnown if nothing was evaluated by then, ValueError for a moment to come or
    an unknown programme or period, and what ``evaluate`` raises.
    """
    home = Home(home.root.resolve())  # links are made to what is in it
    moments = _moments(home, as_of, program_id)
    moment = max(moments.values())
    record = policies.in_force(home, moment)
    packs = [record / "packs"]
    with _workplace(home) as work:
        past = past_home.make(home, work / "home", moments, load_sources(packs), load_policy(packs))
        build.evaluate(past, packs, project=project)
        result = work / "result"
        files = marts_files.write(past.database, result, program_id, period_id)
        past.database.replace(result / past.database.name)
        about = {
            "as_of": moment.isoformat(),
            "program_id": program_id,
            "period_id": period_id,
            "policy": record.name,
            "policy_sha256": policies.about(record)["policy_sha256"],
            "code_version": code_version(),
            "code_version_then": policies.about(record)["code_version"],
            "files": files,
        }
        (result / "manifest.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")
        private_tree(result)
        folder = home.backfill / "_".join(filter(None, (_name(as_of), program_id, period_id)))
        _put(result, folder)
    return BackfillResult(folder, moment, record.name, tuple(files))


def parse(text: str) -> date | datetime:
    """``YYYY-MM-DD``, or a moment with its offset from UTC (``2026-07-01T09:00+09:00``). Raises ValueError."""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"as of {text!r}: write YYYY-MM-DD, or a moment like 2026-07-01T09:00+09:00") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} says no offset from UTC; write e.g. {text}+09:00")
    return moment


def _moments(home: Home, as_of: date | datetime, program_id: str | None) -> dict[str, datetime]:
    """Programme -> the last moment that counts (UTC). Time zones are those of the policy evaluated last; what had
    another programme then counts as long as the last of these."""
    latest = load_policy([policies.in_force(home, days.now()) / "packs"])
    zones = {row["program_id"]: row["time_zone"] for row in latest.rows("programs")}
    asked = {program_id: zones[program_id]} if program_id in zones else zones
    ends = {name: end_of(as_of, zone) for name, zone in asked.items()}
    last = max(ends.values())
    return {name: ends.get(name, last) for name in zones}


def end_of(as_of: date | datetime, time_zone: str) -> datetime:
    """The last moment that counts, in UTC: of a day the end there, but not later than now; ValueError for what is to
    come."""
    now = days.now()
    if isinstance(as_of, datetime):
        moment = as_of.astimezone(UTC)
        if moment > now:
            raise ValueError(f"as of {as_of.isoformat()}: that is yet to come")
        return moment
    if as_of > days.today(time_zone):
        raise ValueError(f"as of {as_of.isoformat()}: that day is yet to come (days are those of {time_zone})")
    after = datetime.combine(as_of + timedelta(days=1), time.min, ZoneInfo(time_zone))
    return after.astimezone(UTC) - timedelta(microseconds=1)


def _name(as_of: date | datetime) -> str:
    return f"{as_of.astimezone(UTC):%Y-%m-%dT%H%M%S.%fZ}" if isinstance(as_of, datetime) else as_of.isoformat()


@contextmanager
def _workplace(home: Home) -> Iterator[Path]:
    """A folder of one's own under ``backfill/``, removed at the end; so are those that killed runs left."""
    private_folder(home.backfill)
    with locked(home.backfill / ".lock"):
        for left in home.backfill.glob(".work-*"):
            # That of a run that lives is locked.
            with suppress(BlockingIOError), locked(left / "lock", wait=False):
                shutil.rmtree(left)
        work = home.backfill / f".work-{os.getpid()}-{secrets.token_hex(4)}"
        work.mkdir(mode=0o700)
        mine = ExitStack()
        mine.enter_context(locked(work / "lock"))
    with mine:
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _put(result: Path, folder: Path) -> None:
    """Put the result in the place of an earlier one of the same question; readers keep what they have open."""
    with locked(folder.parent / ".lock"):
        if folder.exists():
            folder.replace(result.with_name("replaced"))
        result.replace(folder)
