-- Anyone with the published seed can draw again: the order is that of the keys.
with entries as (
    select
        results.program_id,
        results.period_id,
        results.participant_id,
        participants.nickname,
        {{ sha256_hex("policies.seed || ':' || results.participant_id") }} as draw_key,
        policies.winners
    from {{ ref('int_application_results') }} as results
    inner join {{ source('policy', 'lottery_policies') }} as policies
        on results.program_id = policies.program_id and results.period_id = policies.period_id
    inner join {{ ref('stg_participants') }} as participants
        on results.program_id = participants.program_id and results.participant_id = participants.participant_id
    where results.co2_reduction_kg > 0 or results.eco_marks >= policies.eco_marks_from
),

drawn as (
    select
        program_id,
        period_id,
        participant_id,
        nickname,
        draw_key,
        winners,
        cast(row_number() over (partition by program_id, period_id order by draw_key) as integer) as draw_order
    from entries
)

select
    program_id,
    period_id,
    participant_id,
    nickname,
    draw_key,
    draw_order,
    draw_order <= winners as is_winner
from drawn
