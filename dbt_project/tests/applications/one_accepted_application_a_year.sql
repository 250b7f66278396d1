select
    program_id,
    period_id,
    participant_id
from {{ ref('fct_applications') }}
where status = 'accepted'
group by program_id, period_id, participant_id
having count(*) > 1
