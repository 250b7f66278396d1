"""What people look at: the question to the approver and the summary of a run. No personal data in either."""
