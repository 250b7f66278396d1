-- Readings find their unit and their file by hashes: two of one hash would give a reading to another's meter or twice.
with streams as (
    select distinct
        program_id,
        provider,
        utility
    from {{ ref('int_metered_units') }}
    where provider is not null
    union
    select
        program_id,
        provider,
        utility
    from {{ ref('stg_providers') }}
)

select hash(program_id, provider, utility) as name_hash
from streams
group by name_hash
having count(*) > 1
union all
select hash(source_file_id) as name_hash
from {{ ref('int_reading_files') }}
group by name_hash
having count(*) > 1
