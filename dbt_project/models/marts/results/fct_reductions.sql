{{ config(materialized='carried', pre_hook="{{ forget_stale_periods() }}") }}

select
    units.program_id,
    periods.period_id,
    units.participant_id,
    units.region_code,
    units.participant_class,
    units.utility,
    reductions.status,
    reductions.months_evaluated,
    reductions.baseline_usage,
    reductions.actual_usage,
    reductions.reduction,
    reductions.reduction_rate,
    reductions.baseline_co2_kg,
    reductions.actual_co2_kg,
    reductions.co2_reduction_kg
from {{ ref('int_metered_reductions') }} as reductions
inner join {{ ref('int_metered_units') }} as units
    on reductions.unit_key = units.unit_key
inner join {{ ref('int_periods') }} as periods
    on reductions.period_no = periods.period_no
union all
select
    program_id,
    period_id,
    participant_id,
    region_code,
    participant_class,
    utility,
    status,
    months_evaluated,
    baseline_usage,
    actual_usage,
    reduction,
    reduction_rate,
    baseline_co2_kg,
    actual_co2_kg,
    co2_reduction_kg
from {{ ref('int_slip_reductions') }}
