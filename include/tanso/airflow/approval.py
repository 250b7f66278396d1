"""The task that asks a person, and keeps the answer as a record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException


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
            # One retry for a worker that is lost while it asks. execution_timeout would be taken as the time to answer.
            **{"retries": 1, "execution_timeout": None, **kwargs},
        )
        self.proposal_id = proposal_id
        self.another_persons = another_persons

    def execute(self, context: Any) -> Any:
        """Ask. (Skipping from the task before reaches no task of a mapped group: NotPreviouslySkippedDep.)"""
        from tanso.steps import is_approved

        if self.another_persons and is_approved(self.proposal_id):
            raise AirflowSkipException("Policy asks for no other person's approval.")
        return super().execute(context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Record the approval. Raises AirflowFailException from what the answer failed with: an answer is final, and a
        retry would ask again."""
        from tanso.steps import approve

        try:
            answer = super().execute_complete(context, event)
            approve(self.proposal_id, answer["responded_by_user"]["name"])
        except Exception as error:
            raise AirflowFailException(str(error) or type(error).__name__) from error
        return answer
