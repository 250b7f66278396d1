-- Two readings of one meter and month would be a baseline or a use counted twice.
with counts as (
    select
        period_no,
        count(*) as unit_months
    from {{ ref('int_metered_months') }}
    group by period_no
),

suspects as (
    select counts.period_no
    from counts
    inner join {{ ref('int_period_inputs') }} as inputs
        on counts.period_no = inputs.period_no
    inner join {{ ref('int_periods') }} as periods
        on counts.period_no = periods.period_no
    where counts.unit_months <> inputs.units * periods.months
)

select
    months.unit_key,
    months.period_no,
    months.month_no
from {{ ref('int_metered_months') }} as months
inner join {{ ref('int_baseline_policies') }} as policies
    on months.period_no = policies.period_no
where months.baseline_readings > policies.baseline_years
union all
select
    unit_key,
    period_no,
    month_no
from {{ ref('int_metered_months') }}
where period_no in (select period_no from suspects)
group by unit_key, period_no, month_no
having count(*) > 1
