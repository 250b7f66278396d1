select
    program_id,
    period_id,
    participant_id,
    region_code,
    incentive_type,
    points,
    won_per_point,
    amount,
    currency,
    status,
    hold_reason,
    paid_amount
from {{ ref('int_money_payouts') }}
union all
select
    program_id,
    period_id,
    participant_id,
    region_code,
    incentive_type,
    points,
    won_per_point,
    amount,
    currency,
    status,
    hold_reason,
    paid_amount
from {{ ref('int_prize_payouts') }}
