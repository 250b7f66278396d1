select
    cast(null as varchar) as program_id,
    cast(null as varchar) as period_id,
    cast(null as varchar) as participant_id,
    cast(null as varchar) as region_code,
    cast(null as varchar) as incentive_type,
    cast(null as bigint) as points,
    cast(null as decimal(6,2)) as won_per_point,
    cast(null as bigint) as amount,
    cast(null as varchar) as currency,
    cast(null as varchar) as status,
    cast(null as varchar) as hold_reason,
    cast(null as bigint) as paid_amount
where false
