with application_programs as (
    select distinct program_id
    from {{ source('policy', 'application_rules') }}
)

select
    cast(row_number() over (order by uses.program_id, uses.participant_id, uses.utility) as integer) as unit_key,
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
