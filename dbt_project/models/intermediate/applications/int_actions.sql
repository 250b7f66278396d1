-- What becomes of each sticker and what it is worth if accepted.
with dated as (
    select
        activities.*,
        years.period_id,
        participants.participant_id is not null as is_known,
        participants.joined_on,
        participants.moved_out_on,
        counting.received_on,
        actions.action_code is not null as is_known_action,
        actions.unit,
        actions.days,
        actions.points as points_each,
        cast(extract(month from activities.acted_on) as integer) as acted_month,
        -- Months are offsets (13 = January of the next year); within a fiscal year a calendar month occurs once.
        {{ has_word('actions.months', 'cast(extract(month from activities.acted_on) as varchar)') }}
        or {{ has_word('actions.months', 'cast(extract(month from activities.acted_on) + 12 as varchar)') }}
            as is_in_months
    from {{ ref('stg_activities') }} as activities
    inner join {{ ref('int_fiscal_years') }} as years
        on activities.program_id = years.program_id
        and activities.acted_on between years.starts_on and years.ends_on
    left join {{ ref('stg_participants') }} as participants
        on activities.program_id = participants.program_id
        and activities.participant_id = participants.participant_id
    left join {{ ref('int_applications') }} as counting
        on years.program_id = counting.program_id
        and years.period_id = counting.period_id
        and activities.participant_id = counting.participant_id
        and counting.is_counting
    left join {{ source('policy', 'action_points') }} as actions
        on years.program_id = actions.program_id
        and years.period_id = actions.period_id
        and activities.action_code = actions.action_code
),

judged as (
    select
        *,
        case
            when not is_known then 'unknown_participant'
            when not is_known_action then 'unknown_action'
            when not is_in_months or not {{ is_action_day('acted_on', 'days') }} then 'outside_action_period'
            when acted_on < joined_on then 'before_registration'
            when acted_on > moved_out_on then 'after_move_out'
            when acted_on > received_on then 'after_application'
            else 'accepted'
        end as status_alone
    from dated
),

counted as (
    select
        *,
        row_number() over (
            partition by program_id, participant_id, period_id, action_code, status_alone
            order by acted_on, file_name, received_no, row_no
        ) as sticker_order
    from judged
)

select
    program_id,
    period_id,
    participant_id,
    action_code,
    acted_on,
    quantity,
    case
        when status_alone = 'accepted' and unit = 'household' and sticker_order > 1 then 'household_once'
        else status_alone
    end as status,
    cast(
        case
            when status_alone <> 'accepted' then 0
            when unit <> 'household' then points_each * quantity
            when sticker_order = 1 then points_each
            else 0
        end as bigint
    ) as points,
    source_file_id,
    row_no
from counted
