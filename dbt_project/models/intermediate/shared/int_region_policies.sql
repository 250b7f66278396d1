-- Rows of any period kind order against each other by the day they begin; on the same day the period's own kind wins.
with ranked as (
    select
        periods.period_no,
        periods.program_id,
        periods.period_id,
        policies.region_code,
        policies.utilities,
        policies.won_per_point,
        policies.budget_won,
        policies.incentive_types,
        policies.default_incentive_type,
        row_number() over (
            partition by periods.period_no, policies.region_code
            order by
                policies.valid_from_on desc,
                case when policies.valid_from_kind = periods.period_kind then 0 else 1 end,
                policies.valid_from
        ) as recency
    from {{ ref('int_periods') }} as periods
    inner join {{ source('policy', 'region_policies') }} as policies
        on periods.program_id = policies.program_id
        and periods.starts_on >= policies.valid_from_on
)

select
    period_no,
    program_id,
    period_id,
    region_code,
    utilities,
    won_per_point,
    budget_won,
    incentive_types,
    default_incentive_type
from ranked
where recency = 1
