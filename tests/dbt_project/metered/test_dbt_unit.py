"""The dbt unit tests of the metered rules, which evaluations leave out: they are about the code, not about the data."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.dbt_project.metered.world import DBT_PROJECT

from tanso import lake
from tanso.packs.policy import load_policy
from tanso.warehouse import run_dbt
from tests import built


def test_dbt_unit_tests_pass(tmp_path):
    with built.begin(tmp_path) as connection:
        load_policy().write(connection)
        lake.create_sources(connection, tmp_path / "no lake")
    command = [sys.executable, "-m", "dbt.cli.main", "build", "--exclude-resource-type", "test", "--quiet"]
    command += ["--select", "+path:models/intermediate/metered", "path:models/intermediate/shared"]
    command += ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
    command += ["--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path / "logs")]
    environment = os.environ | run_dbt.variables(tmp_path)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    log = (tmp_path / "logs" / "dbt.log").read_text(encoding="utf-8")
    assert log.count("PASS int_") >= 12  # an empty selection would pass, too
