-- Payable and held together are what is due: per participant and period, points of payouts = points of awards.
with due as (
    select
        program_id,
        period_id,
        participant_id,
        sum(points) as points
    from {{ ref('int_money_awards') }}
    group by program_id, period_id, participant_id
)

select
    due.program_id,
    due.period_id,
    due.participant_id,
    due.points as points_due,
    payouts.points as points_paid_out
from due
full join (
    select *
    from {{ ref('fct_payouts') }}
    where program_id not in (select program_id from {{ source('policy', 'application_rules') }})
) as payouts
    on due.program_id = payouts.program_id
    and due.period_id = payouts.period_id
    and due.participant_id = payouts.participant_id
where due.points is distinct from payouts.points or payouts.won_per_point is null
