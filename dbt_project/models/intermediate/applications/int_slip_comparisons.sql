select
    cast(null as varchar) as program_id,
    cast(null as varchar) as period_id,
    cast(null as varchar) as participant_id,
    cast(null as varchar) as region_code,
    cast(null as varchar) as utility,
    cast(null as date) as usage_month,
    cast(null as decimal(18,6)) as baseline_usage,
    cast(null as decimal(18,3)) as actual_usage,
    cast(null as varchar) as status
where false
