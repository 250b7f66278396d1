"""Payout dates of the policy that are near, or have passed with something still due."""

from __future__ import annotations

from datetime import date, timedelta

from tanso import days
from tanso.settings import Home

NEAR = timedelta(days=31)
LATE = timedelta(days=14)


def sentences(home: Home, as_of: date | None) -> list[str]:
    """One sentence per programme and period, empty when there is nothing to say or nothing is evaluated yet."""
    from tanso import warehouse
    from tanso.payouts.decision import standing, zones

    if not home.database.exists():
        return []
    with warehouse.connect(home, by_bytes=False) as marts:
        today = days.of_programs(as_of, zones(marts))
        payable_from = {
            (program_id, period_id): day
            for program_id, period_id, day in marts.sql(
                "select program_id, period_id, payable_from from marts.dim_periods where payable_from is not null"
            ).fetchall()
        }
    said = []
    for row in standing(home, {program_id: day + NEAR for program_id, day in today.items()}):
        key = (row["program_id"], row["period_id"])
        day = payable_from.get(key)
        amount = f"{row['to_pay']:,} {row['currency']}"
        if not day or not row["to_pay"]:
            continue
        if day > today[row["program_id"]]:
            said.append(
                f"{' '.join(key)} becomes payable on {day}: {amount}. Run evaluate_programs on or after that day."
            )
        elif day + LATE <= today[row["program_id"]]:
            said.append(f"{' '.join(key)} is payable since {day}, and {amount} are not issued. Approve its proposal.")
    return said
