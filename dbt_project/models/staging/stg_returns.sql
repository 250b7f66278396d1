select
    program_id,
    batch_id,
    line_no,
    reason,
    received_at,
    source_file_id
from {{ source('lake', 'returns') }}
