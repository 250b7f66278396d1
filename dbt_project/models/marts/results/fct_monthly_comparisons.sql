{{ config(materialized='carried', pre_hook="{{ forget_stale_periods() }}") }}

select
    program_id,
    period_id,
    participant_id,
    region_code,
    utility,
    usage_month,
    baseline_usage,
    actual_usage,
    status
from {{ ref('int_metered_comparisons') }}
union all
select
    program_id,
    period_id,
    participant_id,
    region_code,
    utility,
    usage_month,
    baseline_usage,
    actual_usage,
    status
from {{ ref('int_slip_comparisons') }}
