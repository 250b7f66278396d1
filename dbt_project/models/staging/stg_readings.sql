select
    program_id,
    source_id,
    provider,
    utility,
    meter_key,
    usage_month,
    usage,
    tariff,
    is_estimated,
    source_file_id
from {{ source('lake', 'readings') }}
