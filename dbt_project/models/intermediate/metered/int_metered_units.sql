with application_programs as (
    select distinct program_id
    from {{ source('policy', 'application_rules') }}
),

units as (
    select
        uses.program_id,
        uses.participant_id,
        uses.utility,
        uses.provider,
        uses.meter_key,
        participants.region_code,
        participants.participant_class,
        participants.joined_on,
        participants.withdrawn_on,
        {{ month_no('participants.joined_on') }} as joined_no,
        -- A month counts if it begins after the move-in date.
        coalesce({{ month_no('participants.moved_in_on') }} + 1, 0) as first_month_no,
        -- Fewer than a year of months between moving in and joining: some calendar month would never have a baseline.
        coalesce(
            {{ month_no('participants.joined_on') }} - {{ month_no('participants.moved_in_on') }} - 1 < 12, false
        ) as is_short_stay
    from {{ ref('stg_participant_utilities') }} as uses
    inner join {{ ref('stg_participants') }} as participants
        on uses.program_id = participants.program_id
        and uses.participant_id = participants.participant_id
    where uses.program_id not in (select program_id from application_programs)
),

known as (
    select
        published.unit_key,
        units.*
    from units
    left join {{ source('lake', 'published_units') }} as published
        on units.program_id = published.program_id
        and units.participant_id = published.participant_id
        and units.utility = published.utility
)

-- A published unit keeps its number, since carried rows go by it; new ones follow.
select *
from known
where unit_key is not null
union all
select
    cast(
        (select coalesce(max(unit_key), 0) from {{ source('lake', 'published_units') }})
        + row_number() over (order by program_id, participant_id, utility) as integer
    ) as unit_key,
    * exclude (unit_key)
from known
where unit_key is null
