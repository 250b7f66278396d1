with region_points as (
    -- Complexes are paid outside the region's budget.
    select
        program_id,
        period_id,
        region_code,
        sum(points) as points
    from {{ ref('int_money_awards') }}
    where award_type <> 'complex'
    group by program_id, period_id, region_code
),

-- What a batch has paid with stays, whatever corrections do to the budget.
issued as (
    select
        program_id,
        period_id,
        region_code,
        won_per_point,
        row_number() over (
            partition by program_id, period_id, region_code
            order by batch_id, line_no
        ) as line_rank
    from {{ ref('int_issued_payouts') }}
    where won_per_point is not null
)

select
    region_points.program_id,
    region_points.period_id,
    region_points.region_code,
    region_points.points,
    policies.budget_won,
    cast(
        case
            when issued.won_per_point is not null then issued.won_per_point
            when {{ product('region_points.points', 'policies.won_per_point') }} > policies.budget_won
                -- budget / points, cut to 2 decimals
                then
                    {{ whole_quotient('(policies.budget_won * 100)', 'region_points.points') }}
                    * cast(0.01 as decimal(3, 2))
            else policies.won_per_point
        end as decimal(6, 2)
    ) as won_per_point
from region_points
inner join {{ ref('int_region_policies') }} as policies
    on region_points.program_id = policies.program_id
    and region_points.period_id = policies.period_id
    and region_points.region_code = policies.region_code
left join issued
    on region_points.program_id = issued.program_id
    and region_points.period_id = issued.period_id
    and region_points.region_code = issued.region_code
    and issued.line_rank = 1
