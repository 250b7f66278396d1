"""Which day it is. Days that people read or banks act on are those of a programme's time zone (policy ``programs``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

# A day for every programme, one for each, or None: the day that it is there now.
AsOf = date | Mapping[str, date] | None


def now() -> datetime:
    """This machine's clock, in UTC; the only one by which days are told, so that a test can set it."""
    return datetime.now(UTC)


def today(time_zone: str) -> date:
    """The day that it is now in an IANA time zone."""
    return now().astimezone(ZoneInfo(time_zone)).date()


def of_programs(as_of: AsOf, zones: Mapping[str, str]) -> dict[str, date]:
    """The day of each programme; ``zones``: programme -> IANA time zone."""
    if isinstance(as_of, Mapping):
        return dict(as_of)
    return {program_id: as_of or today(zone) for program_id, zone in zones.items()}


def refuse_to_come(as_of: AsOf, zones: Mapping[str, str]) -> None:
    """Raise ValueError for a day that has not begun in a programme's time zone."""
    for program_id, day in of_programs(as_of, zones).items():
        if day > today(zones[program_id]):
            raise ValueError(
                f"as of {day}: that day is yet to come, for {program_id} it is {today(zones[program_id])} "
                f"({zones[program_id]}). Give a day that has begun (--as-of, AS_OF, the parameter as_of, TANSO_AS_OF), "
                "or none for today."
            )


def text(days: Iterable[date]) -> str:
    """The days, mostly one, for people."""
    return ", ".join(day.isoformat() for day in sorted(set(days)))
