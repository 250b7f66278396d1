select
    program_id,
    name_en,
    name_local,
    country,
    currency
from {{ source('policy', 'programs') }}
