select
    program_id,
    period_id,
    participant_id,
    action_code,
    acted_on,
    quantity,
    status,
    points
from {{ ref('int_actions') }}
