{{ config(materialized='view') }}

-- A household that got another number has its meters under both. Few are such, so all else is left aside first.
with shared_meters as (
    select
        program_id,
        utility,
        provider,
        meter_key
    from {{ ref('stg_participant_utilities') }}
    where meter_key is not null
    group by program_id, utility, provider, meter_key
    having count(*) > 1
),

sharers as (
    select
        uses.program_id,
        uses.participant_id,
        uses.utility,
        uses.provider,
        uses.meter_key
    from {{ ref('stg_participant_utilities') }} as uses
    inner join shared_meters
        on uses.program_id = shared_meters.program_id
        and uses.utility = shared_meters.utility
        and uses.provider = shared_meters.provider
        and uses.meter_key = shared_meters.meter_key
),

pairs as (
    select
        mine.program_id,
        mine.utility,
        mine.participant_id,
        others.participant_id as other_id
    from sharers as mine
    inner join sharers as others
        on mine.program_id = others.program_id
        and mine.utility = others.utility
        and mine.provider = others.provider
        and mine.meter_key = others.meter_key
        and mine.participant_id <> others.participant_id
),

-- An award without a utility rests on all of them.
awards as (
    select distinct
        program_id,
        period_id,
        participant_id,
        utility
    from {{ ref('fct_point_awards') }}
    where (program_id, participant_id) in (select (program_id, participant_id) from pairs)
)

select distinct
    mine.program_id,
    mine.period_id,
    mine.participant_id,
    pairs.other_id
from awards as mine
inner join pairs
    on mine.program_id = pairs.program_id
    and mine.participant_id = pairs.participant_id
    and coalesce(mine.utility = pairs.utility, true)
left join awards as others
    on pairs.program_id = others.program_id
    and mine.period_id = others.period_id
    and pairs.other_id = others.participant_id
-- What the other number was paid for is not known if it has no award any more: then it was for all of its meters.
where coalesce(others.utility = pairs.utility, true)
