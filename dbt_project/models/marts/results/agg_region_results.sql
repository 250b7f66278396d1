with by_utility as (
    select
        program_id,
        period_id,
        region_code,
        utility,
        count(*) as participants,
        count(case when status = 'evaluated' then participant_id end) as evaluated,
        sum(baseline_usage) as baseline_usage,
        sum(actual_usage) as actual_usage,
        sum(reduction) as reduction,
        sum(baseline_co2_kg) as baseline_co2_kg,
        sum(co2_reduction_kg) as co2_reduction_kg
    from {{ ref('fct_reductions') }}
    group by program_id, period_id, region_code, utility
),

-- Only in a region's total a participant has several rows; counting them there alone halves the time.
participants as (
    select
        program_id,
        period_id,
        region_code,
        participant_id,
        bool_or(status = 'evaluated') as is_evaluated
    from {{ ref('fct_reductions') }}
    group by program_id, period_id, region_code, participant_id
),

totals as (
    select
        program_id,
        period_id,
        region_code,
        count(*) as participants,
        count(case when is_evaluated then participant_id end) as evaluated
    from participants
    group by program_id, period_id, region_code
),

co2 as (
    select
        program_id,
        period_id,
        region_code,
        sum(baseline_co2_kg) as baseline_co2_kg,
        sum(co2_reduction_kg) as co2_reduction_kg
    from by_utility
    group by program_id, period_id, region_code
),

reductions as (
    select
        program_id,
        period_id,
        region_code,
        utility,
        participants,
        evaluated,
        baseline_usage,
        actual_usage,
        reduction,
        baseline_co2_kg,
        co2_reduction_kg
    from by_utility
    union all
    select
        totals.program_id,
        totals.period_id,
        totals.region_code,
        null as utility,
        totals.participants,
        totals.evaluated,
        null as baseline_usage,
        null as actual_usage,
        null as reduction,
        co2.baseline_co2_kg,
        co2.co2_reduction_kg
    from totals
    inner join co2
        on totals.program_id = co2.program_id
        and totals.period_id = co2.period_id
        and totals.region_code = co2.region_code
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
    select
        program_id,
        period_id,
        region_code,
        coalesce(utility, 'all') as utility
    from reductions
    union
    select
        program_id,
        period_id,
        region_code,
        coalesce(utility, 'all') as utility
    from awards
    union
    select
        program_id,
        period_id,
        region_code,
        'all' as utility
    from payouts
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
