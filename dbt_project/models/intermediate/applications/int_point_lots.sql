-- Lots of points: those carried in from before the first application (period null, order 0), then what each accepted
-- application brought, by the day it was certified on. A lot is as old as its certified_on.
with applications as (
    select
        program_id,
        participant_id,
        period_id,
        cast(
            row_number() over (partition by program_id, participant_id order by fiscal_year) as integer
        ) as application_order
    from {{ ref('int_application_results') }}
)

select
    program_id,
    participant_id,
    cast(null as varchar) as period_id,
    0 as application_order,
    certified_on,
    cast(sum(points) as bigint) as points
from {{ ref('stg_opening_points') }}
group by program_id, participant_id, certified_on
union all
select
    awards.program_id,
    awards.participant_id,
    awards.period_id,
    applications.application_order,
    awards.certified_on,
    cast(sum(awards.points) as bigint) as points
from {{ ref('int_application_awards') }} as awards
inner join applications
    on awards.program_id = applications.program_id
    and awards.participant_id = applications.participant_id
    and awards.period_id = applications.period_id
group by awards.program_id, awards.participant_id, awards.period_id, applications.application_order, awards.certified_on
