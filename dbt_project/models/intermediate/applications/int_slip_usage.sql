select
    cast(null as varchar) as program_id,
    cast(null as varchar) as participant_id,
    cast(null as varchar) as region_code,
    cast(null as varchar) as utility,
    cast(null as date) as usage_month,
    cast(null as decimal(18,3)) as usage,
    cast(null as decimal(18,6)) as co2_kg,
    cast(null as boolean) as is_estimated,
    cast(null as varchar) as source_file_id
where false
