-- Every award of an application programme is in its owner's account, once.
select
    coalesce(awards.program_id, balances.program_id) as program_id,
    coalesce(awards.period_id, balances.period_id) as period_id,
    coalesce(awards.participant_id, balances.participant_id) as participant_id
from (
    select
        program_id,
        period_id,
        participant_id,
        sum(points) as points
    from {{ ref('int_application_awards') }}
    group by program_id, period_id, participant_id
) as awards
full outer join {{ ref('fct_point_balances') }} as balances
    on awards.program_id = balances.program_id
    and awards.period_id = balances.period_id
    and awards.participant_id = balances.participant_id
where coalesce(awards.points, 0) <> coalesce(balances.earned_points, 0)
