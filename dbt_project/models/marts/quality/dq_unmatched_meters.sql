-- Nearly all units have a reading in the last month; only of the others every month is looked through.
with candidates as (
    select unit_key
    from {{ ref('int_metered_units') }}
    where
        withdrawn_on is null
        and unit_key not in (
            select unit_key
            from {{ ref('int_metered_readings') }}
            where month_no = (select max(month_no) from {{ ref('int_reading_months') }})
        )
),

matched as (
    select distinct unit_key
    from {{ ref('int_metered_readings') }}
    where unit_key in (select unit_key from candidates)
),

known_providers as (
    select distinct
        program_id,
        utility,
        provider
    from {{ ref('stg_providers') }}
)

select
    units.program_id,
    units.region_code,
    units.participant_id,
    units.utility,
    units.provider,
    case when known_providers.provider is null then 'unknown_provider' else 'no_reading' end as reason
from {{ ref('int_metered_units') }} as units
inner join candidates
    on units.unit_key = candidates.unit_key
left join matched
    on units.unit_key = matched.unit_key
left join known_providers
    on units.program_id = known_providers.program_id
    and units.utility = known_providers.utility
    and units.provider = known_providers.provider
where matched.unit_key is null
