"""The lake: canonical Parquet without personal data, between the door and the rules.

One folder per table under ``lake/``; a table is all Parquet files below its folder. ``include/extracts`` (and, for
``ledger``, ``include/payouts``) writes them, the dbt sources of schema ``lake`` read them, columns in the order here.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from include import quoted

# table -> column -> DuckDB type
TABLES: dict[str, dict[str, str]] = {
    # One row per (provider, utility, meter_key, usage_month): the version in force.
    # Files: readings/source_id=<id>/usage_month=<YYYY-MM>/data.parquet, sorted by utility, meter_key.
    "readings": {
        "program_id": "VARCHAR",
        "source_id": "VARCHAR",
        "provider": "VARCHAR",
        "utility": "VARCHAR",  # electricity | water | gas | whatever a pack declares
        "meter_key": "VARCHAR",  # customer number without hyphens and spaces, or complex, dong, ho joined by U+001F
        "usage_month": "DATE",  # first day
        "usage": "DECIMAL(18,3)",  # in the utility's unit
        "tariff": "VARCHAR",  # folded, without spaces; null where the extract has none
        "is_estimated": "BOOLEAN",
        "source_file_id": "VARCHAR",  # SHA-256 of the landed file
    },
    # One row per participant of a programme: the register in force (kept rows included).
    "participants": {
        "program_id": "VARCHAR",
        "participant_id": "VARCHAR",
        "participant_type": "VARCHAR",
        "participant_class": "VARCHAR",
        "region_code": "VARCHAR",
        "nickname": "VARCHAR",
        "joined_on": "DATE",
        "withdrawn_on": "DATE",
        "moved_in_on": "DATE",
        "moved_out_on": "DATE",
        "incentive_type": "VARCHAR",  # what was chosen; null if nothing, 'unknown' if not one of the source's values
        "area_m2": "DECIMAL(9,1)",
        "complex_code": "VARCHAR",
        "households": "INTEGER",  # of a complex
        "has_bank_account": "BOOLEAN",  # whole and as the register's account_format demands
        "holder_matches": "BOOLEAN",  # account holder = participant's name, without spaces
        "has_card": "BOOLEAN",
        "account_key": "VARCHAR",  # keyed hash of bank code and account number; null without one
        "card_key": "VARCHAR",  # keyed hash of the card number; null without one
        "former_scheme_applied_on": "DATE",
        "pre_enrolment_co2_kg": "DECIMAL(18,6)",
        "source_file_id": "VARCHAR",  # the snapshot this row was taken from; the vault's part lies under the same id
    },
    # One row per participant and utility in use. provider and meter_key are null where usage comes on slips.
    "participant_utilities": {
        "program_id": "VARCHAR",
        "participant_id": "VARCHAR",
        "utility": "VARCHAR",
        "provider": "VARCHAR",
        "meter_key": "VARCHAR",
    },
    # One row per participant, utility and month: this year's and last year's usage as printed on the slip; in force.
    "slips": {
        "program_id": "VARCHAR",
        "participant_id": "VARCHAR",
        "utility": "VARCHAR",
        "usage_month": "DATE",
        "usage": "DECIMAL(18,3)",
        "previous_usage": "DECIMAL(18,3)",  # null: not on the slip
        "source_file_id": "VARCHAR",
    },
    # One row per application_id: the version of the last file.
    "applications": {
        "program_id": "VARCHAR",
        "application_id": "VARCHAR",
        "participant_id": "VARCHAR",
        "fiscal_year": "INTEGER",
        "received_on": "DATE",
        "sheets": "VARCHAR",  # utilities whose slip sheet came with it, space-separated, sorted
        "prize_code": "VARCHAR",
        "eco_marks": "INTEGER",
        "reported_months": "VARCHAR",  # calendar months with a behaviour report, space-separated, e.g. '7 8 12'
        "source_file_id": "VARCHAR",
    },
    # One row per activity row in force.
    "activities": {
        "program_id": "VARCHAR",
        "participant_id": "VARCHAR",
        "acted_on": "DATE",
        "action_code": "VARCHAR",
        "quantity": "INTEGER",
        "file_name": "VARCHAR",
        "received_no": "INTEGER",  # order in which the source's files were received
        "row_no": "INTEGER",
        "source_file_id": "VARCHAR",
    },
    "opening_points": {
        "program_id": "VARCHAR",
        "participant_id": "VARCHAR",
        "certified_on": "DATE",
        "points": "BIGINT",
        "source_file_id": "VARCHAR",
    },
    # One row per returned payout line.
    "returns": {
        "program_id": "VARCHAR",
        "batch_id": "VARCHAR",
        "line_no": "INTEGER",
        "reason": "VARCHAR",
        "received_at": "TIMESTAMP",  # UTC; of the last file that has the line: no return of a batch issued after it
        "source_file_id": "VARCHAR",
    },
    # One row per issued payout line, from exports/ (lines.parquet + the manifest's issued_at).
    "ledger": {
        "program_id": "VARCHAR",
        "period_id": "VARCHAR",
        "batch_id": "VARCHAR",
        "line_no": "INTEGER",
        "participant_id": "VARCHAR",
        "region_code": "VARCHAR",
        "incentive_type": "VARCHAR",
        "amount": "BIGINT",
        "currency": "VARCHAR",
        "won_per_point": "DECIMAL(6,2)",
        "payee_key": "VARCHAR",
        "issued_at": "TIMESTAMP",
    },
    # One row per provider and utility that a declared source reads.
    "providers": {
        "program_id": "VARCHAR",
        "utility": "VARCHAR",
        "provider": "VARCHAR",
        "source_id": "VARCHAR",
    },
    # One row per received file.
    "files": {
        "program_id": "VARCHAR",
        "source_id": "VARCHAR",
        "file_name": "VARCHAR",
        "sha256": "VARCHAR",
        "received_at": "TIMESTAMP",
        "status": "VARCHAR",  # accepted | rejected | duplicate
        "reason": "VARCHAR",
        "rows_read": "BIGINT",
        "rows_accepted": "BIGINT",
        "rows_quarantined": "BIGINT",
        "rows_duplicate": "BIGINT",
    },
    # One row per refused row.
    "quarantine": {
        "source_id": "VARCHAR",
        "file_name": "VARCHAR",
        "sha256": "VARCHAR",
        "row_no": "BIGINT",
        "reason": "VARCHAR",
    },
}

# What an evaluation compares the lake with to see which periods it can leave as they are; filled by include/warehouse.
# Empty (the lake is read by someone else, or for the first time), everything counts as changed.
COMPARED: dict[str, dict[str, str]] = {
    # One row per usage month: digest of the bytes of its readings' files.
    "reading_months": {"usage_month": "DATE", "sha256": "VARCHAR"},
    # The tables int_reading_months, int_reading_files, int_metered_units and int_period_inputs of the published marts.
    "published_reading_months": {"usage_month": "DATE", "sha256": "VARCHAR"},
    "published_reading_files": {"file_no": "INTEGER", "source_file_id": "VARCHAR"},
    "published_units": {
        "unit_key": "INTEGER",
        "program_id": "VARCHAR",
        "participant_id": "VARCHAR",
        "utility": "VARCHAR",
        "provider": "VARCHAR",
        "meter_key": "VARCHAR",
        "region_code": "VARCHAR",
    },
    "published_period_inputs": {
        "period_no": "INTEGER",
        "program_id": "VARCHAR",
        "period_id": "VARCHAR",
        "digest": "VARCHAR",
    },
}


def columns_sql(table: str) -> str:
    """The table's columns as a DDL list: ``"program_id" VARCHAR, ...``."""
    return ", ".join(f'"{name}" {kind}' for name, kind in (TABLES | COMPARED)[table].items())


def create_sources(connection: duckdb.DuckDBPyConnection, lake: Path) -> None:
    """Make schema ``lake`` with one view per table over its Parquet files, or an empty table where there are none."""
    connection.execute("create schema if not exists lake")
    for table in TABLES:
        files = sorted(str(path) for path in (lake / table).rglob("*.parquet"))
        if files:
            columns = ", ".join(f'"{name}"::{kind} as "{name}"' for name, kind in TABLES[table].items())
            connection.execute(
                f"create or replace view lake.{table} as select {columns} "
                f"from read_parquet({quoted.texts(files)}, hive_partitioning = false, union_by_name = true)"
            )
        else:
            connection.execute(f"create or replace table lake.{table} ({columns_sql(table)})")
    for table in COMPARED:
        connection.execute(f"create or replace table lake.{table} ({columns_sql(table)})")
