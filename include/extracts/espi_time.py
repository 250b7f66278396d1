"""Local time of Green Button files: LocalTimeParameters as the offsets from UTC that hold in a span of time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from include.extracts.parsers import FileRefused

_EVER = -(2**40)  # before all readings
_NO_RULE = "FFFFFFFF"
_DAY = 86_400


def offsets(values: Mapping[str, str], first: int, last: int) -> list[tuple[int, int, int]]:
    """Rows (utc_from, local_from, seconds east of UTC) that hold from ``first`` to ``last`` (epoch seconds).

    ``local_from`` is what the clock shows at ``utc_from`` once it is changed. Daylight saving time starts at a time of
    standard time and ends at one of daylight saving time. Raises FileRefused ``schema_mismatch``.
    """
    standard, saved = _seconds(values, "tzOffset"), _seconds(values, "dstOffset")
    rules = [values.get(name, "").upper() for name in ("dstStartRule", "dstEndRule")]
    if not saved or any(rule in ("", _NO_RULE) for rule in rules):
        return [(_EVER, _EVER, standard)]
    daylight = standard + saved
    changes = []
    for year in range(datetime.fromtimestamp(first, UTC).year - 1, datetime.fromtimestamp(last, UTC).year + 2):
        begins, ends = (_moment(rule, year) for rule in rules)
        changes += [(begins - standard, begins + saved, daylight), (ends - daylight, ends - saved, standard)]
    changes.sort()
    return [(_EVER, _EVER, standard if changes[0][2] == daylight else daylight), *changes]


def _seconds(values: Mapping[str, str], name: str) -> int:
    text = values.get(name) or ("0" if name == "dstOffset" else "")
    if not re.fullmatch("[+-]?[0-9]{1,5}", text) or abs(int(text)) > 18 * 3600:
        raise FileRefused("schema_mismatch", f"LocalTimeParameters: {name} {text!r} is no offset in seconds")
    return int(text)


def _moment(rule: str, year: int) -> int:
    """The rule's moment in a year, as epoch seconds of a clock that knows no zone.

    From the right: 12 bits seconds, 5 hours, 3 day of the week (Monday = 1), 5 day of the month, 3 operator, 4 month.
    """
    if not re.fullmatch("[0-9A-F]{8}", rule):
        raise FileRefused("schema_mismatch", f"LocalTimeParameters: {rule!r} is no rule of daylight saving time")
    bits = int(rule, 16)
    seconds, hours, weekday = bits & 0xFFF, bits >> 12 & 0x1F, bits >> 17 & 0x7
    day, operator, month = bits >> 20 & 0x1F, bits >> 25 & 0x7, bits >> 28
    try:
        if operator == 0:
            found = date(year, month, day)
        elif weekday == 0:
            raise ValueError
        elif operator == 1:  # the weekday on or after the day
            found = _on_or_after(date(year, month, day), weekday)
        else:  # the first to fifth of the month, or the last
            found = _on_or_after(date(year, month, 1), weekday) + timedelta(weeks=min(operator, 6) - 2)
            if found.month != month:  # it has no fifth: the fourth is the last
                found -= timedelta(weeks=1)
    except ValueError:
        raise FileRefused("schema_mismatch", f"LocalTimeParameters: {rule!r} is no day of {year}") from None
    return (found - date(1970, 1, 1)).days * _DAY + hours * 3600 + seconds


def _on_or_after(day: date, weekday: int) -> date:
    return day + timedelta(days=(weekday - day.isoweekday()) % 7)
