-- New, gone, or other than when their readings were last put in. In a first build months are all that counts.
select
    coalesce(units.unit_key, published.unit_key) as unit_key,
    coalesce(units.program_id, published.program_id) as program_id,
    coalesce(units.participant_id, published.participant_id) as participant_id,
    coalesce(units.utility, published.utility) as utility
from {{ ref('int_metered_units') }} as units
full join {{ source('lake', 'published_units') }} as published
    on units.unit_key = published.unit_key
where
    exists (select 1 from {{ source('lake', 'published_units') }})
    and (
        units.unit_key is null
        or published.unit_key is null
        or units.provider is distinct from published.provider
        or units.meter_key is distinct from published.meter_key
        or units.region_code is distinct from published.region_code
    )
