-- Readings find their unit and their file by hashes: two of one hash would give a reading to another's meter or twice.
-- Should it ever be, compare the texts where the hashes are compared: is_meter_of, int_metered_readings.
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
),

named as (
    select
        hash(program_id, provider, utility) as name_hash,
        concat_ws(' ', program_id, provider, utility) as name
    from streams
    union all
    select
        hash(source_file_id) as name_hash,
        source_file_id as name
    from {{ ref('int_reading_files') }}
)

select
    name_hash,
    string_agg(name, ', ' order by name) as names
from named
group by name_hash
having count(*) > 1
