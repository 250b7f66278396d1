-- A policy holds for the period kinds of the same participants as the kind it begins with.
with ranked as (
    select
        periods.period_no,
        policies.baseline_anchor,
        policies.baseline_years,
        policies.gap_fill,
        policies.baseline_min_months,
        row_number() over (
            partition by periods.period_no
            order by policies.valid_from_on desc, policies.valid_from
        ) as recency
    from {{ ref('int_periods') }} as periods
    inner join {{ source('policy', 'baseline_policies') }} as policies
        on periods.program_id = policies.program_id
        and periods.starts_on >= policies.valid_from_on
    inner join {{ source('policy', 'period_rules') }} as kinds
        on policies.program_id = kinds.program_id
        and policies.valid_from_kind = kinds.period_kind
        and periods.participant_classes = kinds.participant_classes
)

select
    period_no,
    baseline_anchor,
    baseline_years,
    gap_fill,
    baseline_min_months,
    -- Every number of years from 1 to baseline_years divides it: means of months add up exactly over it.
    cast(factorial(baseline_years) as bigint) as common_denominator
from ranked
where recency = 1
