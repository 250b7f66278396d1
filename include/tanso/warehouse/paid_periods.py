"""Periods that batches have paid stay what they were: under another name, or with other days, they are paid again."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import duckdb

from tanso.ledger import ledger
from tanso.packs.policy import Policy
from tanso.packs.values import PeriodKind
from tanso.settings import Home
from tanso.warehouse import read


class PeriodUnknown(RuntimeError):
    """The ledger has a period that policy does not know."""


def check(home: Home, policy: Policy) -> None:
    """Raises PeriodUnknown for a programme or period of the ledger that policy lacks, or has with another first day."""
    paid: dict[str, set[str]] = defaultdict(set)
    for folder in ledger.batches(home):
        paid[folder.parts[-3]].add(folder.parts[-2])
    programs = {row["program_id"] for row in policy.rows("programs")}
    before = _first_days(home) if paid else {}
    for program_id, period_ids in sorted(paid.items()):
        if program_id not in programs:
            raise PeriodUnknown(
                f"The ledger has batches of programme {program_id}, periods {', '.join(sorted(period_ids))}, but "
                f"policy has only the programmes {', '.join(sorted(programs)) or '(none)'}: under another name it "
                f"would be paid again. Give the pack its folder name {program_id} again, or set TANSO_PROGRAMS to "
                "where it is."
            )
        kinds = [
            PeriodKind(row["period_kind"], row["label"], row["starts_month"], ())
            for row in policy.rows("period_rules", program_id)
        ]
        for period_id in sorted(period_ids):
            starts_on = next(filter(None, (kind.starts_on(period_id) for kind in kinds)), None)
            was_on = before.get((program_id, period_id))
            labels = ", ".join(kind.label for kind in kinds) or "(none)"
            if starts_on is None:
                unknown = [one for one in sorted(period_ids) if not any(kind.starts_on(one) for kind in kinds)]
                raise PeriodUnknown(
                    f"The ledger has the periods {', '.join(unknown)} of {program_id}, but the labels in "
                    f"policy/period_rules.csv are {labels}: under another name they would be paid again. Put the label "
                    "back under which they were paid."
                )
            if was_on not in (None, starts_on):
                raise PeriodUnknown(
                    f"The ledger has the period {period_id} of {program_id}, which began on {was_on} when it was paid; "
                    f"by policy/period_rules.csv (labels {labels}) it begins on {starts_on}: its payments would count "
                    "for other months. Put label and starts_month back."
                )


def _first_days(home: Home) -> dict[tuple[str, str], date]:
    """(programme, period) -> first day, as published; empty when nothing is, or it was damaged since."""
    try:
        with read.connect(home, by_bytes=False) as marts:
            found = marts.execute("select program_id, period_id, starts_on from marts.dim_periods").fetchall()
    except (read.NotPublishedError, read.ChangedError, duckdb.Error):
        return {}
    return {(program_id, period_id): starts_on for program_id, period_id, starts_on in found}
