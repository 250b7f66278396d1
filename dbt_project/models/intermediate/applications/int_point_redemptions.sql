-- Lots leave from the oldest end only, by expiry or by redemption, so how many points have left so far (`gone`) says which
-- lots are left: no list of lots is carried from application to application. It takes for granted that a later application's
-- lots are certified after an earlier one's; who moves out may be certified once before the October of the year before, but
-- has no application after that one.
with recursive applications as (
    select
        results.program_id,
        results.participant_id,
        results.period_id,
        cast(
            row_number() over (partition by results.program_id, results.participant_id order by results.fiscal_year)
            as integer
        ) as application_order,
        results.received_on,
        years.redemption_unit,
        years.lot_validity_years
    from {{ ref('int_application_results') }} as results
    inner join {{ ref('int_fiscal_years') }} as years
        on results.program_id = years.program_id and results.period_id = years.period_id
),

-- Of all lots carried in or brought up to and with an application: their points, and of those too old for it.
sums as (
    select
        applications.program_id,
        applications.participant_id,
        applications.period_id,
        applications.application_order,
        max(applications.redemption_unit) as redemption_unit,
        cast(coalesce(sum(lots.points), 0) as bigint) as total_points,
        cast(
            coalesce(sum(case when lots.application_order = applications.application_order then lots.points end), 0)
            as bigint
        ) as earned_points,
        cast(
            coalesce(
                sum(
                    case
                        when applications.received_on
                            > {{ months_after('lots.certified_on', '12 * applications.lot_validity_years') }}
                        then lots.points
                    end
                ), 0
            ) as bigint
        ) as too_old_points
    from applications
    left join {{ ref('int_point_lots') }} as lots
        on applications.program_id = lots.program_id
        and applications.participant_id = lots.participant_id
        and lots.application_order <= applications.application_order
    group by
        applications.program_id, applications.participant_id, applications.period_id, applications.application_order
),

walked as (
    select
        program_id,
        participant_id,
        period_id,
        application_order,
        total_points,
        earned_points,
        cast(0 as bigint) as gone_before,
        too_old_points as gone_expired,
        too_old_points + ((total_points - too_old_points) // redemption_unit) * redemption_unit as gone
    from sums
    where application_order = 1
    union all
    select
        sums.program_id,
        sums.participant_id,
        sums.period_id,
        sums.application_order,
        sums.total_points,
        sums.earned_points,
        walked.gone as gone_before,
        greatest(walked.gone, sums.too_old_points) as gone_expired,
        greatest(walked.gone, sums.too_old_points)
        + ((sums.total_points - greatest(walked.gone, sums.too_old_points)) // sums.redemption_unit)
        * sums.redemption_unit as gone
    from walked
    inner join sums
        on walked.program_id = sums.program_id
        and walked.participant_id = sums.participant_id
        and walked.application_order + 1 = sums.application_order
)

select
    program_id,
    period_id,
    participant_id,
    application_order,
    cast(total_points - earned_points - gone_before as bigint) as opening_points,
    earned_points,
    cast(gone_expired - gone_before as bigint) as expired_points,
    cast(gone - gone_expired as bigint) as redeemed_points,
    cast(total_points - gone as bigint) as closing_points,
    cast(gone as bigint) as gone_points
from walked
