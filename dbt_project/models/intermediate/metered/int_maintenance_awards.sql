with candidates as (
    select
        reductions.unit_key,
        reductions.period_no,
        periods.program_id,
        periods.starts_no,
        periods.ends_no - periods.starts_no + 1 as period_length,
        rules.rule_id,
        rules.streak,
        rules.streak_rate,
        rules.points
    from {{ ref('int_metered_reductions') }} as reductions
    inner join {{ ref('int_metered_units') }} as units
        on reductions.unit_key = units.unit_key
    inner join {{ ref('int_periods') }} as periods
        on reductions.period_no = periods.period_no
    inner join {{ source('policy', 'maintenance_rules') }} as rules
        on units.program_id = rules.program_id
        and units.participant_class = rules.participant_class
        and units.utility = rules.utility
        and {{ in_force('rules', 'periods') }}
        and reductions.reduction < {{ product('reductions.baseline_usage', 'rules.streak_rate') }}
    where reductions.status = 'evaluated' and reductions.reduction > 0 and rules.points > 0
)

-- The streak: as many periods of the same length as policy asks for, back to back before this one, all of them good.
select
    candidates.unit_key,
    candidates.period_no,
    candidates.rule_id,
    candidates.streak,
    candidates.streak_rate,
    candidates.points
from candidates
inner join {{ ref('int_reduction_history') }} as earlier
    on candidates.unit_key = earlier.unit_key
    and earlier.reduction >= {{ product('earlier.baseline_usage', 'candidates.streak_rate') }}
inner join {{ ref('int_periods') }} as periods
    on earlier.period_no = periods.period_no
    and periods.starts_no >= candidates.starts_no - candidates.streak * candidates.period_length
    and periods.ends_no < candidates.starts_no
    and periods.ends_no - periods.starts_no + 1 = candidates.period_length
group by
    candidates.unit_key, candidates.period_no, candidates.rule_id, candidates.streak, candidates.streak_rate,
    candidates.points
having count(*) = candidates.streak
