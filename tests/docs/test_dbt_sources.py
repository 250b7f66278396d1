"""The dbt sources have the columns, types and descriptions of the tables that the package declares."""

from __future__ import annotations

import pytest

from tools import make_dbt_sources


@pytest.mark.parametrize("path", make_dbt_sources.written(), ids=lambda path: path.name)
def test_sources_are_current(path):
    text = make_dbt_sources.written()[path]
    assert path.read_text("utf-8") == text, "next step: .venv/bin/python -m tools.make_dbt_sources"


def test_a_column_without_a_description_is_named(monkeypatch):
    monkeypatch.setitem(make_dbt_sources.lake.TABLES["returns"], "courier", "VARCHAR")
    with pytest.raises(LookupError, match=r"lake\.returns\.courier has no description; next step: .*lake__courier"):
        make_dbt_sources.lake_sources()
