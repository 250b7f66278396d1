select
    program_id,
    participant_id,
    participant_type,
    participant_class,
    region_code,
    nickname,
    joined_on,
    withdrawn_on,
    moved_in_on,
    moved_out_on,
    -- Who collects points for prizes chooses the prize on the application, not a type of payout.
    case
        when program_id in (select program_id from {{ source('policy', 'application_rules') }}) then 'prize'
        else incentive_type
    end as incentive_type,
    area_m2
from {{ ref('stg_participants') }}
