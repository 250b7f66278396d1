{{ config(materialized='carried', pre_hook="{{ forget_stale_periods(by_number=true) }}") }}

select
    rows.unit_key,
    rows.period_no,
    rows.first_month_no,
    rows.baseline_from_no,
    rows.baseline_to_no
from {{ ref('int_period_units') }} as rows
inner join {{ ref('int_period_inputs') }} as periods
    on rows.period_no = periods.period_no
where periods.is_stale
