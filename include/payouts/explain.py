"""From a payout back to the readings: everything the marts say of one participant in one period."""

from __future__ import annotations

from typing import Any

import duckdb

from include import warehouse
from include.payouts.decision import rows
from include.settings import Home


def explain(home: Home, participant_id: str, period_id: str) -> list[dict[str, Any]]:
    """Why a participant got what they got in a period; one dict per programme that knows the participant.

    Keys: ``program_id``, ``payout`` (the row of ``fct_payouts`` or None), ``lines`` (issued), ``awards`` (each with
    ``rule``, the policy row), ``balance``, ``applications``, ``reductions``, ``comparisons``, and ``readings`` (all
    months up to the period's end, each with the ``file_name`` it came in). Raises ValueError for an unknown participant
    or period, NotPublishedError before the first evaluation.
    """
    with warehouse.connect(home) as marts:
        found = rows(
            marts,
            "select program_id, ends_on from marts.dim_participants join marts.dim_periods using (program_id) "
            "where participant_id = ? and period_id = ? order by program_id",
            [participant_id, period_id],
        )
        if not found:
            raise ValueError(
                f"Nothing is known of participant {participant_id!r} in period {period_id!r}; "
                "marts.dim_participants and marts.dim_periods list what is"
            )
        return [_explain(marts, row["program_id"], participant_id, period_id, row["ends_on"]) for row in found]


def _explain(
    marts: duckdb.DuckDBPyConnection, program_id: str, participant_id: str, period_id: str, ends_on: Any
) -> dict[str, Any]:
    key = [program_id, participant_id, period_id]

    def mart(table: str, order: str) -> list[dict[str, Any]]:
        where = "program_id = ? and participant_id = ? and period_id = ?"
        return rows(marts, f"select * from marts.{table} where {where} order by {order}", key)

    awards = mart("fct_point_awards", "award_type, utility")
    for award in awards:
        award["rule"] = _rule(marts, program_id, award["rule_id"])
    return {
        "program_id": program_id,
        "participant_id": participant_id,
        "period_id": period_id,
        "payout": next(iter(mart("fct_payouts", "participant_id")), None),
        "lines": mart("fct_payout_lines", "batch_id, line_no"),
        "awards": awards,
        "balance": next(iter(mart("fct_point_balances", "participant_id")), None),
        "applications": mart("fct_applications", "received_on, application_id"),
        "reductions": mart("fct_reductions", "utility"),
        "comparisons": mart("fct_monthly_comparisons", "utility, usage_month"),
        "readings": rows(
            marts,
            """
            select u.utility, u.usage_month, u.usage, u.is_estimated, u.source_file_id,
                any_value(f.file_name) as file_name
            from marts.fct_monthly_usage as u
            left join marts.dq_files as f on f.sha256 = u.source_file_id and f.status = 'accepted'
            where u.program_id = ? and u.participant_id = ? and u.usage_month <= ?
            group by all
            order by u.utility, u.usage_month
            """,
            [program_id, participant_id, ends_on],
        ),
    }


def _rule(marts: duckdb.DuckDBPyConnection, program_id: str, rule_id: str) -> dict[str, Any] | None:
    """The policy row of that id, with the table it stands in; None where the rule is not a row."""
    tables = marts.execute(
        "select table_name from information_schema.columns "
        "where table_schema = 'policy' and column_name = 'rule_id' order by table_name"
    ).fetchall()
    for (table,) in tables:
        found = rows(marts, f"select * from policy.{table} where program_id = ? and rule_id = ?", [program_id, rule_id])
        if found:
            return {"table": table, **found[0]}
    return None
