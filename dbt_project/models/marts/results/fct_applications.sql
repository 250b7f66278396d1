select
    program_id,
    period_id,
    application_id,
    participant_id,
    received_on,
    status,
    certified_on
from {{ ref('int_applications') }}
