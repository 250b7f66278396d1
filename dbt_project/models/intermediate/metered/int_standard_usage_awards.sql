-- The average is over the class, of all regions.
with averages as (
    select
        reductions.period_no,
        units.participant_class,
        units.utility,
        count(*) as participants,
        cast(sum(reductions.actual_usage) as decimal(28, 3)) as usage_sum
    from {{ ref('int_metered_reductions') }} as reductions
    inner join {{ ref('int_metered_units') }} as units
        on reductions.unit_key = units.unit_key
    where reductions.status = 'evaluated'
    group by reductions.period_no, units.participant_class, units.utility
)

select
    reductions.unit_key,
    reductions.period_no,
    rules.rule_id,
    rules.points,
    rules.share_of_average,
    averages.usage_sum,
    averages.participants
from {{ ref('int_metered_reductions') }} as reductions
inner join {{ ref('int_metered_units') }} as units
    on reductions.unit_key = units.unit_key
inner join {{ ref('int_periods') }} as periods
    on reductions.period_no = periods.period_no
inner join {{ source('policy', 'standard_usage_rules') }} as rules
    on units.program_id = rules.program_id
    and units.participant_class = rules.participant_class
    and units.utility = rules.utility
    and {{ in_force('rules', 'periods') }}
inner join averages
    on reductions.period_no = averages.period_no
    and units.participant_class = averages.participant_class
    and units.utility = averages.utility
    -- usage <= share x average, multiplied out
    and {{ product('reductions.actual_usage', 'averages.participants') }}
        <= {{ product('averages.usage_sum', 'rules.share_of_average') }}
where reductions.status = 'evaluated' and rules.points > 0
