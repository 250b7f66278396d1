select
    program_id,
    participant_id,
    acted_on,
    action_code,
    quantity,
    file_name,
    received_no,
    row_no,
    source_file_id
from {{ source('lake', 'activities') }}
