select
    slips.program_id,
    slips.participant_id,
    participants.region_code,
    slips.utility,
    slips.usage_month,
    slips.usage,
    {{ stored_product('slips.usage', 'factors.kg_co2_per_unit') }} as co2_kg,
    false as is_estimated,
    slips.source_file_id
from {{ ref('stg_slips') }} as slips
inner join {{ ref('stg_participants') }} as participants
    on slips.program_id = participants.program_id and slips.participant_id = participants.participant_id
inner join {{ ref('int_fiscal_years') }} as years
    on slips.program_id = years.program_id and slips.usage_month between years.starts_on and years.ends_on
left join {{ ref('int_slip_factors') }} as factors
    on years.program_id = factors.program_id
    and years.period_id = factors.period_id
    and slips.utility = factors.utility
