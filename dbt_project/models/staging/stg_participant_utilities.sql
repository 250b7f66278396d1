select
    program_id,
    participant_id,
    utility,
    provider,
    meter_key
from {{ source('lake', 'participant_utilities') }}
