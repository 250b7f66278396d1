with totals as (
    select
        months.unit_key,
        months.period_no,
        count(*) as months_known,
        count(months.actual_usage) as months_evaluated,
        cast(sum(months.actual_usage) as decimal(18, 3)) as actual_usage,
        bool_or(months.is_tariff_excluded) as is_tariff_excluded,
        count(months.baseline_sum) as baseline_months,
        -- Thousandths of a unit over the common denominator: the sum of the months' means, exactly.
        sum(
            {{ whole_quotient(
                '(cast(months.baseline_sum * 1000 as bigint) * policies.common_denominator)', 'months.baseline_readings'
            ) }}
        ) as baseline_numerator
    from {{ ref('int_metered_months') }} as months
    inner join {{ ref('int_baseline_policies') }} as policies
        on months.period_no = policies.period_no
    group by months.unit_key, months.period_no
),

baselines as (
    select
        totals.unit_key,
        totals.period_no,
        totals.months_known,
        totals.months_evaluated,
        totals.actual_usage,
        totals.is_tariff_excluded,
        totals.baseline_months
        < case when policies.gap_fill = 'none' then periods.months else policies.baseline_min_months end
            as is_baseline_missing,
        -- Absent months are filled with the mean of the present ones.
        {{ from_micros(rounded_quotient(
            '(cast(totals.baseline_numerator as hugeint) * periods.months * 1000)',
            '(policies.common_denominator * totals.baseline_months)'
        )) }} as baseline_usage
    from totals
    inner join {{ ref('int_periods') }} as periods
        on totals.period_no = periods.period_no
    inner join {{ ref('int_baseline_policies') }} as policies
        on totals.period_no = policies.period_no
),

judged as (
    select
        baselines.unit_key,
        baselines.period_no,
        baselines.months_known,
        baselines.months_evaluated,
        baselines.actual_usage,
        baselines.baseline_usage,
        baselines.baseline_usage - baselines.actual_usage as reduction,
        factors.kg_co2_per_unit,
        case
            when units.withdrawn_on <= periods.ends_on then 'withdrawn'
            when units.joined_on >= periods.starts_on then 'joined_during_period'
            when baselines.is_tariff_excluded then 'tariff_excluded'
            when baselines.months_evaluated < periods.months then 'usage_missing'
            when baselines.is_baseline_missing then 'baseline_missing'
            when baselines.baseline_usage = 0 then 'baseline_zero'
            else 'evaluated'
        end as status
    from baselines
    inner join {{ ref('int_metered_units') }} as units
        on baselines.unit_key = units.unit_key
    inner join {{ ref('int_periods') }} as periods
        on baselines.period_no = periods.period_no
    left join {{ ref('int_factors') }} as factors
        on units.program_id = factors.program_id
        and units.utility = factors.utility
        and periods.starts_no between factors.from_no and factors.to_no
),

-- Only an evaluated row carries figures: of the others what they are made from is null.
figures as (
    select
        unit_key,
        period_no,
        status,
        months_known,
        months_evaluated,
        kg_co2_per_unit,
        case when status = 'evaluated' then baseline_usage end as baseline_usage,
        case when status = 'evaluated' then actual_usage end as actual_usage,
        case when status = 'evaluated' then cast(reduction as decimal(18, 6)) end as reduction
    from judged
)

select
    unit_key,
    period_no,
    status,
    months_known,
    cast(months_evaluated as integer) as months_evaluated,
    baseline_usage,
    actual_usage,
    reduction,
    {{ rate('reduction', 'baseline_usage') }} as reduction_rate,
    {{ stored_product('baseline_usage', 'kg_co2_per_unit') }} as baseline_co2_kg,
    {{ stored_product('actual_usage', 'kg_co2_per_unit') }} as actual_co2_kg,
    {{ stored_product('reduction', 'kg_co2_per_unit') }} as co2_reduction_kg
from figures
