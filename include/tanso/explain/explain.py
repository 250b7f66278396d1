"""From a payout back to the bytes that were received: everything known of one participant in one period."""

from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import duckdb

from tanso import sql, warehouse
from tanso.explain import trace
from tanso.settings import Home
from tanso.sql import Row, rows

ACTIONS = "environmental_action"
_WITH_POINTS_OR_LINES = """(program_id, period_id) in (
    select (program_id, period_id) from marts.fct_point_awards where participant_id = ?
    union select (program_id, period_id) from marts.fct_payout_lines where participant_id = ?
)"""


def explain(home: Home, participant_id: str, period_id: str | None = None) -> list[Row]:
    """Why a participant got what they got; one dict per programme that knows the participant and period.

    Without a period: every one with points or a payout line. Keys: ``program_id``, ``participant_id``, ``period_id``,
    ``payout`` (the row of ``fct_payouts`` or None), ``lines`` (issued), ``settlement`` (what was paid and sent back,
    what is due, and the difference, entry by entry), ``awards`` (each with ``rule``, the policy row), ``balance``,
    ``opening_points``, ``applications``, ``actions``, ``reductions``, ``comparisons``, ``readings`` (all months up to
    the period's end; ``is_in_period``, ``is_in_baseline``), ``corrections`` (readings that later files replaced),
    ``register`` (where the register's row came from) and ``files``. What was received has ``source_file_id`` (SHA-256)
    and ``row_no``, the data row in that file. No personal data. Raises ValueError for an unknown participant or period,
    NotPublishedError before the first evaluation.
    """
    with warehouse.connect(home) as marts:
        chosen = "period_id = ?" if period_id else _WITH_POINTS_OR_LINES
        found = rows(
            marts,
            "select program_id, period_id, ends_on "
            "from marts.dim_participants join marts.dim_periods using (program_id) "
            f"where participant_id = ? and {chosen} order by program_id, ends_on, period_id",
            [participant_id, period_id] if period_id else [participant_id] * 3,
        )
        if not found:
            raise ValueError(
                f"Unknown participant {participant_id!r}"
                + (f" or period {period_id!r}" if period_id else "")
                + ". Known ones are in marts.dim_participants and marts.dim_periods."
            )
        explained = []
        for program_id in dict.fromkeys(row["program_id"] for row in found):
            trace.load(marts, home, program_id, participant_id)
            periods = [row for row in found if row["program_id"] == program_id]
            explained += [_explain(marts, home, participant_id, period) for period in periods]
        return explained


def _explain(marts: duckdb.DuckDBPyConnection, home: Home, participant_id: str, period: Row) -> Row:
    program_id, period_id = period["program_id"], period["period_id"]
    key = [program_id, participant_id, period_id]

    def mart(table: str, order: str) -> list[Row]:
        where = "program_id = ? and participant_id = ? and period_id = ?"
        return rows(marts, f"select * from marts.{table} where {where} order by {order}", key)

    lines = mart("fct_payout_lines", "batch_id, line_no")
    zone = ZoneInfo(sql.scalar(marts, "select time_zone from policy.programs where program_id = ?", [program_id]))
    for line in lines:
        line["issued_at"] = line["issued_at"].replace(tzinfo=UTC).astimezone(zone)
    awards = mart("fct_point_awards", "award_type, utility")
    for award in awards:
        award["rule"] = _rule(marts, program_id, participant_id, period_id, award["rule_id"])
    explained = {
        "program_id": program_id,
        "participant_id": participant_id,
        "period_id": period_id,
        "payout": next(iter(mart("fct_payouts", "participant_id")), None),
        "lines": lines,
        "awards": awards,
        "balance": next(iter(mart("fct_point_balances", "participant_id")), None),
        "opening_points": rows(
            marts,
            "select certified_on, points, source_file_id, row_no from lake_opening_points "
            "left join received using (source_file_id, certified_on, points) order by all",
        ),
        "applications": rows(
            marts,
            "select a.*, l.eco_marks, l.reported_months, l.source_file_id, received.row_no "
            "from marts.fct_applications as a left join lake_applications as l using (application_id) "
            "left join received on received.source_file_id = l.source_file_id "
            "and received.application_id = a.application_id "
            "where a.program_id = ? and a.participant_id = ? and a.period_id = ? order by received_on, application_id",
            key,
        ),
        "actions": rows(
            marts,
            "select acted_on, action_code, quantity, status, points, source_file_id, row_no "
            "from intermediate.int_actions where program_id = ? and participant_id = ? and period_id = ? order by all",
            key,
        ),
        "reductions": mart("fct_reductions", "utility"),
        "comparisons": mart("fct_monthly_comparisons", "utility, usage_month"),
        "readings": trace.readings(marts, program_id, participant_id, period),
        "corrections": trace.corrections(marts, program_id, participant_id, period),
        "register": rows(
            marts,
            "select source_file_id, row_no from lake_participants "
            "left join received using (source_file_id, participant_id)",
        ),
    }
    explained["settlement"] = _settlement(explained["payout"], explained["lines"])
    parts = ("opening_points", "applications", "actions", "readings", "corrections", "register")
    received = [explained[part] for part in parts]
    explained["files"] = trace.files(marts, home, (row["source_file_id"] for part in received for row in part))
    names = {file["sha256"]: file["file_name"] for file in explained["files"]}
    for row in (row for part in received for row in part):
        row["file_name"] = names.get(row["source_file_id"])
    return explained


def _settlement(payout: Row | None, lines: list[Row]) -> list[Row]:
    """Entries with ``amount`` and what is paid by then (``paid``); the last is the difference to what is due."""
    paid, entries = 0, []

    def enter(entry: str, amount: int, line: Row | None = None) -> None:
        of = {"batch_id": line and line["batch_id"], "line_no": line and line["line_no"]}
        entries.append({"entry": entry, **of, "amount": amount, "paid": paid})

    for line in lines:
        paid += line["amount"]
        enter("issued", line["amount"], line)
        if line["returned_reason"] is not None:
            paid -= line["amount"]
            enter(f"sent back by the bank: {line['returned_reason']}".rstrip(": "), -line["amount"], line)
    due = payout["amount"] if payout else 0
    if due is None or not (payout or lines):
        return entries
    enter("due by the rules today", due)
    held = payout and payout["hold_reason"]
    words = f"held ({held})" if held and due > paid else "to be paid" if due >= paid else "overpaid, set off later"
    enter(words, due - paid)
    return entries


def _rule(
    marts: duckdb.DuckDBPyConnection, program_id: str, participant_id: str, period_id: str, rule_id: str
) -> Row | None:
    """The policy row of that id, with the table it stands in. Where the rule is no row of bands: of actions the rows
    of ``action_points``, else the ``point_rules`` in force; None where there is neither."""
    tables = marts.execute(
        "select table_name from information_schema.columns "
        "where table_schema = 'policy' and column_name = 'rule_id' order by table_name"
    ).fetchall()
    for (table,) in tables:
        found = rows(marts, f"select * from policy.{table} where program_id = ? and rule_id = ?", [program_id, rule_id])
        if found:
            return {"table": table, **found[0]}
    if rule_id == ACTIONS:
        handed_in = "select action_code from intermediate.int_actions where participant_id = ? and status = 'accepted'"
        listed = rows(
            marts,
            "select * from policy.action_points where program_id = ? and period_id = ? "
            f"and action_code in ({handed_in}) order by action_code",
            [program_id, period_id, participant_id],
        )
        return {"table": "action_points", "rows": listed}
    in_force = rows(
        marts,
        "select r.* from policy.point_rules as r join marts.dim_periods as p using (program_id) "
        "where program_id = ? and period_id = ? and r.valid_from_on <= p.starts_on "
        "order by r.valid_from_on desc limit 1",
        [program_id, period_id],
    )
    return {"table": "point_rules", **in_force[0]} if in_force else None
