-- What is left of the lots is the account's closing, and an account opens with what the last one closed with.
select
    balances.program_id,
    balances.period_id,
    balances.participant_id
from {{ ref('int_point_redemptions') }} as balances
left join (
    select
        program_id,
        period_id,
        participant_id,
        sum(points_left) as points_left
    from {{ ref('int_point_lots_left') }}
    group by program_id, period_id, participant_id
) as lots
    on balances.program_id = lots.program_id
    and balances.period_id = lots.period_id
    and balances.participant_id = lots.participant_id
left join {{ ref('int_point_redemptions') }} as earlier
    on balances.program_id = earlier.program_id
    and balances.participant_id = earlier.participant_id
    and balances.application_order = earlier.application_order + 1
where balances.closing_points <> coalesce(lots.points_left, 0)
    or balances.opening_points <> coalesce(earlier.closing_points, balances.opening_points)
