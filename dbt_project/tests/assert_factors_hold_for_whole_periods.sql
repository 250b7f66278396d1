-- CO2 of a metered period takes one factor per utility: policy may not change it within the period.
select
    periods.program_id,
    periods.period_id,
    factors.utility,
    factors.from_no
from {{ ref('int_periods') }} as periods
inner join {{ ref('int_factors') }} as factors
    on periods.program_id = factors.program_id
    and factors.from_no > periods.starts_no
    and factors.from_no <= periods.ends_no
where
    exists (
        select 1
        from {{ ref('int_baseline_policies') }} as policies
        where policies.period_no = periods.period_no
    )
    and exists (
        select 1
        from {{ ref('int_factors') }} as earlier
        where earlier.program_id = factors.program_id and earlier.utility = factors.utility and earlier.to_no = factors.from_no - 1
    )
