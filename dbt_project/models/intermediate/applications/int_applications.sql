-- What becomes of each application. One per participant and year counts: the first that came inside the window with all
-- its sheets; a try that failed on either does not use up the participant's turn.
with years as (
    select * from {{ ref('int_fiscal_years') }}
),

eligible as (
    select program_id, period_id, participant_id, count(case when is_eligible then 1 end) as months_eligible
    from {{ ref('int_eligible_months') }}
    group by program_id, period_id, participant_id
),

missing_sheets as (
    select distinct applications.program_id, applications.application_id
    from {{ ref('stg_applications') }} as applications
    inner join {{ ref('stg_participant_utilities') }} as utilities
        on applications.program_id = utilities.program_id
        and applications.participant_id = utilities.participant_id
    where not {{ has_word("coalesce(applications.sheets, '')", 'utilities.utility') }}
),

windows as (
    select
        applications.*,
        years.period_id,
        years.certified_after_months,
        years.certified_day,
        participants.participant_id is not null as is_known,
        coalesce(participants.moved_out_on < years.resident_until_on, false) as has_moved_early,
        participants.moved_out_on,
        years.opens_on,
        years.closes_on,
        years.move_out_months,
        coalesce(eligible.months_eligible, 0) as months_eligible,
        missing_sheets.application_id is not null as is_incomplete
    from {{ ref('stg_applications') }} as applications
    inner join years
        on applications.program_id = years.program_id and applications.fiscal_year = years.fiscal_year
    left join {{ ref('stg_participants') }} as participants
        on applications.program_id = participants.program_id
        and applications.participant_id = participants.participant_id
    left join eligible
        on years.program_id = eligible.program_id
        and years.period_id = eligible.period_id
        and applications.participant_id = eligible.participant_id
    left join missing_sheets
        on applications.program_id = missing_sheets.program_id
        and applications.application_id = missing_sheets.application_id
),

-- Each by itself, as if it were the participant's only one.
alone as (
    select
        *,
        case
            when not is_known then 'unknown_participant'
            when months_eligible = 0 then 'not_eligible'
            when has_moved_early and received_on between
                cast({{ dbt.date_trunc('month', 'moved_out_on') }} as date)
                and {{ dbt.last_day(months_after('moved_out_on', 'move_out_months'), 'month') }} then 'inside'
            when not has_moved_early and received_on between opens_on and closes_on then 'inside'
            else 'outside_window'
        end as window_status
    from windows
),

ordered as (
    select
        *,
        window_status = 'not_eligible' or (window_status = 'inside' and not is_incomplete) as counts_alone,
        row_number() over (
            partition by program_id, participant_id, period_id
            order by received_on, application_id
        ) as application_order
    from alone
),

first_counting as (
    select program_id, participant_id, period_id, min(application_order) as counting_order
    from ordered
    where counts_alone
    group by program_id, participant_id, period_id
),

judged as (
    select
        ordered.*,
        coalesce(ordered.application_order = first_counting.counting_order, false) as is_counting,
        case
            when ordered.window_status = 'unknown_participant' then 'unknown_participant'
            when ordered.application_order > first_counting.counting_order then 'duplicate_application'
            when ordered.window_status in ('not_eligible', 'outside_window') then ordered.window_status
            when ordered.is_incomplete then 'documents_missing'
            else 'accepted'
        end as status
    from ordered
    left join first_counting
        on ordered.program_id = first_counting.program_id
        and ordered.participant_id = first_counting.participant_id
        and ordered.period_id = first_counting.period_id
)

select
    program_id,
    period_id,
    application_id,
    participant_id,
    fiscal_year,
    received_on,
    status,
    is_counting,
    case
        when status = 'accepted' then
            {{ day_of_month(months_after('received_on', 'certified_after_months'), 'certified_day') }}
    end as certified_on,
    prize_code,
    coalesce(eco_marks, 0) as eco_marks,
    reported_months
from judged
