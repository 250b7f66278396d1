"""The published file's shape: every mart's columns, order, types and grain; nothing personal in it or beside it."""

from __future__ import annotations

import duckdb
import pytest

USAGE, EXACT, POINTS = "DECIMAL(18,3)", "DECIMAL(18,6)", "BIGINT"
DATES = {
    *("starts_on", "ends_on", "payable_from", "joined_on", "withdrawn_on", "moved_in_on", "moved_out_on"),
    *("usage_month", "received_on", "certified_on", "acted_on"),
}
TYPES = {
    **dict.fromkeys(DATES, "DATE"),
    **dict.fromkeys(["usage", "actual_usage"], USAGE),
    **dict.fromkeys(["baseline_usage", "reduction", "reduction_rate", "score", "co2_kg"], EXACT),
    **dict.fromkeys(["baseline_co2_kg", "actual_co2_kg", "co2_reduction_kg"], EXACT),
    **dict.fromkeys(["points", "amount", "paid_amount", "opening_points", "earned_points"], POINTS),
    **dict.fromkeys(["expired_points", "redeemed_points", "closing_points"], POINTS),
    **dict.fromkeys(["is_estimated", "is_top_performer", "is_commended", "is_winner"], "BOOLEAN"),
    **dict.fromkeys(["issued_at", "received_at"], "TIMESTAMP"),
    "won_per_point": "DECIMAL(6,2)",
    "area_m2": "DECIMAL(9,1)",
}
COUNTS = {
    *("months", "months_evaluated", "rank", "draw_order", "line_no", "participants", "evaluated", "awarded"),
    *("rows_read", "rows_accepted", "rows_quarantined", "rows_duplicate", "row_no", "quantity"),
}
# mart -> (columns, how many of them are the grain, or the grain)
MARTS = {
    "dim_programs": ("program_id, name_en, name_local, country, currency", "program_id"),
    "dim_periods": ("program_id, period_id, starts_on, ends_on, months, payable_from", "program_id, period_id"),
    "dim_participants": (
        "program_id, participant_id, participant_type, participant_class, region_code, nickname, joined_on, "
        "withdrawn_on, moved_in_on, moved_out_on, incentive_type, area_m2",
        "program_id, participant_id",
    ),
    "fct_monthly_usage": (
        "program_id, participant_id, region_code, utility, usage_month, usage, co2_kg, is_estimated, source_file_id",
        "program_id, participant_id, utility, usage_month",
    ),
    "fct_reductions": (
        "program_id, period_id, participant_id, region_code, participant_class, utility, status, months_evaluated, "
        "baseline_usage, actual_usage, reduction, reduction_rate, baseline_co2_kg, actual_co2_kg, co2_reduction_kg",
        "program_id, period_id, participant_id, utility",
    ),
    "fct_monthly_comparisons": (
        "program_id, period_id, participant_id, region_code, utility, usage_month, baseline_usage, actual_usage, "
        "status",
        "program_id, period_id, participant_id, utility, usage_month",
    ),
    "fct_applications": (
        "program_id, period_id, application_id, participant_id, received_on, status, certified_on",
        "program_id, application_id",
    ),
    "fct_point_awards": (
        "program_id, period_id, participant_id, region_code, award_type, utility, points, certified_on, rule_id, "
        "explanation",
        "program_id, period_id, participant_id, award_type, utility",
    ),
    "fct_rankings": (
        "program_id, period_id, region_code, ranking_id, participant_class, rank, participant_id, nickname, score, "
        "co2_reduction_kg, reduction_rate, is_top_performer, is_commended",
        "program_id, period_id, region_code, ranking_id, participant_class, participant_id",
    ),
    "fct_lottery_entries": (
        "program_id, period_id, participant_id, nickname, draw_key, draw_order, is_winner",
        "program_id, period_id, participant_id",
    ),
    "fct_point_balances": (
        "program_id, period_id, participant_id, opening_points, earned_points, expired_points, redeemed_points, "
        "closing_points",
        "program_id, period_id, participant_id",
    ),
    "fct_payouts": (
        "program_id, period_id, participant_id, region_code, incentive_type, points, won_per_point, amount, "
        "currency, status, hold_reason, paid_amount",
        "program_id, period_id, participant_id",
    ),
    "fct_payout_lines": (
        "program_id, period_id, batch_id, line_no, participant_id, region_code, incentive_type, amount, currency, "
        "issued_at, returned_reason",
        "program_id, batch_id, line_no",
    ),
    "agg_region_results": (
        "program_id, period_id, region_code, utility, participants, evaluated, awarded, baseline_usage, "
        "actual_usage, reduction_rate, co2_reduction_kg, points, amount",
        "program_id, period_id, region_code, utility",
    ),
    "dq_files": (
        "source_id, file_name, sha256, received_at, status, reason, rows_read, rows_accepted, rows_quarantined, "
        "rows_duplicate",
        "source_id, file_name, sha256, status",
    ),
    "dq_quarantine": ("source_id, file_name, sha256, row_no, reason", "source_id, sha256, row_no"),
    "dq_unmatched_meters": (
        "program_id, region_code, participant_id, utility, provider, reason",
        "program_id, participant_id, utility",
    ),
    "dq_policy_gaps": ("program_id, region_code, period_id, participants", "program_id, region_code, period_id"),
    "fct_actions": (
        "program_id, period_id, participant_id, action_code, acted_on, quantity, status, points",
        None,
    ),
}
PERSONAL = [
    *("홍길동", "홍 길 동", "김철수", "진주대로", "010-1234-5678", "01012345678", "110-222-333333"),
    *("110222333333", "member00001", "中野 花子", "中野花子", "164-8501", "中野四丁目"),
]


def test_these_marts_and_no_others(examples):
    found = examples.rows("select table_name, table_type from information_schema.tables where table_schema = 'marts'")
    assert dict(found) == dict.fromkeys(MARTS, "BASE TABLE")


@pytest.mark.parametrize("mart", MARTS)
def test_columns(examples, mart):
    found = dict(
        examples.rows(
            "select column_name, data_type from information_schema.columns"
            " where table_schema = 'marts' and table_name = ? order by ordinal_position",
            mart,
        )
    )
    columns = MARTS[mart][0].split(", ")
    assert list(found) == columns
    for column, kind in found.items():
        if column in COUNTS:
            assert kind in ("INTEGER", "BIGINT"), column
        else:
            assert kind == TYPES.get(column, "VARCHAR"), column


@pytest.mark.parametrize("mart", [mart for mart, (_, grain) in MARTS.items() if grain])
def test_grain(examples, mart):
    grain = MARTS[mart][1]
    assert examples.rows(f"select {grain}, count(*) from marts.{mart} group by {grain} having count(*) > 1") == []


def test_no_mart_is_empty_but_the_ledger(examples):
    empty = {mart for mart in MARTS if examples.rows(f"select count(*) from marts.{mart}") == [(0,)]}
    assert empty == {"fct_payout_lines"}, "nothing was approved"


def test_nothing_is_issued_without_approval(examples):
    assert not list((examples.home / "exports").rglob("manifest.json"))
    assert list((examples.home / "proposals").rglob("proposal.json"))


def test_no_floating_point(examples):
    assert examples.rows("select * from information_schema.columns where data_type in ('DOUBLE', 'FLOAT')") == []


def _texts(connection: duckdb.DuckDBPyConnection, relation: str) -> str:
    columns = [row[0] for row in connection.execute(f"describe from {relation}").fetchall()]
    listed = ", ".join(f'"{column}"::varchar' for column in columns)
    return "\n".join(
        row[0] for row in connection.execute(f"select concat_ws('|', {listed}) from {relation}").fetchall()
    )


def test_marts_hold_nobody_s_data(examples):
    with duckdb.connect(str(examples.home / "warehouse" / "tanso.duckdb"), read_only=True) as connection:
        tables = connection.execute("select table_schema, table_name from information_schema.tables").fetchall()
        text = "\n".join(_texts(connection, f'"{schema}"."{table}"') for schema, table in tables)
    assert "K1-E1" in text
    assert [item for item in PERSONAL if item in text] == []


def test_the_lake_holds_nobody_s_data(examples):
    with duckdb.connect() as connection:
        files = list((examples.home / "lake").rglob("*.parquet"))
        text = "\n".join(_texts(connection, f"read_parquet('{path}')") for path in files)
    assert "K1-E1" in text
    assert [item for item in PERSONAL if item in text] == []


def test_logs_reports_and_proposals_name_nobody(examples):
    apart = ("inbox", "landing", "vault", "quarantine", "lake")
    for path in examples.home.rglob("*"):
        if path.is_file() and path.relative_to(examples.home).parts[0] not in apart:
            content = path.read_bytes()
            assert [item for item in PERSONAL if item.encode() in content] == [], path


def test_the_vault_is_no_plain_text(examples):
    files = [path for path in (examples.home / "vault").rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert [item for item in PERSONAL if item.encode() in path.read_bytes()] == [], path
