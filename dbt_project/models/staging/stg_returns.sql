select
    program_id,
    batch_id,
    line_no,
    reason,
    source_file_id
from {{ source('lake', 'returns') }}
