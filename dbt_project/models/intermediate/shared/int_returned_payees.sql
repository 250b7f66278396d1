{{ config(materialized='view') }}

select
    program_id,
    participant_id,
    list(distinct payee_key) as payee_keys,
    list(distinct address_key) as address_keys,
    coalesce(bool_or(payee_key is null), false) as is_delivered,
    -- of a batch that did not keep it, or of somebody without an address
    coalesce(bool_or(payee_key is null and address_key is null), false) as is_address_unknown
from {{ ref('int_issued_payouts') }}
where is_returned
group by program_id, participant_id
