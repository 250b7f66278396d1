"""Evaluations of one home in several processes: they wait for each other, and readers never notice."""

from __future__ import annotations

import subprocess
import sys
import time

import duckdb

from tanso.settings import PROJECT_ROOT
from tanso.warehouse import connect
from tests.warehouse.conftest import PACKS, PUBLISHED

CODE = """
import sys
from pathlib import Path
from tanso.settings import Home
from tanso.warehouse import evaluate
print(evaluate(Home(Path(sys.argv[1])), [Path(sys.argv[3])], True, Path(sys.argv[2])).status)
"""


def test_evaluations_in_two_processes_and_a_reader(project, place):
    project.evaluate(place.home)
    place.reading("238")
    command = [sys.executable, "-c", CODE, str(place.home.root), str(project.path), str(PACKS)]
    processes = [
        subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    seen = []
    while any(process.poll() is None for process in processes):
        with connect(place.home) as reader:
            seen.append(str(reader.execute("select usage from marts.fct_usage").fetchone()[0]))
        time.sleep(0.2)
    for process in processes:
        said, errors = process.communicate()
        assert (process.returncode, said.split()) == (0, ["built"]), errors
    # One after the other: first the old reading, then the corrected one, nothing else and never back.
    assert seen == sorted(seen) and set(seen) <= {"178.000", "238.000"}
    assert place.usages() == ["238.000"]
    assert place.names() == PUBLISHED
    builds = sorted((place.home.warehouse / "history").glob("*.duckdb"))
    usages = []
    for build in builds:
        with duckdb.connect(str(build), read_only=True) as connection:
            usages += connection.execute("select usage::varchar from marts.fct_usage").fetchall()
    assert usages == [("178.000",), ("238.000",)]  # and the published one
