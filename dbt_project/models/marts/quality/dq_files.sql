select
    source_id,
    file_name,
    sha256,
    received_at,
    status,
    reason,
    rows_read,
    rows_accepted,
    rows_quarantined,
    rows_duplicate
from {{ ref('stg_files') }}
