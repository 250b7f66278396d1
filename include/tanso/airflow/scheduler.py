"""Airflow's scheduler, with the libraries that tasks need imported before it forks the processes they run in.

Otherwise every task imports them again, which of a run of many short tasks is most of what Airflow costs
(docs/performance.md). Other people's libraries only: the project's own modules are read by each task, so that a change
of them takes hold without a restart.
"""
# ruff: noqa: F401

from __future__ import annotations

import sys

import airflow.sdk.execution_time.task_runner
import dbt.adapters.duckdb.connections
import dbt.cli.main
import duckdb
import great_expectations
import jinja2
import openlineage.client
import pandas
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet
import typst
import xlsxwriter
from airflow.__main__ import main

if __name__ == "__main__":
    sys.argv[0] = "airflow"
    main()  # type: ignore[no-untyped-call]  # Airflow does not say its types here
