-- One point is one unit of the programme's currency.
select
    balances.program_id,
    balances.period_id,
    balances.participant_id,
    results.region_code,
    'prize' as incentive_type,
    balances.redeemed_points as points,
    cast(null as decimal(6, 2)) as won_per_point,
    balances.redeemed_points as amount,
    programs.currency,
    case when results.prize_code is null then 'held' else 'payable' end as status,
    case when results.prize_code is null then 'prize_missing' end as hold_reason,
    coalesce(paid.paid_amount, 0) as paid_amount
from {{ ref('int_point_redemptions') }} as balances
inner join {{ ref('int_application_results') }} as results
    on balances.program_id = results.program_id
    and balances.period_id = results.period_id
    and balances.participant_id = results.participant_id
inner join {{ source('policy', 'programs') }} as programs on balances.program_id = programs.program_id
left join {{ ref('int_paid_amounts') }} as paid
    on balances.program_id = paid.program_id
    and balances.period_id = paid.period_id
    and balances.participant_id = paid.participant_id
where balances.redeemed_points > 0
