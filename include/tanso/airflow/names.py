"""Names that Airflow and those who talk to it share.

Imports nothing, so that a command may ask without loading Airflow.
"""

from __future__ import annotations

DAGS = ("ingest_extracts", "evaluate_programs", "issue_payouts")

# Name, slots and reason, as Airflow makes a pool.
WRITER_POOL = "duckdb_writer"
WRITER_SLOTS = 1
WRITER_REASON = "DuckDB allows one writer"
