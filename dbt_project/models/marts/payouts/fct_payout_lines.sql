select
    program_id,
    period_id,
    batch_id,
    line_no,
    participant_id,
    region_code,
    incentive_type,
    amount,
    currency,
    issued_at,
    returned_reason
from {{ ref('int_issued_payouts') }}
