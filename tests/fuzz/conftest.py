"""The installation of the tests of extracts."""

from tests.extracts.conftest import office, policy, sources  # noqa: F401
