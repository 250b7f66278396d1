"""Which day a run works for, and when a run has nothing new to propose."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from tanso.airflow.assets import as_of, only_batches_are_new, passed_on


def event(hour: int, **extra):
    return SimpleNamespace(timestamp=datetime(2022, 7, 1, hour, tzinfo=UTC), extra=extra)


TRIGGERS = {
    "lake": [event(1, as_of="2022-01-01"), event(3, as_of="2022-03-01")],
    "payouts": [event(2, as_of="2022-02-01")],
}


def test_the_parameter_comes_first():
    assert as_of({"as_of": "2021-12-31"}, TRIGGERS) == date(2021, 12, 31)


def test_then_the_latest_event():
    assert as_of({"as_of": None}, TRIGGERS) == date(2022, 3, 1)


@pytest.mark.parametrize("events", [None, {}, {"lake": [event(1)]}])
def test_then_the_environment(events, monkeypatch):
    monkeypatch.setenv("TANSO_AS_OF", "2020-06-30")
    assert as_of({"as_of": None}, events) == date(2020, 6, 30)


def test_without_any_it_is_today_wherever_the_programme_is(monkeypatch):
    monkeypatch.delenv("TANSO_AS_OF", raising=False)
    assert as_of({"as_of": None}, {"lake": [event(1, as_of=None)]}) is None
    assert passed_on(None) is None and passed_on(date(2022, 1, 31)) == "2022-01-31"


def test_a_day_that_is_none_is_named(monkeypatch):
    monkeypatch.setenv("TANSO_AS_OF", "30.06.2020")
    with pytest.raises(ValueError, match="TANSO_AS_OF.*30.06.2020"):
        as_of({"as_of": None})


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ({"payouts": [event(1, only_batches_are_new=True)]}, True),
        ({"payouts": [event(1, only_batches_are_new=True)], "lake": [event(2)]}, False),
        ({"lake": [event(1, only_batches_are_new=False)]}, False),
        (None, False),  # started by hand
    ],
)
def test_only_issued_batches_ask_for_nothing_again(events, expected):
    assert only_batches_are_new(events) is expected
