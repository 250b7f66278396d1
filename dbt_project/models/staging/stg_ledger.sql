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
    won_per_point,
    payee_key,
    address_key,
    issued_at
from {{ source('lake', 'ledger') }}
