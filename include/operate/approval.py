"""The task that asks a person, and keeps the answer as a record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.exceptions import AirflowSkipException


class RecordedApproval(ApprovalOperator):
    """Ask for the approval of a payout proposal, and record who gave it for exactly that proposal.

    With ``another_persons`` it asks only where policy wants one more person's, else it is skipped. A rejection fails
    the task, and so does the answer of somebody who approved before. There is no default answer: nobody answering for
    30 days fails the task too.
    """

    template_fields = (*ApprovalOperator.template_fields, "proposal_id")

    def __init__(self, *, proposal_id: str, another_persons: bool = False, **kwargs: Any) -> None:
        super().__init__(
            fail_on_reject=True,
            response_timeout=timedelta(days=30),
            # An answer is final: a retry would ask again. execution_timeout would be taken as the time to answer.
            **{"retries": 0, "execution_timeout": None, **kwargs},
        )
        self.proposal_id = proposal_id
        self.another_persons = another_persons

    def execute(self, context: Any) -> Any:
        """Ask. (Skipping from the task before reaches no task of a mapped group: NotPreviouslySkippedDep.)"""
        from include.operate.steps import is_approved

        if self.another_persons and is_approved(self.proposal_id):
            raise AirflowSkipException("Policy asks for no other person's approval.")
        return super().execute(context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Record the approval; raises what ``include.operate.steps.approve`` raises."""
        from include.operate.steps import approve

        answer = super().execute_complete(context, event)
        approve(self.proposal_id, answer["responded_by_user"]["name"])
        return answer
