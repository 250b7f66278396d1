"""The installation of the tests of extracts."""

from tests.ingest.conftest import office, policy, sources  # noqa: F401
