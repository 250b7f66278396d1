with incomplete as (
    select
        reductions.unit_key,
        reductions.period_no
    from {{ ref('int_metered_reductions') }} as reductions
    inner join {{ ref('int_periods') }} as periods
        on reductions.period_no = periods.period_no
    where reductions.months_known < periods.months
),

known_of_them as (
    select
        months.unit_key,
        months.period_no,
        months.month_no
    from {{ ref('int_metered_months') }} as months
    semi join incomplete
        on months.unit_key = incomplete.unit_key
        and months.period_no = incomplete.period_no
),

compared as (
    select
        unit_key,
        period_no,
        month_no,
        actual_usage,
        baseline_sum,
        baseline_readings
    from {{ ref('int_metered_months') }}
    union all
    -- A month without a reading is a row too.
    select
        incomplete.unit_key,
        incomplete.period_no,
        period_months.month_no,
        null as actual_usage,
        null as baseline_sum,
        null as baseline_readings
    from incomplete
    inner join {{ ref('int_period_months') }} as period_months
        on incomplete.period_no = period_months.period_no
    anti join known_of_them
        on incomplete.unit_key = known_of_them.unit_key
        and incomplete.period_no = known_of_them.period_no
        and period_months.month_no = known_of_them.month_no
)

select
    units.program_id,
    periods.period_id,
    units.participant_id,
    units.region_code,
    units.utility,
    {{ month_start('months.month_no') }} as usage_month,
    {{ from_micros(rounded_quotient(
        '(cast(months.baseline_sum * 1000 as bigint) * 1000)', 'months.baseline_readings'
    )) }} as baseline_usage,
    months.actual_usage,
    case
        when months.actual_usage is null then 'usage_missing'
        when months.baseline_sum is null then 'baseline_missing'
        else 'compared'
    end as status
from compared as months
inner join {{ ref('int_metered_units') }} as units
    on months.unit_key = units.unit_key
inner join {{ ref('int_periods') }} as periods
    on months.period_no = periods.period_no
