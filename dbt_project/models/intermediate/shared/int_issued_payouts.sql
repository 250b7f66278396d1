select
    ledger.program_id,
    ledger.period_id,
    ledger.batch_id,
    ledger.line_no,
    ledger.participant_id,
    ledger.region_code,
    ledger.incentive_type,
    ledger.amount,
    ledger.currency,
    ledger.won_per_point,
    ledger.payee_key,
    ledger.address_key,
    ledger.issued_at,
    returned.program_id is not null as is_returned,
    returned.reason as returned_reason
from {{ ref('stg_ledger') }} as ledger
left join (
    select
        program_id,
        batch_id,
        line_no,
        max(received_at) as received_at,
        coalesce(min(reason), '') as reason
    from {{ ref('stg_returns') }}
    group by program_id, batch_id, line_no
) as returned
    on ledger.program_id = returned.program_id
    and ledger.batch_id = returned.batch_id
    and ledger.line_no = returned.line_no
    -- What came before the batch was issued cannot be about it.
    and ledger.issued_at <= returned.received_at
