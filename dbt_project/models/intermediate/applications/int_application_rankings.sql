select
    cast(null as varchar) as program_id,
    cast(null as varchar) as period_id,
    cast(null as varchar) as region_code,
    cast(null as varchar) as ranking_id,
    cast(null as varchar) as participant_class,
    cast(null as integer) as rank,
    cast(null as varchar) as participant_id,
    cast(null as varchar) as nickname,
    cast(null as decimal(18,6)) as score,
    cast(null as decimal(18,6)) as co2_reduction_kg,
    cast(null as decimal(18,6)) as reduction_rate,
    cast(null as boolean) as is_top_performer,
    cast(null as boolean) as is_commended
where false
