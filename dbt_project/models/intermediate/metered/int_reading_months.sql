-- Months are compared by the bytes of their files; one whose bytes are not known counts as changed.
with months as (
    select usage_month
    from {{ source('lake', 'reading_months') }}
    union
    select distinct usage_month
    from {{ ref('stg_readings') }}
    where not exists (select 1 from {{ source('lake', 'reading_months') }})
),

compared as (
    select
        coalesce(months.usage_month, published.usage_month) as usage_month,
        months.usage_month is null as is_gone,
        published.sha256 as published_sha256
    from months
    full join {{ source('lake', 'published_reading_months') }} as published
        on months.usage_month = published.usage_month
)

select
    compared.usage_month,
    {{ month_no('compared.usage_month') }} as month_no,
    files.sha256,
    (compared.is_gone or coalesce(files.sha256 <> compared.published_sha256, true)) as is_changed
from compared
left join {{ source('lake', 'reading_months') }} as files
    on compared.usage_month = files.usage_month
