"""Every test works on a home of its own, and never on the caller's."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tanso.packs import sources
from tanso.settings import Home

# Tests drop files and run at once; those of the rule itself (tests/ingest/pull) say how long a file must have rested.
sources.SETTLED_FOR_S = 0

# Before anything imports them: no test may phone home or read the caller's Airflow.
for _name in [name for name in os.environ if name.startswith(("AIRFLOW", "TANSO_")) and name != "TANSO_REAL_DATA"]:
    del os.environ[_name]
os.environ["GX_ANALYTICS_ENABLED"] = "False"
os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"


# Folders, and files, whose tests share what is costly to make, or would slow each other down (real Airflows).
_TOGETHER = {
    "browser": "airflow", "deploy": "airflow", "e2e": "airflow",
    "lineage": "sample", "privacy": "sample", "sample": "sample",
    "airflow/test_alerts.py": "sample", "payouts/test_explain.py": "sample",
}  # fmt: skip


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With several workers (``make test``) a folder's tests stay in one, so that what they share is made once."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFolder(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::")[0].removeprefix("tests/")
            folder = file.rpartition("/")[0]
            return _TOGETHER.get(file) or _TOGETHER.get(folder, folder)

    return ByFolder(config, log)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty ``TANSO_HOME``."""
    monkeypatch.setenv("TANSO_HOME", str(tmp_path / "home"))
    return Home(tmp_path / "home")


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home in which the bundled sample went all the way to issued batches; tests only read it."""
    from tanso import cli
    from tanso.local import sample

    home = Home(tmp_path_factory.mktemp("sample") / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANSO_HOME", str(home.root))
        sample.copy_to_inbox(home)
        assert cli.main(["run", "--as-of", "2026-07-01", "--by", "Treasurer"]) == 0
    return home
