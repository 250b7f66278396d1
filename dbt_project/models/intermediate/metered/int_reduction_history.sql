{{ config(materialized='carried', pre_hook="{{ forget_stale_periods(by_number=true) }}") }}

select
    reductions.unit_key,
    reductions.period_no,
    reductions.baseline_usage,
    reductions.reduction
from {{ ref('int_metered_reductions') }} as reductions
inner join {{ ref('int_period_inputs') }} as periods
    on reductions.period_no = periods.period_no
where reductions.status = 'evaluated'
