select
    reductions.unit_key,
    reductions.period_no,
    tiers.rule_id,
    tiers.rate_from,
    tiers.points
from {{ ref('int_metered_reductions') }} as reductions
inner join {{ ref('int_metered_units') }} as units
    on reductions.unit_key = units.unit_key
inner join {{ ref('int_periods') }} as periods
    on reductions.period_no = periods.period_no
inner join {{ source('policy', 'reduction_tiers') }} as tiers
    on units.program_id = tiers.program_id
    and units.participant_class = tiers.participant_class
    and units.utility = tiers.utility
    and {{ in_force('tiers', 'periods') }}
    -- The exact ratio, by multiplication: the stored rate is rounded.
    and reductions.reduction >= {{ product('reductions.baseline_usage', 'tiers.rate_from') }}
    and (
        tiers.rate_to is null
        or reductions.reduction < {{ product('reductions.baseline_usage', 'tiers.rate_to') }}
    )
where reductions.status = 'evaluated' and tiers.points > 0
