-- Points for what the slips show: per kg saved, by the rate over all months, and for staying below the CO2 of before.
with results as (
    select
        results.*,
        years.points_per_kg,
        years.kg_rounding,
        years.netting,
        years.starts_on
    from {{ ref('int_application_results') }} as results
    inner join {{ ref('int_fiscal_years') }} as years
        on results.program_id = years.program_id and results.period_id = years.period_id
),

-- netting = total: one figure over all utilities; per_utility: each by itself, a negative one counts 0.
savings as (
    select
        program_id,
        period_id,
        participant_id,
        certified_on,
        points_per_kg,
        kg_rounding,
        cast(null as varchar) as utility,
        baseline_co2_kg,
        actual_co2_kg,
        co2_reduction_kg
    from results
    where netting = 'total'
    union all
    select
        results.program_id,
        results.period_id,
        results.participant_id,
        results.certified_on,
        results.points_per_kg,
        results.kg_rounding,
        reductions.utility,
        reductions.baseline_co2_kg,
        reductions.actual_co2_kg,
        reductions.co2_reduction_kg
    from results
    inner join {{ ref('int_slip_reductions') }} as reductions
        on results.program_id = reductions.program_id
        and results.period_id = reductions.period_id
        and results.participant_id = reductions.participant_id
    where results.netting = 'per_utility'
),

counted as (
    select
        *,
        case kg_rounding
            when 'half_up' then cast(round(co2_reduction_kg, 0) as decimal(18, 6))
            when 'floor' then cast(floor(co2_reduction_kg) as decimal(18, 6))
            else co2_reduction_kg
        end as counted_kg
    from savings
    where co2_reduction_kg > 0
),

bonuses as (
    select
        results.*,
        tiers.rule_id,
        tiers.rate_from,
        tiers.points
    from results
    inner join {{ source('policy', 'bonus_tiers') }} as tiers
        on results.program_id = tiers.program_id
        and tiers.valid_from_on <= results.starts_on
        and (tiers.valid_to_on is null or results.starts_on <= tiers.valid_to_on)
    -- Multiplied, not divided: the edge is tested on the exact ratio.
    where results.has_all_months
        and results.co2_reduction_kg >= cast(results.baseline_co2_kg as decimal(38, 6)) * tiers.rate_from
        and (
            tiers.rate_to is null
            or results.co2_reduction_kg < cast(results.baseline_co2_kg as decimal(38, 6)) * tiers.rate_to
        )
)

select
    program_id,
    period_id,
    participant_id,
    'co2_reduction' as award_type,
    utility,
    cast(round(cast(counted_kg as decimal(38, 6)) * points_per_kg, 0) as bigint) as points,
    certified_on,
    'co2_reduction' as rule_id,
    baseline_co2_kg as baseline,
    actual_co2_kg as actual,
    co2_reduction_kg as reduction,
    cast(null as decimal(18, 6)) as rate_from,
    counted_kg as co2,
    cast(points_per_kg as bigint) as points_each,
    cast(null as integer) as times
from counted
union all
select
    program_id,
    period_id,
    participant_id,
    'bonus' as award_type,
    null as utility,
    points,
    certified_on,
    rule_id,
    baseline_co2_kg as baseline,
    actual_co2_kg as actual,
    co2_reduction_kg as reduction,
    rate_from,
    null as co2,
    null as points_each,
    null as times
from bonuses
union all
select
    program_id,
    period_id,
    participant_id,
    'continuity' as award_type,
    null as utility,
    points,
    certified_on,
    rule_id,
    cast(round(before_co2_kg, 6) as decimal(18, 6)) as baseline,
    cast(round(year_co2_kg, 6) as decimal(18, 6)) as actual,
    null as reduction,
    null as rate_from,
    null as co2,
    null as points_each,
    achievement as times
from {{ ref('int_continuity') }}
