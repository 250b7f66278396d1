"""Why a participant got what they got in a period, down to the files that the readings came in, as text."""

from __future__ import annotations

from typing import Any

from include.reports.text import section, table
from include.settings import Home

# What of each part is worth a line, in this order; parts and columns as ``include.payouts.explain`` gives them.
COLUMNS = {
    "awards": ["award_type", "utility", "points", "certified_on", "rule_id", "explanation"],
    "applications": ["application_id", "received_on", "status", "certified_on"],
    "reductions": ["utility", "status", "baseline_usage", "actual_usage", "reduction_rate", "co2_reduction_kg"],
    "comparisons": ["utility", "usage_month", "baseline_usage", "actual_usage", "status"],
    "readings": ["utility", "usage_month", "usage", "is_estimated", "file_name"],
    "lines": ["batch_id", "line_no", "incentive_type", "amount", "issued_at", "returned_reason"],
}


def explain(home: Home, participant_id: str, period_id: str) -> str:
    """The explanation as text. Raises what ``include.payouts.explain.explain`` raises."""
    from include.payouts.explain import explain

    return "\n".join(_text(found) for found in explain(home, participant_id, period_id))


def _text(found: dict[str, Any]) -> str:
    parts = [f"# {found['program_id']} {found['period_id']}: {found['participant_id']}\n"]
    for name in ("payout", "balance"):
        if found[name]:
            rows = [[key, value] for key, value in found[name].items() if value is not None]
            parts.append(section(name.capitalize(), table(["what", "value"], rows)))
    for name, columns in COLUMNS.items():
        rows = [[row[column] for column in columns] for row in found[name]]
        parts.append(section(name.capitalize(), table(columns, rows, limit=400)))
    return "\n".join(part for part in parts if part)
