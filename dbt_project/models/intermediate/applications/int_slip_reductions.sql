select
    cast(null as varchar) as program_id,
    cast(null as varchar) as period_id,
    cast(null as varchar) as participant_id,
    cast(null as varchar) as region_code,
    cast(null as varchar) as participant_class,
    cast(null as varchar) as utility,
    cast(null as varchar) as status,
    cast(null as integer) as months_evaluated,
    cast(null as decimal(18,6)) as baseline_usage,
    cast(null as decimal(18,3)) as actual_usage,
    cast(null as decimal(18,6)) as reduction,
    cast(null as decimal(18,6)) as reduction_rate,
    cast(null as decimal(18,6)) as baseline_co2_kg,
    cast(null as decimal(18,6)) as actual_co2_kg,
    cast(null as decimal(18,6)) as co2_reduction_kg
where false
