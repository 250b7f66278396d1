-- What is left of each lot after an application, and the last day on which an application can still use it.
with queued as (
    select
        redemptions.program_id,
        redemptions.period_id,
        redemptions.participant_id,
        lots.certified_on,
        {{ months_after('lots.certified_on', '12 * years.lot_validity_years') }} as usable_to,
        lots.points,
        redemptions.gone_points,
        sum(lots.points) over (
            partition by redemptions.program_id, redemptions.participant_id, redemptions.period_id
            order by lots.certified_on, lots.application_order
            rows between unbounded preceding and current row
        ) as points_to_here
    from {{ ref('int_point_redemptions') }} as redemptions
    inner join {{ ref('int_fiscal_years') }} as years
        on redemptions.program_id = years.program_id and redemptions.period_id = years.period_id
    inner join {{ ref('int_point_lots') }} as lots
        on redemptions.program_id = lots.program_id
        and redemptions.participant_id = lots.participant_id
        and lots.application_order <= redemptions.application_order
)

select
    program_id,
    period_id,
    participant_id,
    certified_on,
    usable_to,
    cast(sum(least(points, points_to_here - gone_points)) as bigint) as points_left
from queued
where points_to_here > gone_points
group by program_id, period_id, participant_id, certified_on, usable_to
