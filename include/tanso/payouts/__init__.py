"""Payouts: what is due and not yet paid is proposed, approved by a person, and issued as a batch of files."""

from tanso.ledger.approvals import NotApproved
from tanso.payouts.issue import Batch, StaleProposal, approve, issue
from tanso.payouts.propose import Proposal, pending, propose

__all__ = ["Batch", "NotApproved", "Proposal", "StaleProposal", "approve", "issue", "pending", "propose"]
