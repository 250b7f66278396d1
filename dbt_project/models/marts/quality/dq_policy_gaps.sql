select
    participants.program_id,
    participants.region_code,
    periods.period_id,
    count(*) as participants
from {{ ref('stg_participants') }} as participants
inner join {{ ref('int_periods') }} as periods
    on participants.program_id = periods.program_id
    and participants.joined_on <= periods.ends_on
    and (participants.withdrawn_on is null or participants.withdrawn_on >= periods.starts_on)
    and {{ has_word('periods.participant_classes', 'participants.participant_class') }}
left join {{ ref('int_region_policies') }} as policies
    on periods.period_no = policies.period_no
    and participants.region_code = policies.region_code
where policies.period_no is null
group by participants.program_id, participants.region_code, periods.period_id
