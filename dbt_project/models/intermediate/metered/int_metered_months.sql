-- One pass over the readings: each is the use of its own month, a baseline of the same calendar month, both or neither.
with stale_rows as {{ stale_rows(ref('int_metered_rows'), 'period_no') }},

first_months as (
    select
        period_no,
        min(month_no) as month_no
    from {{ ref('int_period_months') }}
    group by period_no
),

contributions as (
    select
        row_of.unit_key,
        row_of.period_no,
        months.month_no,
        case when readings.month_no = months.month_no then readings.usage end as actual_usage,
        case
            when readings.month_no between row_of.baseline_from_no and row_of.baseline_to_no
                and not readings.is_tariff_excluded then readings.usage
        end as baseline_usage,
        readings.month_no = months.month_no and readings.is_tariff_excluded as is_tariff_excluded
    from {{ ref('int_metered_readings') }} as readings
    inner join {{ ref('int_period_months') }} as months
        on readings.month_no % 12 = months.calendar_month
        -- No baseline reaches past its period, and said here it spares the join below most of the readings.
        and readings.month_no <= months.month_no
    inner join stale_rows as row_of
        on readings.unit_key = row_of.unit_key
        and months.period_no = row_of.period_no
        and readings.month_no >= row_of.first_month_no
    where
        readings.month_no = months.month_no
        or readings.month_no between row_of.baseline_from_no and row_of.baseline_to_no
    union all
    -- A unit without any reading is there too, with a first month.
    select
        row_of.unit_key,
        row_of.period_no,
        first_months.month_no,
        null as actual_usage,
        null as baseline_usage,
        false as is_tariff_excluded
    from stale_rows as row_of
    inner join first_months
        on row_of.period_no = first_months.period_no
)

select
    unit_key,
    period_no,
    month_no,
    max(actual_usage) as actual_usage,
    count(actual_usage) as actual_readings,
    cast(sum(baseline_usage) as decimal(18, 3)) as baseline_sum,
    count(baseline_usage) as baseline_readings,
    bool_or(is_tariff_excluded) as is_tariff_excluded
from contributions
group by unit_key, period_no, month_no
-- Side by side, a unit's months compress well in the mart made of them; that saves more than sorting costs.
order by unit_key, month_no
