"""What an approver is asked, made from a proposal: figures by region and kind, never a name or an account."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from include.payouts import Proposal


def question(proposal: Proposal) -> dict[str, str]:
    """``proposal_id``, a one-line ``subject`` and a ``body`` in Markdown."""
    return {
        "proposal_id": proposal.proposal_id,
        "subject": f"{proposal.program_id} {proposal.batch_id}: "
        f"pay {money(proposal.amount, proposal.currency)} in {proposal.lines:,} lines?",
        "body": body(proposal),
    }


def money(amount: int, currency: str) -> str:
    """``1,234 KRW``."""
    return f"{amount:,} {currency}"


def body(proposal: Proposal) -> str:
    """Totals, change, held, the ten largest lines, and what it was computed from, as Markdown."""
    before = proposal.previous_period_id or "earlier period"
    columns = ["region", "kind", "lines", "amount", f"{proposal.period_id} so far", before, "change"]
    parts = [_people(proposal)] if proposal.approvers > 1 else []
    parts += [
        f"What is due on {proposal.as_of}, less what this period's {proposal.issued_before['batches']} earlier batches "
        f"paid ({money(proposal.issued_before['amount'], proposal.currency)}).",
        "**By region and kind**",
        _table(columns, _totals(proposal)),
        "**Held: not paid until mended**",
        _table(
            ["region", "reason", "participants", "amount"],
            ([row["region_code"], row["hold_reason"], row["participants"], row["amount"]] for row in proposal.held),
        ),
        "**The largest lines**",
        _table(
            ["participant", "region", "kind", "amount"],
            ([row["participant_id"], row["region_code"], row["incentive_type"], row["amount"]] for row in proposal.top),
        ),
    ]
    if proposal.lists:
        parts += [
            "**Lists that go with it**",
            _table(
                ["region", "list", "entries"],
                ([row["region_code"], row["list"], row["items"]] for row in proposal.lists),
            ),
        ]
    if proposal.overpaid["participants"]:
        overpaid = money(proposal.overpaid["amount"], proposal.currency)
        parts.append(f"Overpaid and set off later: {overpaid} to {proposal.overpaid['participants']:,} participants.")
    parts.append(
        f"Code `{proposal.code_version}`, policy `{proposal.policy_sha256}`, proposal `{proposal.proposal_id}`. "
        f"Lines: `proposals/{proposal.program_id}/{proposal.period_id}/lines.parquet`."
    )
    return "\n\n".join(parts)


def _totals(proposal: Proposal) -> list[list]:
    """Per region and kind, and in all: lines, amount, the period's so far, the earlier period's, the change."""
    names = ("lines", "amount", "period_amount", "previous_amount")
    found = [[row["region_code"], row["incentive_type"], *(row[name] for name in names)] for row in proposal.totals]
    if len(found) > 1:
        found.append(["all", "", *(sum(row[name] for row in proposal.totals) for name in names)])
    return [[*row, row[-2] - row[-1]] for row in found]


def _people(proposal: Proposal) -> str:
    return f"**{proposal.approvers} different people must approve this** (policy `approval_rules`)."


def _table(head: list[str], rows: Iterable[list]) -> str:
    lines = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    if not lines:
        return "None."
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *lines])
