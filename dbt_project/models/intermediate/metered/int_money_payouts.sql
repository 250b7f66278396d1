{{ config(materialized='view') }}

with due as (
    select
        program_id,
        period_id,
        participant_id,
        region_code,
        sum(points) as points,
        -- A complex's points are won, outside the budget.
        bool_or(award_type = 'complex') as is_complex
    from {{ ref('int_money_awards') }}
    group by program_id, period_id, participant_id, region_code
),

chosen as (
    select
        due.program_id,
        due.period_id,
        due.participant_id,
        due.region_code,
        coalesce(participants.incentive_type, policies.default_incentive_type) as incentive_type,
        policies.incentive_types as offered_types,
        due.points,
        case when due.is_complex then cast(1 as decimal(6, 2)) else rates.won_per_point end as won_per_point,
        coalesce(participants.has_bank_account, false) as has_bank_account,
        coalesce(participants.holder_matches, false) as holder_matches,
        coalesce(participants.has_card, false) as has_card,
        participants.account_key,
        participants.card_key,
        coalesce(participants.has_name, true) as has_name,
        participants.address_key,
        participants.joined_on,
        coalesce(paid.paid_amount, 0) as paid_amount
    from due
    inner join {{ ref('stg_participants') }} as participants
        on due.program_id = participants.program_id
        and due.participant_id = participants.participant_id
    inner join {{ ref('int_region_policies') }} as policies
        on due.program_id = policies.program_id
        and due.period_id = policies.period_id
        and due.region_code = policies.region_code
    left join {{ ref('int_won_per_point') }} as rates
        on due.program_id = rates.program_id
        and due.period_id = rates.period_id
        and due.region_code = rates.region_code
    left join {{ ref('int_paid_amounts') }} as paid
        on due.program_id = paid.program_id
        and due.period_id = paid.period_id
        and due.participant_id = paid.participant_id
),

judged as (
    select
        chosen.program_id,
        chosen.period_id,
        chosen.participant_id,
        chosen.region_code,
        chosen.incentive_type,
        chosen.points,
        chosen.won_per_point,
        chosen.joined_on,
        chosen.paid_amount,
        cast(floor({{ product('chosen.points', 'chosen.won_per_point') }}) as bigint) as amount,
        case
            when chosen.incentive_type is null then 'incentive_type_missing'
            when not {{ has_word('chosen.offered_types', 'chosen.incentive_type') }} then 'incentive_type_not_offered'
            when chosen.incentive_type = 'cash' and not chosen.has_bank_account then 'bank_account_missing'
            when chosen.incentive_type = 'cash' and not chosen.holder_matches then 'account_holder_mismatch'
            when chosen.incentive_type = 'green_card' and not chosen.has_card then 'card_number_missing'
            when chosen.incentive_type not in ('cash', 'green_card') and not chosen.has_name then 'name_missing'
        end as own_reason,
        {{ returned_reason('chosen') }} as returned_reason
    from chosen
    left join {{ ref('int_returned_payees') }} as returned
        on chosen.program_id = returned.program_id
        and chosen.participant_id = returned.participant_id
),

-- Of numbers with the same meter one is paid: the one that was, else the earlier member of those that can be.
paid_under_another_number as (
    select distinct
        shared.program_id,
        shared.period_id,
        shared.participant_id
    from {{ ref('int_shared_usage') }} as shared
    inner join judged
        on shared.program_id = judged.program_id
        and shared.period_id = judged.period_id
        and shared.participant_id = judged.participant_id
    left join {{ ref('int_paid_amounts') }} as others_paid
        on shared.program_id = others_paid.program_id
        and shared.period_id = others_paid.period_id
        and shared.other_id = others_paid.participant_id
    left join judged as others
        on shared.program_id = others.program_id
        and shared.period_id = others.period_id
        and shared.other_id = others.participant_id
    where
        others_paid.paid_amount > 0
        or (
            judged.paid_amount = 0
            and others.amount > 0
            and others.own_reason is null
            and others.returned_reason is null
            and (others.joined_on, others.participant_id) < (judged.joined_on, judged.participant_id)
        )
),

held as (
    select
        judged.*,
        coalesce(
            judged.own_reason,
            case when elsewhere.participant_id is not null then 'paid_under_another_number' end,
            judged.returned_reason
        ) as hold_reason
    from judged
    left join paid_under_another_number as elsewhere
        on judged.program_id = elsewhere.program_id
        and judged.period_id = elsewhere.period_id
        and judged.participant_id = elsewhere.participant_id
)

select
    held.program_id,
    held.period_id,
    held.participant_id,
    held.region_code,
    held.incentive_type,
    cast(held.points as bigint) as points,
    held.won_per_point,
    held.amount,
    programs.currency,
    case when held.hold_reason is null then 'payable' else 'held' end as status,
    held.hold_reason,
    held.paid_amount
from held
inner join {{ source('policy', 'programs') }} as programs
    on held.program_id = programs.program_id
