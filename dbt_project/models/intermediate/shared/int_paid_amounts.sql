select
    program_id,
    period_id,
    participant_id,
    cast(sum(case when is_returned then 0 else amount end) as bigint) as paid_amount
from {{ ref('int_issued_payouts') }}
group by program_id, period_id, participant_id
