select
    program_id,
    application_id,
    participant_id,
    fiscal_year,
    received_on,
    sheets,
    prize_code,
    eco_marks,
    reported_months,
    source_file_id
from {{ source('lake', 'applications') }}
