select
    program_id,
    participant_id,
    certified_on,
    points,
    source_file_id
from {{ source('lake', 'opening_points') }}
