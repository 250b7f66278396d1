-- Points and amounts by region add up to those of the facts, and nothing is counted twice.
with facts as (
    select
        program_id,
        period_id,
        region_code,
        sum(points) as points,
        0 as amount
    from {{ ref('fct_point_awards') }}
    group by program_id, period_id, region_code
    union all
    select
        program_id,
        period_id,
        region_code,
        0 as points,
        sum(amount) as amount
    from {{ ref('fct_payouts') }}
    group by program_id, period_id, region_code
),

totals as (
    select
        program_id,
        period_id,
        region_code,
        sum(points) as points,
        sum(amount) as amount
    from facts
    group by program_id, period_id, region_code
)

select
    results.program_id,
    results.period_id,
    results.region_code
from {{ ref('agg_region_results') }} as results
full join totals
    on results.program_id = totals.program_id
    and results.period_id = totals.period_id
    and results.region_code = totals.region_code
where
    (results.program_id is null or results.utility = 'all')
    and (
        coalesce(results.points, 0) <> coalesce(totals.points, 0)
        or coalesce(results.amount, 0) <> coalesce(totals.amount, 0)
    )
