from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import built

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def query(tmp_path_factory):
    """``query(sql, *parameters)`` over all programmes of the tests here, built once: a list of tuples."""
    from fixtures_edges import EDGES
    from fixtures_k import EXAMPLES
    from fixtures_more import MORE
    from world import build

    connection = built.connect(build(tmp_path_factory.mktemp("rules_metered"), EXAMPLES + MORE + EDGES))

    def run(sql: str, *parameters) -> list[tuple]:
        return connection.execute(sql, parameters).fetchall()

    yield run
    connection.close()
