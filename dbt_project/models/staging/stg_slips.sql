select
    program_id,
    participant_id,
    utility,
    usage_month,
    usage,
    previous_usage,
    source_file_id
from {{ source('lake', 'slips') }}
