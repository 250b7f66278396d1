-- Baselines alone are summed up: a month's own use is one reading at most, and a join finds it in half the time that it
-- takes to sum everything in one pass over the readings.
with stale_rows as {{ stale_rows(ref('int_metered_rows'), 'period_no') }},

baselines as (
    select
        row_of.unit_key,
        row_of.period_no,
        months.month_no,
        cast(sum(readings.usage) as decimal(18, 3)) as baseline_sum,
        count(*) as baseline_readings
    from {{ ref('int_metered_readings') }} as readings
    inner join {{ ref('int_period_months') }} as months
        on readings.month_no % 12 = months.calendar_month
        -- No baseline reaches past its period, and said here it spares the join below most of the readings.
        and readings.month_no <= months.month_no
    inner join stale_rows as row_of
        on readings.unit_key = row_of.unit_key
        and months.period_no = row_of.period_no
        and readings.month_no between row_of.baseline_from_no and row_of.baseline_to_no
    where not readings.is_tariff_excluded
    group by row_of.unit_key, row_of.period_no, months.month_no
)

-- A month without a reading is a row too.
select
    row_of.unit_key,
    row_of.period_no,
    months.month_no,
    actual.usage as actual_usage,
    baselines.baseline_sum,
    coalesce(baselines.baseline_readings, 0) as baseline_readings,
    coalesce(actual.is_tariff_excluded, false) as is_tariff_excluded
from stale_rows as row_of
inner join {{ ref('int_period_months') }} as months
    on row_of.period_no = months.period_no
left join {{ ref('int_metered_readings') }} as actual
    on row_of.unit_key = actual.unit_key
    and months.month_no = actual.month_no
    and row_of.first_month_no <= actual.month_no
left join baselines
    on row_of.unit_key = baselines.unit_key
    and row_of.period_no = baselines.period_no
    and months.month_no = baselines.month_no
