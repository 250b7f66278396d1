-- Months are compared by the bytes of their files; one whose bytes are not known counts as changed.
with months as (
    select distinct usage_month
    from {{ ref('stg_readings') }}
)

select
    coalesce(months.usage_month, published.usage_month) as usage_month,
    {{ month_no('coalesce(months.usage_month, published.usage_month)') }} as month_no,
    files.sha256,
    months.usage_month is null or files.sha256 is null or files.sha256 is distinct from published.sha256 as is_changed
from months
full join {{ source('lake', 'published_reading_months') }} as published
    on months.usage_month = published.usage_month
left join {{ source('lake', 'reading_months') }} as files
    on months.usage_month = files.usage_month
