-- An award for a utility stands on an evaluated row of the same participant, period and utility.
select awards.*
from {{ stale_rows(ref('fct_point_awards'), 'program_id, period_id') }} as awards
left join {{ stale_rows(ref('fct_reductions'), 'program_id, period_id') }} as reductions
    on awards.program_id = reductions.program_id
    and awards.period_id = reductions.period_id
    and awards.participant_id = reductions.participant_id
    and awards.utility = reductions.utility
    and reductions.status = 'evaluated'
where
    awards.points <= 0
    or (awards.utility is not null and reductions.program_id is null)
