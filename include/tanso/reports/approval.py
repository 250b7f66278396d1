"""What an approver is asked, made from a proposal: figures by region and kind, never a name or an account.

Ids come from registers and packs, so they are escaped for where they are shown: a page that renders Markdown, or a
terminal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tanso import shown
from tanso.reports.text import table

if TYPE_CHECKING:
    from tanso.payouts import Proposal


@dataclass(frozen=True)
class Style:
    """How texts from outside, titles and tables are written."""

    text: Callable[[str], str]
    code: Callable[[str], str]
    title: Callable[[str], str]
    table: Callable[[Sequence[str], list[list[Any]]], str]


def question(proposal: Proposal) -> dict[str, str]:
    """``proposal_id``, a one-line ``subject`` in plain text and a ``body`` in Markdown."""
    return {"proposal_id": proposal.proposal_id, "subject": subject(proposal), "body": body(proposal, MARKDOWN)}


def subject(proposal: Proposal) -> str:
    return shown.escaped(
        f"{proposal.program_id} {proposal.batch_id}: "
        f"pay {money(proposal.amount, proposal.currency)} in {proposal.lines:,} lines?"
    )


def money(amount: int, currency: str) -> str:
    """``1,234`` and the currency."""
    return f"{amount:,} {currency}"


def body(proposal: Proposal, style: Style) -> str:
    """Totals, change, held, the ten largest lines, and what it was computed from."""
    return "\n\n".join(_parts(proposal, style))


def _parts(proposal: Proposal, style: Style) -> Iterator[str]:
    def paid(amount: int) -> str:
        return money(amount, style.text(proposal.currency))

    def listed(title: str, head: Sequence[str], rows: list[dict[str, Any]], names: Sequence[str]) -> Iterator[str]:
        yield style.title(title)
        yield style.table(head, [[row[name] for name in names] for row in rows]) or "None."

    if proposal.approvers > 1:
        must = style.title(f"{proposal.approvers} different people must approve this")
        yield f"{must} (policy {style.code('approval_rules')})."
    if proposal.failed_sources:
        named = ", ".join(style.text(source_id) for source_id in proposal.failed_sources)
        yield (
            f"{style.title('Worked out without all sources')}: {named} failed in the newest ingest. What they would "
            "have brought is missing here; a region's rate is fixed by its first batch."
        )
    yield (
        f"What is due on {proposal.as_of}, less what this period's {proposal.issued_before['batches']} earlier batches "
        f"paid ({paid(proposal.issued_before['amount'])})."
    )
    yield style.title("By region and kind")
    columns = ["region", "kind", "lines", "amount", f"{proposal.period_id} so far"]
    columns += [proposal.previous_period_id or "earlier period", "change"]
    yield style.table(columns, _totals(proposal)) or "None."
    yield from listed(
        "On hold: not paid until fixed",
        ["region", "reason", "participants", "amount"],
        proposal.held,
        ["region_code", "hold_reason", "participants", "amount"],
    )
    yield from listed(
        "The largest lines",
        ["participant", "region", "kind", "amount"],
        proposal.top,
        ["participant_id", "region_code", "incentive_type", "amount"],
    )
    if proposal.same_payee["payees"]:
        yield from listed(
            f"More than one line to the same account or card: {proposal.same_payee['payees']:,}, the largest",
            ["participants", "lines", "amount"],
            [row | {"participants": ", ".join(row["participants"])} for row in proposal.same_payee["largest"]],
            ["participants", "lines", "amount"],
        )
    if proposal.lists:
        yield from listed(
            "Lists that go with it", ["region", "list", "entries"], proposal.lists, ["region_code", "list", "items"]
        )
    if proposal.overpaid["participants"]:
        yield (
            f"Overpaid and set off later: {paid(proposal.overpaid['amount'])} to "
            f"{proposal.overpaid['participants']:,} participants."
        )
    lines = f"proposals/{proposal.program_id}/{proposal.period_id}/lines.parquet"
    yield (
        f"Code {style.code(proposal.code_version)}, policy {style.code(proposal.policy_sha256)}, "
        f"proposal {style.code(proposal.proposal_id)}. Lines: {style.code(lines)}."
    )


def _totals(proposal: Proposal) -> list[list[Any]]:
    """Per region and kind, and in all: lines, amount, the period's so far, the earlier period's, the change."""
    names = ("lines", "amount", "period_amount", "previous_amount")
    found = [[row["region_code"], row["incentive_type"], *(row[name] for name in names)] for row in proposal.totals]
    if len(found) > 1:
        found.append(["all", "", *(sum(row[name] for row in proposal.totals) for name in names)])
    return [[*row, row[-2] - row[-1]] for row in found]


def _markdown_code(text: str) -> str:
    """In a code span nothing is escaped, so only what needs no escaping stands in one."""
    return f"`{text}`" if re.fullmatch(r"[\w./-]+", text, re.ASCII) else shown.markdown(text)


def _markdown_table(head: Sequence[str], rows: list[list[Any]]) -> str:
    lines = [[f"{cell:,}" if isinstance(cell, int) else shown.markdown(str(cell)) for cell in row] for row in rows]
    if not lines:
        return ""
    return "\n".join(f"| {' | '.join(line)} |" for line in [[*map(shown.markdown, head)], ["---"] * len(head), *lines])


MARKDOWN = Style(shown.markdown, _markdown_code, "**{}**".format, _markdown_table)
TERMINAL = Style(shown.escaped, shown.escaped, str, table)
