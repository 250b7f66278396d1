"""Write the dbt sources from the tables that the package declares: ``python -m tools.make_dbt_sources``.

What a column means is in the ``{% docs %}`` blocks of ``dbt_project/models``, the most particular first:
``<source>__<table>__<column>``, ``<source>__<column>``, ``<column>``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tanso import lake
from tanso.packs import tables
from tanso.settings import PROJECT_ROOT

MODELS = PROJECT_ROOT / "dbt_project" / "models"
STAGING = MODELS / "staging"


@cache
def described() -> frozenset[str]:
    """Names of all docs blocks."""
    texts = (path.read_text("utf-8") for path in MODELS.rglob("*.md"))
    return frozenset(name for text in texts for name in re.findall(r"{% docs (\w+) %}", text))


def _described(source: str, table: str, column: str) -> str:
    for name in (f"{source}__{table}__{column}", f"{source}__{column}", column):
        if name in described():
            return name
    raise LookupError(
        f"{source}.{table}.{column} has no description; "
        f"next step: add a block {source}__{column} to {STAGING / f'{source}.md'}"
    )


def _columns(source: str, table: str, types: dict[str, str]) -> Iterator[str]:
    yield "        columns:"
    for name, kind in types.items():
        doc = f"'{{{{ doc(\"{_described(source, table, name)}\") }}}}'"
        kind = f'"{kind.lower()}"' if "," in kind else kind.lower()
        yield f"          - {{name: {name}, data_type: {kind}, description: {doc}}}"


def _source(name: str, declared_in: str, description: str) -> Iterator[str]:
    yield f"# Written by tools/make_dbt_sources.py from {declared_in}."
    yield "sources:"
    yield f"  - name: {name}"
    yield f"    schema: {name}"
    yield f'    description: "{description}"'
    yield "    tables:"


def lake_sources() -> str:
    lines = [*_source("lake", "include/tanso/lake.py", "Canonical Parquet without personal data.")]
    for table, types in (lake.TABLES | lake.COMPARED).items():
        lines += [f"      - name: {table}", f"        description: '{{{{ doc(\"lake__{table}\") }}}}'"]
        lines += _columns("lake", table, types)
    return "\n".join(lines) + "\n"


def policy_sources() -> str:
    what = "What municipalities and ministries decide, loaded and checked from the packs; see docs/reference/policy.md."
    lines = [*_source("policy", "include/tanso/packs/tables.py", what)]
    for table in tables.TABLES.values():
        lines += [f"      - name: {table.name}", f'        description: "Key: {", ".join(table.key)}."']
        lines += _columns("policy", table.name, table.types)
    return "\n".join(lines) + "\n"


def written() -> dict[Path, str]:
    """Each file with what it should hold."""
    return {STAGING / "_lake.yml": lake_sources(), STAGING / "_policy.yml": policy_sources()}


if __name__ == "__main__":
    for path, text in written().items():
        path.write_text(text, "utf-8")
