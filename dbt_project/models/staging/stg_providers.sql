select
    program_id,
    utility,
    provider,
    source_id
from {{ source('lake', 'providers') }}
