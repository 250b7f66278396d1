-- Points for taking part: behaviour reports of eligible months, EcoMarks, and stickers of environmental actions.
with results as (
    select
        results.*,
        years.points_per_report,
        years.points_per_eco_mark
    from {{ ref('int_application_results') }} as results
    inner join {{ ref('int_fiscal_years') }} as years
        on results.program_id = years.program_id and results.period_id = years.period_id
),

reports as (
    select
        results.program_id,
        results.period_id,
        results.participant_id,
        count(*) as months
    from results
    inner join {{ ref('int_eligible_months') }} as months
        on results.program_id = months.program_id
        and results.period_id = months.period_id
        and results.participant_id = months.participant_id
    where months.is_eligible
        and {{ has_word('results.reported_months', 'cast(extract(month from months.usage_month) as varchar)') }}
    group by results.program_id, results.period_id, results.participant_id
),

actions as (
    select
        program_id,
        period_id,
        participant_id,
        count(*) as stickers,
        sum(points) as points
    from {{ ref('int_actions') }}
    where status = 'accepted'
    group by program_id, period_id, participant_id
)

select
    results.program_id,
    results.period_id,
    results.participant_id,
    'action_report' as award_type,
    cast(reports.months * results.points_per_report as bigint) as points,
    results.certified_on,
    cast(results.points_per_report as bigint) as points_each,
    cast(reports.months as integer) as times
from results
inner join reports
    on results.program_id = reports.program_id
    and results.period_id = reports.period_id
    and results.participant_id = reports.participant_id
union all
select
    program_id,
    period_id,
    participant_id,
    'eco_mark' as award_type,
    cast(eco_marks * points_per_eco_mark as bigint) as points,
    certified_on,
    cast(points_per_eco_mark as bigint) as points_each,
    eco_marks as times
from results
union all
select
    results.program_id,
    results.period_id,
    results.participant_id,
    'environmental_action' as award_type,
    cast(actions.points as bigint) as points,
    results.certified_on,
    null as points_each,
    cast(actions.stickers as integer) as times
from results
inner join actions
    on results.program_id = actions.program_id
    and results.period_id = actions.period_id
    and results.participant_id = actions.participant_id
