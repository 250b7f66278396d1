-- A reading names its file by a number: a text of 64 characters takes half as long again to sort and carry as all else.
with coming as (
    select distinct source_file_id
    from {{ ref('stg_readings') }}
    where usage_month in (select usage_month from {{ ref('int_reading_months') }} where is_changed)
),

new_files as (
    select coming.source_file_id
    from coming
    anti join {{ source('lake', 'published_reading_files') }} as published
        on coming.source_file_id = published.source_file_id
)

-- A published file keeps its number, since carried rows go by it; new ones follow.
select
    file_no,
    source_file_id
from {{ source('lake', 'published_reading_files') }}
union all
select
    cast(
        (select coalesce(max(file_no), 0) from {{ source('lake', 'published_reading_files') }})
        + row_number() over (order by source_file_id) as integer
    ) as file_no,
    source_file_id
from new_files
