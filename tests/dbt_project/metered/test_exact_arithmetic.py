"""The macros of exact arithmetic against fractions: figures that are short and figures that are not say the same."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import duckdb
import jinja2
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tanso.warehouse.fingerprint import DBT_PROJECT

MACROS = "\n".join((DBT_PROJECT / "macros" / name).read_text("utf-8") for name in ("exact.sql", "explanations.sql"))
SQL = jinja2.Environment().from_string(MACROS).module
MILLIONTH = Decimal("0.000001")
# Around the edges where the arithmetic changes from 64 to 128 bits, and where halves are rounded.
EDGES = [Decimal(text) for text in ("199999.999999", "200000", "999999.999999", "1000000", "0.5", "3")]

figures = st.one_of(
    st.integers(-(10**16), 10**16), st.integers(-(10**9), 10**9), st.sampled_from(EDGES).map(lambda d: int(d * 10**6))
).map(lambda millionths: millionths * MILLIONTH)
wholes = figures.map(abs)
factors = st.integers(0, 9_999_999).map(lambda millionths: millionths * MILLIONTH)

CONNECTION = duckdb.connect()


def half_away(value: Fraction, places: int) -> Decimal:
    """Rounded half away from zero."""
    scaled = abs(value) * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole if value >= 0 else -whole).scaleb(-places)


def asked(sql: str, left: Decimal, right: Decimal):
    query = f"select {sql} from (select ?::decimal(18, 6) as x, ?::decimal(18, 6) as y)"
    return CONNECTION.execute(query, [left, right]).fetchall()[0][0]


@settings(max_examples=300, deadline=None)
@given(figures, wholes)
@example(Decimal("-999999.999999"), Decimal("1000000"))
@example(Decimal(1), Decimal(3))
@example(Decimal(0), Decimal(0))
def test_rate(part: Decimal, whole: Decimal) -> None:
    wanted = half_away(Fraction(part) / Fraction(whole), 6) if whole else None
    assume(wanted is None or abs(wanted) < 10**12)  # as much as the mart's column holds
    assert asked(SQL.rate("x", "y"), part, whole) == wanted


@settings(max_examples=300, deadline=None)
@given(figures, factors)
@example(Decimal("199999.999999"), Decimal("4.999999"))
@example(Decimal("200000"), Decimal("4.999999"))
@example(Decimal("-0.000001"), Decimal("0.5"))
def test_stored_product(figure: Decimal, factor: Decimal) -> None:
    assert asked(SQL.stored_product("x", "y"), figure, factor) == half_away(Fraction(figure) * Fraction(factor), 6)


@settings(max_examples=300, deadline=None)
@given(figures, wholes)
@example(Decimal("49999.999999"), Decimal("1000000"))  # just under 5 %: reads 4.99
@example(Decimal("49999.999999"), Decimal("999999.99999"))
def test_percent_is_cut(part: Decimal, whole: Decimal) -> None:
    cut = int(Fraction(part) * 10_000 / Fraction(whole)) if whole else None
    assume(cut is None or abs(cut) < 10**14)  # a rate that the mart's column holds
    found = asked(SQL.percent("x", "y"), part, whole)
    assert found is None if cut is None else Decimal(found) == Decimal(cut).scaleb(-2)
