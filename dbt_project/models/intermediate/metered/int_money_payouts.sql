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

returned_accounts as (
    select distinct
        program_id,
        participant_id,
        payee_key
    from {{ ref('int_issued_payouts') }}
    where is_returned and payee_key is not null
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
        participants.card_key
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
        case
            when chosen.incentive_type is null then 'incentive_type_missing'
            when not {{ has_word('chosen.offered_types', 'chosen.incentive_type') }} then 'incentive_type_not_offered'
            when chosen.incentive_type = 'cash' and not chosen.has_bank_account then 'bank_account_missing'
            when chosen.incentive_type = 'cash' and not chosen.holder_matches then 'account_holder_mismatch'
            when chosen.incentive_type = 'green_card' and not chosen.has_card then 'card_number_missing'
            when returned_accounts.payee_key is not null then 'account_returned'
        end as hold_reason
    from chosen
    left join returned_accounts
        on chosen.program_id = returned_accounts.program_id
        and chosen.participant_id = returned_accounts.participant_id
        and returned_accounts.payee_key
        = case chosen.incentive_type when 'cash' then chosen.account_key when 'green_card' then chosen.card_key end
)

select
    judged.program_id,
    judged.period_id,
    judged.participant_id,
    judged.region_code,
    judged.incentive_type,
    cast(judged.points as bigint) as points,
    judged.won_per_point,
    cast(floor({{ product('judged.points', 'judged.won_per_point') }}) as bigint) as amount,
    programs.currency,
    case when judged.hold_reason is null then 'payable' else 'held' end as status,
    judged.hold_reason,
    coalesce(paid.paid_amount, 0) as paid_amount
from judged
inner join {{ source('policy', 'programs') }} as programs
    on judged.program_id = programs.program_id
left join {{ ref('int_paid_amounts') }} as paid
    on judged.program_id = paid.program_id
    and judged.period_id = paid.period_id
    and judged.participant_id = paid.participant_id
