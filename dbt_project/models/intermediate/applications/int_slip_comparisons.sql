select
    months.program_id,
    months.period_id,
    months.participant_id,
    participation.region_code,
    months.utility,
    months.usage_month,
    cast(case when months.is_eligible then months.baseline_usage end as decimal(18, 6)) as baseline_usage,
    cast(case when months.is_eligible then months.actual_usage end as decimal(18, 3)) as actual_usage,
    case
        when not months.is_eligible then 'not_eligible'
        when months.actual_usage is null then 'usage_missing'
        when months.baseline_usage is null then 'baseline_missing'
        else 'compared'
    end as status
from {{ ref('int_slip_months') }} as months
inner join {{ ref('int_participation') }} as participation
    on months.program_id = participation.program_id
    and months.period_id = participation.period_id
    and months.participant_id = participation.participant_id
