"""
### Propose, approve and issue payouts

**Does** Work out per programme and period what is due and not yet paid, let a person approve each proposal, and
write the payout batch. Where policy asks for two approvers, another person is asked after the first; the same one
again fails the task. There is no default answer: nobody answering for 30 days, or a rejection, fails the run and pays
nobody.

**Takes** `warehouse/tanso.duckdb`, `vault/` (names and accounts, at the last moment only), `exports/` (what was
paid).

**Gives** `proposals/`, `approvals/`, `exports/<program_id>/<period_id>/<batch_id>/`; asset `tanso/payouts` for each
batch, which starts `evaluate_programs` so that the marts show it. With nothing due, the tasks after `propose` are
skipped.

**When it fails** No batch is ever half-written: it is in `exports/` whole or not at all, and what is there counts
as paid, so running again pays nobody twice. `issue` fails when the proposal is no longer what is due (a correction
came in, or another batch was issued meanwhile): approve the newer run's proposal instead.
"""

from __future__ import annotations

from airflow.sdk import dag, task, task_group
from airflow.sdk.exceptions import AirflowSkipException

from tanso.airflow import assets
from tanso.airflow.approval import RecordedApproval
from tanso.airflow.names import WRITER_POOL


@dag(
    schedule=[assets.MARTS],
    catchup=False,
    # Runs that wait for a person must not keep new ones from starting.
    max_active_runs=64,
    default_args=assets.DEFAULT_ARGS,
    doc_md=__doc__,
    tags=["tanso", "payouts"],
    params=assets.PAYOUT_PARAMS,
    deadline=assets.ANSWERED_IN_TIME,
)
def issue_payouts():
    @task
    def propose(params: dict, triggering_asset_events=None) -> list[dict[str, str]]:
        from tanso.airflow.alerts import payout_dates
        from tanso.steps import propose

        # Otherwise every batch would have the proposals that still wait asked for once more.
        if assets.only_batches_are_new(triggering_asset_events):
            return []
        day = assets.as_of(params, triggering_asset_events)
        asked = propose(day, params["program"], params["period"], params["despite_failed_sources"])
        payout_dates(day)
        return asked

    # One group a proposal: a batch that is approved does not wait for the answers to the others.
    @task_group
    def payout(proposal_id: str, subject: str, body: str):
        asked = {
            "proposal_id": proposal_id,
            "subject": subject,
            "body": body,
            # Before the evaluation that the first batch starts: it is to see all batches that are approved by then.
            "priority_weight": 10,
            "map_index_template": "{{ task.subject }}",
        }
        approval = RecordedApproval(task_id="approve", **asked)
        # Another person, where policy asks for two; else skipped.
        approval_again = RecordedApproval(task_id="approve_again", another_persons=True, **asked)

        @task(
            retries=1,  # for a worker that is lost on the way: what is in exports/ by then counts as paid
            pool=WRITER_POOL,
            priority_weight=10,
            trigger_rule="none_failed",
            outlets=[assets.PAYOUTS],
            map_index_template="{{ task.op_kwargs.get('proposal_id') }}",
        )
        def issue(
            proposal_id: str, approval: dict, params: dict, ti=None, triggering_asset_events=None, outlet_events=None
        ) -> str:
            from tanso.steps import issue

            outlet_events[assets.PAYOUTS].extra = {
                "as_of": assets.passed_on(assets.as_of(params, triggering_asset_events)),
                "only_batches_are_new": True,
            }
            batch_id = issue(proposal_id, assets.responder(approval))
            if not batch_id and ti.try_number == 1:
                raise AirflowSkipException("Nothing of it is due any more: no batch, no event.")
            # A try that was lost may have issued the batch without saying so.
            return batch_id or proposal_id

        approval >> approval_again >> issue(proposal_id=proposal_id, approval=approval.output)

    payout.expand_kwargs(propose())


issue_payouts()
