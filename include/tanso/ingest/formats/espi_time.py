"""Local time of Green Button files as the offsets from UTC that hold in a span of time.

LocalTimeParameters say it in seconds and in rules of bits. Many feeds have something else in their place, so what is no
rule to the letter is refused: read somehow, it would shift hours into other months without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tanso.ingest.formats.parsers import FileRefused

_EVER = -(2**40)  # before all readings
_NO_RULE = "FFFFFFFF"
_HOUR, _DAY, _QUARTER = 3600, 86_400, 900
_FARTHEST = {"tzOffset": 14 * _HOUR, "dstOffset": 2 * _HOUR}

Offset = tuple[int, int, int]  # utc_from, local_from, seconds east of UTC


def offsets(values: Mapping[str, str], first: int, last: int) -> list[Offset]:
    """What LocalTimeParameters say: rows that hold from ``first`` to ``last`` (epoch seconds).

    ``local_from`` is what the clock shows at ``utc_from`` once it is changed. Daylight saving time starts at a time of
    standard time and ends at one of daylight saving time. Raises FileRefused ``schema_mismatch``.
    """
    standard, saved = _seconds(values, "tzOffset"), _seconds(values, "dstOffset")
    rules = {name: values.get(name, "").upper() for name in ("dstStartRule", "dstEndRule")}
    if not saved or all(rule == _NO_RULE for rule in rules.values()):
        return always(standard)
    _refuse_seconds_since_1970(rules)
    daylight = standard + saved
    changes = []
    for year in range(_year(first) - 1, _year(last) + 2):
        begins, ends = (_moment(name, rule, year) for name, rule in rules.items())
        changes += [(begins - standard, begins + saved, daylight), (ends - daylight, ends - saved, standard)]
    changes.sort()
    return [(_EVER, _EVER, standard if changes[0][2] == daylight else daylight), *changes]


def always(seconds: int) -> list[Offset]:
    """The same offset all the time."""
    return [(_EVER, _EVER, seconds)]


def offsets_of_zone(zone: str, first: int, last: int) -> list[Offset]:
    """The same of a time zone of the IANA database."""
    rows = list(_changes(ZoneInfo(zone), first - _DAY, last + _DAY))
    return [*always(rows[0][2]), *rows[1:]]


def _changes(zone: ZoneInfo, first: int, last: int) -> Iterator[Offset]:
    """The offset at ``first`` and every later one: zones do not change twice within half a day."""

    def at(moment: int) -> int:
        offset = datetime.fromtimestamp(moment, zone).utcoffset()
        assert offset is not None  # of a moment with a zone
        return int(offset.total_seconds())

    before = at(first)
    yield first, first + before, before
    for end in range(first + _DAY // 2, last + _DAY, _DAY // 2):
        if (after := at(end)) != before:
            low, high = end - _DAY // 2, end
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if at(middle) == before else (low, middle)
            yield high, high + after, after
            before = after


def _year(moment: int) -> int:
    return datetime.fromtimestamp(moment, UTC).year


def _refused(name: str, value: str, why: str) -> FileRefused:
    message = f"LocalTimeParameters: {name} {value!r} {why}; correct it and send the feed again"
    return FileRefused("schema_mismatch", message)


def _seconds(values: Mapping[str, str], name: str) -> int:
    text, rules = values.get(name) or "", {values.get("dstStartRule") or _NO_RULE, values.get("dstEndRule") or _NO_RULE}
    if not text and name == "dstOffset" and rules == {_NO_RULE}:
        return 0
    if not re.fullmatch("[+-]?[0-9]{1,5}", text) or int(text) % _QUARTER or abs(int(text)) > _FARTHEST[name]:
        raise _refused(name, text, f"is no offset: whole quarters of an hour in seconds, {_FARTHEST[name]} at most")
    return int(text)


def _refuse_seconds_since_1970(rules: Mapping[str, str]) -> None:
    """Moments in the place of rules are whole quarters of an hour, which two rules in bits are not by chance."""
    moments = [int(rule, 16) for rule in rules.values() if re.fullmatch("[0-9A-F]{8}", rule)]
    if len(moments) == 2 and not any(moment % _QUARTER for moment in moments):
        name, rule = next(iter(rules.items()))
        moment = datetime.fromtimestamp(moments[0], UTC)
        raise _refused(name, rule, f"is no rule in bits but seconds since 1970 ({moment:%Y-%m-%d %H:%M} UTC)")


def _moment(name: str, rule: str, year: int) -> int:
    """The rule's moment in a year, as epoch seconds of a clock that knows no zone.

    From the right: 12 bits seconds, 5 hours, 3 day of the week (Monday = 1), 5 day of the month, 3 operator, 4 month.
    """
    if not re.fullmatch("[0-9A-F]{8}", rule):
        raise _refused(name, rule, "is no rule of daylight saving time: 8 hexadecimal digits")
    bits = int(rule, 16)
    seconds, hours, weekday = bits & 0xFFF, bits >> 12 & 0x1F, bits >> 17 & 0x7
    day, operator, month = bits >> 20 & 0x1F, bits >> 25 & 0x7, bits >> 28
    has_weekday, has_day = operator != 0, operator < 2  # by day, weekday on or after a day, or weekday of the month
    is_a_rule = seconds < _HOUR and hours < 24 and bool(weekday) == has_weekday and bool(day) == has_day
    try:
        if not is_a_rule:
            raise ValueError
        if operator == 0:
            found = date(year, month, day)
        elif operator == 1:
            found = _on_or_after(date(year, month, day), weekday)
        else:  # the first to fifth of the month, or the last
            found = _on_or_after(date(year, month, 1), weekday) + timedelta(weeks=min(operator, 6) - 2)
            if found.month != month:  # it has no fifth: the fourth is the last
                found -= timedelta(weeks=1)
    except ValueError:
        said = f"month {month}, operator {operator}, day {day}, weekday {weekday}, hour {hours}, second {seconds}"
        raise _refused(name, rule, f"is no rule of daylight saving time for {year}: its bits say {said}") from None
    return (found - date(1970, 1, 1)).days * _DAY + hours * _HOUR + seconds


def _on_or_after(day: date, weekday: int) -> date:
    return day + timedelta(days=(weekday - day.isoweekday()) % 7)
