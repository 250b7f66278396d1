from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def query(tmp_path_factory):
    """``query(sql, *parameters)`` over all programmes of the tests here, built once: a list of tuples."""
    from fixtures_edges import EDGES
    from fixtures_k import EXAMPLES
    from fixtures_more import MORE
    from world import build

    connection = duckdb.connect(
        str(build(tmp_path_factory.mktemp("rules_metered"), EXAMPLES + MORE + EDGES)), read_only=True
    )

    def run(sql: str, *parameters) -> list[tuple]:
        return connection.execute(sql, parameters).fetchall()

    yield run
    connection.close()
