from __future__ import annotations

import pytest

from tests import built



@pytest.fixture(scope="session")
def query(tmp_path_factory):
    """``query(sql, *parameters)`` over all programmes of the tests here, built once: a list of tuples."""
    from tests.dbt_project.metered.fixtures_edges import EDGES
    from tests.dbt_project.metered.fixtures_k import EXAMPLES
    from tests.dbt_project.metered.fixtures_more import MORE
    from tests.dbt_project.metered.world import build

    connection = built.connect(build(tmp_path_factory.mktemp("rules_metered"), EXAMPLES + MORE + EDGES))

    def run(sql: str, *parameters) -> list[tuple]:
        return connection.execute(sql, parameters).fetchall()

    yield run
    connection.close()
