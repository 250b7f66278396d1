"""Payouts: what is due and not yet paid is proposed, approved by a person, and issued as a batch of files."""

from include.payouts.issue import Batch, StaleProposal, issue
from include.payouts.propose import Proposal, pending, propose

__all__ = ["Batch", "Proposal", "StaleProposal", "issue", "pending", "propose"]
