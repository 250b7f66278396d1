with reductions as (
    select
        program_id,
        period_id,
        region_code,
        utility,
        count(distinct participant_id) as participants,
        count(distinct case when status = 'evaluated' then participant_id end) as evaluated,
        sum(baseline_usage) as baseline_usage,
        sum(actual_usage) as actual_usage,
        sum(reduction) as reduction,
        sum(baseline_co2_kg) as baseline_co2_kg,
        sum(co2_reduction_kg) as co2_reduction_kg
    from {{ ref('fct_reductions') }}
    group by grouping sets ((program_id, period_id, region_code, utility), (program_id, period_id, region_code))
),

-- Points that belong to no utility count in the total only.
awards as (
    select
        program_id,
        period_id,
        region_code,
        utility,
        count(distinct participant_id) as awarded,
        sum(points) as points
    from {{ ref('fct_point_awards') }}
    where points > 0 and utility is not null
    group by program_id, period_id, region_code, utility
    union all
    select
        program_id,
        period_id,
        region_code,
        null as utility,
        count(distinct participant_id) as awarded,
        sum(points) as points
    from {{ ref('fct_point_awards') }}
    where points > 0
    group by program_id, period_id, region_code
),

payouts as (
    select
        program_id,
        period_id,
        region_code,
        sum(amount) as amount
    from {{ ref('fct_payouts') }}
    group by program_id, period_id, region_code
),

lines as (
    select program_id, period_id, region_code, coalesce(utility, 'all') as utility from reductions
    union
    select program_id, period_id, region_code, coalesce(utility, 'all') as utility from awards
    union
    select program_id, period_id, region_code, 'all' as utility from payouts
)

select
    lines.program_id,
    lines.period_id,
    lines.region_code,
    lines.utility,
    coalesce(reductions.participants, 0) as participants,
    coalesce(reductions.evaluated, 0) as evaluated,
    coalesce(awards.awarded, 0) as awarded,
    cast(
        case when lines.utility <> 'all' then coalesce(reductions.baseline_usage, 0) end as decimal(18, 6)
    ) as baseline_usage,
    cast(
        case when lines.utility <> 'all' then coalesce(reductions.actual_usage, 0) end as decimal(18, 3)
    ) as actual_usage,
    case
        when lines.utility = 'all' then {{ rate('reductions.co2_reduction_kg', 'reductions.baseline_co2_kg') }}
        else {{ rate('reductions.reduction', 'reductions.baseline_usage') }}
    end as reduction_rate,
    cast(coalesce(reductions.co2_reduction_kg, 0) as decimal(18, 6)) as co2_reduction_kg,
    cast(coalesce(awards.points, 0) as bigint) as points,
    case when lines.utility = 'all' then cast(coalesce(payouts.amount, 0) as bigint) end as amount
from lines
left join reductions
    on lines.program_id = reductions.program_id
    and lines.period_id = reductions.period_id
    and lines.region_code = reductions.region_code
    and lines.utility = coalesce(reductions.utility, 'all')
left join awards
    on lines.program_id = awards.program_id
    and lines.period_id = awards.period_id
    and lines.region_code = awards.region_code
    and lines.utility = coalesce(awards.utility, 'all')
left join payouts
    on lines.program_id = payouts.program_id
    and lines.period_id = payouts.period_id
    and lines.region_code = payouts.region_code
    and lines.utility = 'all'
