"""Payouts: what is due and not yet paid is proposed, approved by a person, and issued as a batch of files."""

from include.payouts.approvals import NotApproved
from include.payouts.issue import Batch, StaleProposal, approve, issue
from include.payouts.propose import Proposal, pending, propose

__all__ = ["Batch", "NotApproved", "Proposal", "StaleProposal", "approve", "issue", "pending", "propose"]
