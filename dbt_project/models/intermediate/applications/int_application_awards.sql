select
    cast(null as varchar) as program_id,
    cast(null as varchar) as period_id,
    cast(null as varchar) as participant_id,
    cast(null as varchar) as region_code,
    cast(null as varchar) as award_type,
    cast(null as varchar) as utility,
    cast(null as bigint) as points,
    cast(null as date) as certified_on,
    cast(null as varchar) as rule_id,
    cast(null as varchar) as explanation
where false
