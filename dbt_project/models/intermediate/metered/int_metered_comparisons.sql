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
from {{ ref('int_metered_months') }} as months
inner join {{ ref('int_metered_units') }} as units
    on months.unit_key = units.unit_key
inner join {{ ref('int_periods') }} as periods
    on months.period_no = periods.period_no
