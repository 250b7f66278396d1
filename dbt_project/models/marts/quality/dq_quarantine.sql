select
    source_id,
    file_name,
    sha256,
    row_no,
    reason
from {{ ref('stg_quarantine') }}
