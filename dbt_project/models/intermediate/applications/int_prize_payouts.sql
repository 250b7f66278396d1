-- One point is one unit of the programme's currency. `paid_amount` is filled where the ledger is joined.
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
    cast(0 as bigint) as paid_amount
from {{ ref('int_point_redemptions') }} as balances
inner join {{ ref('int_application_results') }} as results
    on balances.program_id = results.program_id
    and balances.period_id = results.period_id
    and balances.participant_id = results.participant_id
inner join {{ source('policy', 'programs') }} as programs on balances.program_id = programs.program_id
where balances.redeemed_points > 0
