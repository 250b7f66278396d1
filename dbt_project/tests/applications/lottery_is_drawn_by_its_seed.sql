-- The keys follow from the published seed, the order from the keys, the winners from the order.
select drawn.program_id, drawn.period_id, drawn.participant_id
from (
    select
        *,
        row_number() over (partition by program_id, period_id order by draw_key) as place
    from {{ ref('fct_lottery_entries') }}
) as drawn
left join {{ source('policy', 'lottery_policies') }} as policies
    on drawn.program_id = policies.program_id and drawn.period_id = policies.period_id
where policies.seed is null
    or drawn.draw_key <> {{ sha256_hex("policies.seed || ':' || drawn.participant_id") }}
    or drawn.draw_order <> drawn.place
    or drawn.is_winner <> (drawn.place <= policies.winners)
