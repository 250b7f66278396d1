"""What one cell of a policy file may hold, and the typed value it becomes."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from tanso.packs import names
from tanso.packs.tables import CHOICES, PLACEHOLDERS, Column


def add_months(year: int, offset: int) -> date:
    """First day of the month ``offset``, counted from January of ``year`` = 1."""
    years, month = divmod(offset - 1, 12)
    return date(year + years, month + 1, 1)


@dataclass(frozen=True)
class PeriodKind:
    """A line of ``period_rules``, to read period ids by."""

    name: str
    label: str  # 'YYYYH1', 'FYYYYY': the last YYYY stands for the year
    starts_month: int
    classes: tuple[str, ...]

    def starts_on(self, period_id: str) -> date | None:
        """First day of the period, or None if the text is no period of this kind."""
        before, _, after = self.label.rpartition("YYYY")
        match = re.fullmatch(f"{re.escape(before)}([0-9]{{4}}){re.escape(after)}", period_id)
        return add_months(int(match[1]), self.starts_month) if match and match[1] > "0001" else None


@dataclass
class Context:
    """What the other tables of the programme say, as far as a cell depends on it."""

    program_id: str
    utilities: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    kinds: list[PeriodKind] = field(default_factory=list)

    def period(self, period_id: str) -> tuple[date, PeriodKind] | None:
        """(first day, kind) of a period id, or None if it is none of the programme."""
        for kind in self.kinds:
            starts_on = kind.starts_on(period_id)
            if starts_on:
                return starts_on, kind
        return None


def parse(column: Column, text: str, context: Context) -> object:
    """The typed value of a non-blank cell. Raises ValueError saying what is wrong and what is allowed."""
    names.seen(text)
    kind = column.kind
    if kind in CHOICES:
        return _one_of(text, CHOICES[kind])
    if kind == "program":
        if text != context.program_id:
            raise ValueError(f"is not the pack's folder; allowed: {context.program_id}")
        return text
    if kind == "utility":
        return _one_of(text, context.utilities, "declared in utilities.csv")
    if kind == "class":
        return _one_of(text, context.classes, "named in period_rules.csv")
    if kind == "period":
        if not context.period(text):
            labels = ", ".join(rule.label for rule in context.kinds) or "none: period_rules.csv has no good row"
            raise ValueError(f"is no period of this programme; allowed: {labels}")
        return text
    return PARSERS[kind](text, context)


def _one_of(text: str, allowed: Collection[str], what: str = "") -> str:
    if text not in allowed:
        choices = ", ".join(sorted(allowed)) or "none yet"
        raise ValueError(f"is not allowed; allowed{' ' + what if what else ''}: {choices}")
    return text


def _integer(minimum: int | None = None, maximum: int = 2**31 - 1) -> Callable[[str, Context], int]:
    def parser(text: str, context: Context) -> int:
        if not re.fullmatch(r"-?[0-9]{1,18}", text):
            raise ValueError("is no whole number; allowed: digits without separators")
        value = int(text)
        if minimum is not None and value < minimum:
            raise ValueError(f"is too small; allowed: {minimum} or more")
        if abs(value) > maximum:
            raise ValueError(f"is too large; allowed: up to {maximum}")
        return value

    return parser


def _decimal(
    digits: int, scale: int, allowed: str, good: Callable[[Decimal], bool]
) -> Callable[[str, Context], Decimal]:
    def parser(text: str, context: Context) -> Decimal:
        if not re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", text):
            raise ValueError("is no number; allowed: digits, with a decimal point if needed")
        value = Decimal(text)
        if not good(value) or value >= 10 ** (digits - scale):
            raise ValueError(f"is out of range; allowed: {allowed}")
        if value != round(value, scale):
            raise ValueError(f"has too many decimals; allowed: {scale}")
        return value.quantize(Decimal(1).scaleb(-scale))

    return parser


def _utilities(text: str, context: Context) -> str:
    return " ".join(_one_of(word, context.utilities, "declared in utilities.csv") for word in text.split())


def _months(text: str, context: Context) -> str:
    integer = _integer()
    return " ".join(str(integer(word, context)) for word in text.split())


def _codes(text: str, context: Context) -> str:
    return " ".join(sorted(names.code(word) for word in text.split()))


def _month(text: str, context: Context) -> str:
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text):
        raise ValueError("is no month; allowed: YYYY-MM")
    return text


def _template(text: str, context: Context) -> str:
    try:
        marks = [mark for mark in string.Formatter().parse(text) if mark[1] is not None]
    except ValueError as error:
        raise ValueError(f"is no sentence with placeholders: {error}") from None
    if any(form or conversion for _, _, form, conversion in marks):
        raise ValueError(
            "has a placeholder with ! or :, which would stand there as it is; allowed: {points} and the like"
        )
    unknown = ", ".join(sorted({name for _, name, _, _ in marks if name is not None} - set(PLACEHOLDERS)))
    if unknown:
        raise ValueError(f"has unknown placeholders ({unknown}); allowed: {', '.join(sorted(PLACEHOLDERS))}")
    return text


def _boolean(text: str, context: Context) -> bool:
    return _one_of(text, ("true", "false")) == "true"


def _date(text: str, context: Context) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("is no date; allowed: YYYY-MM-DD") from None


PARSERS: dict[str, Callable[[str, Context], object]] = {
    "text": lambda text, context: text,
    "words": lambda text, context: " ".join(sorted(text.split())),
    "tariff": lambda text, context: "".join(unicodedata.normalize("NFKC", text).split()),
    "utilities": _utilities,
    "months": _months,
    "code": lambda text, context: names.code(text),
    "codes": _codes,
    "pattern": lambda text, context: names.pattern(text),
    "label": lambda text, context: names.period_label(text),
    "month": _month,
    "template": _template,
    "integer": _integer(),
    "count": _integer(0),
    "number": _integer(1),
    "points": _integer(0, 2**63 - 1),
    "fraction": _decimal(18, 6, "a fraction from 0 to 1 (5 % is 0.05)", lambda value: 0 <= value <= 1),
    "decimal": _decimal(18, 6, "0 or more", lambda value: value >= 0),
    "positive": _decimal(18, 6, "above 0", lambda value: value > 0),
    "won": _decimal(6, 2, "above 0, at most 2 won per point", lambda value: 0 < value <= 2),
    "zone": lambda text, context: names.zone(text),
    "boolean": _boolean,
    "date": _date,
}
