select
    months.program_id,
    months.period_id,
    months.participant_id,
    utilities.utility,
    months.usage_month,
    months.is_eligible,
    slips.usage as actual_usage,
    slips.previous_usage as baseline_usage,
    months.is_eligible and slips.usage is not null and slips.previous_usage is not null as is_evaluated,
    factors.kg_co2_per_unit
from {{ ref('int_eligible_months') }} as months
inner join {{ ref('stg_participant_utilities') }} as utilities
    on months.program_id = utilities.program_id and months.participant_id = utilities.participant_id
left join {{ ref('stg_slips') }} as slips
    on months.program_id = slips.program_id
    and months.participant_id = slips.participant_id
    and utilities.utility = slips.utility
    and months.usage_month = slips.usage_month
left join {{ ref('int_slip_factors') }} as factors
    on months.program_id = factors.program_id
    and months.period_id = factors.period_id
    and utilities.utility = factors.utility
