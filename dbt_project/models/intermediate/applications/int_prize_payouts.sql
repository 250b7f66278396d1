-- One point is one unit of the programme's currency.
with redeemed as (
    select
        balances.program_id,
        balances.period_id,
        balances.participant_id,
        results.region_code,
        'prize' as incentive_type,
        balances.redeemed_points,
        results.prize_code,
        participants.account_key,
        participants.card_key,
        participants.address_key,
        coalesce(participants.has_name, true) as has_name
    from {{ ref('int_point_redemptions') }} as balances
    inner join {{ ref('int_application_results') }} as results
        on balances.program_id = results.program_id
        and balances.period_id = results.period_id
        and balances.participant_id = results.participant_id
    left join {{ ref('stg_participants') }} as participants
        on balances.program_id = participants.program_id
        and balances.participant_id = participants.participant_id
    where balances.redeemed_points > 0
),

judged as (
    select
        redeemed.*,
        case
            when redeemed.prize_code is null then 'prize_missing'
            when not redeemed.has_name then 'name_missing'
            else {{ returned_reason('redeemed') }}
        end as hold_reason
    from redeemed
    left join {{ ref('int_returned_payees') }} as returned
        on redeemed.program_id = returned.program_id
        and redeemed.participant_id = returned.participant_id
)

select
    judged.program_id,
    judged.period_id,
    judged.participant_id,
    judged.region_code,
    judged.incentive_type,
    judged.redeemed_points as points,
    cast(null as decimal(6, 2)) as won_per_point,
    judged.redeemed_points as amount,
    programs.currency,
    case when judged.hold_reason is null then 'payable' else 'held' end as status,
    judged.hold_reason,
    coalesce(paid.paid_amount, 0) as paid_amount
from judged
inner join {{ source('policy', 'programs') }} as programs on judged.program_id = programs.program_id
left join {{ ref('int_paid_amounts') }} as paid
    on judged.program_id = paid.program_id
    and judged.period_id = paid.period_id
    and judged.participant_id = paid.participant_id
