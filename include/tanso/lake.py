"""The lake: canonical Parquet without personal data, between the door and the rules.

One folder per table under ``lake/``; a table is all Parquet files below its folder. ``tanso.ingest`` (and, for
``ledger``, ``tanso.payouts``) writes them, the dbt sources of schema ``lake`` read them, columns in the order here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import duckdb

from tanso import sql
from tanso.files import DamagedFile, file_sha256, private_file

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
        "has_name": "BOOLEAN",
        "address_key": "VARCHAR",  # keyed hash of the postal address; null without one, or where nothing is delivered
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
        "address_key": "VARCHAR",  # of what was delivered (delivered.parquet of the batch); null where it is not known
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
        "sha256": "VARCHAR",  # null of what is not_a_file
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

# What an evaluation compares the lake with to see which periods it can leave as they are; filled by tanso.warehouse.
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


_NOT_NOTED = {"ledger"}  # written anew from exports/ by every evaluation


class DamagedLake(DamagedFile):
    """A file of the lake is not as it was written. ``path`` names it."""

    def __init__(self, path: Path):
        self.path = path
        if noted(path)["sha256"]:
            what = "is not as it was written: its SHA-256 is another"
            step = "evaluate (make evaluate), which makes it again from what was received"
        else:
            what = "has no SHA-256 noted beside it, as those of an earlier version have none"
            step = "ingest (make ingest), then evaluate (make evaluate), which make it again from what was received"
        super().__init__(f"{path} {what}; next step: {step}")


def files(lake: Path, tables: Iterable[str] = TABLES) -> list[Path]:
    """The Parquet files of the tables, sorted."""
    return sorted(path for table in tables for path in (lake / table).rglob("*.parquet"))


def hashes(lake: Path) -> dict[str, str]:
    """Every file of the tables, relative to the lake's folder, with its SHA-256."""
    return {path.relative_to(lake).as_posix(): file_sha256(path) for path in files(lake)}


def note(path: Path, sha256: str, made_of: str = "") -> None:
    """Note beside a lake file what it was written as, and what it was made of if that spares making it again."""
    written = {"sha256": sha256, "made_of": made_of}
    if noted(path) != written:
        temporary = path.with_name(f".{path.name}.json")
        with private_file(temporary) as file:
            file.write(json.dumps(written).encode() + b"\n")
        temporary.replace(_note(path))


def noted(path: Path) -> dict[str, str]:
    """``sha256`` and ``made_of`` of a lake file; empty texts without a readable note."""
    try:
        found = json.loads(_note(path).read_bytes())
        return {key: str(found[key]) for key in ("sha256", "made_of")}
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        return {"sha256": "", "made_of": ""}


def remove(path: Path) -> None:
    """Remove a lake file and its note."""
    path.unlink(missing_ok=True)
    _note(path).unlink(missing_ok=True)


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def checked(path: Path) -> Path:
    """The path of a lake file that is as it was written; else DamagedLake."""
    if file_sha256(path) != noted(path)["sha256"]:
        raise DamagedLake(path)
    return path


def check(lake: Path, tables: Iterable[str]) -> None:
    """Raise DamagedLake unless all files of the tables are as they were written."""
    for path in files(lake, tables):
        checked(path)


def damaged(lake: Path, hashes: dict[str, str]) -> list[Path]:
    """Of the lake's files (relative path -> SHA-256) those that are not as they were written."""
    return [
        lake / name
        for name, sha256 in hashes.items()
        if name.partition("/")[0] not in _NOT_NOTED and sha256 != noted(lake / name)["sha256"]
    ]


def columns_sql(table: str) -> str:
    """The table's columns as a DDL list: ``"program_id" VARCHAR, ...``."""
    return ", ".join(f'"{name}" {kind}' for name, kind in (TABLES | COMPARED)[table].items())


def create_sources(connection: duckdb.DuckDBPyConnection, lake: Path) -> None:
    """Make schema ``lake`` with one view per table over its Parquet files, or an empty table where there are none."""
    connection.execute("create schema if not exists lake")
    for table in TABLES:
        found = files(lake, [table])
        if found:
            columns = ", ".join(f'"{name}"::{kind} as "{name}"' for name, kind in TABLES[table].items())
            connection.execute(
                f"create or replace view lake.{table} as select {columns} "
                f"from read_parquet({sql.texts(found)}, hive_partitioning = false, union_by_name = true)"
            )
        else:
            connection.execute(f"create or replace table lake.{table} ({columns_sql(table)})")
    for table in COMPARED:
        connection.execute(f"create or replace table lake.{table} ({columns_sql(table)})")
