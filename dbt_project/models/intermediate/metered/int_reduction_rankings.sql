{{ config(materialized='view') }}

with totals as (
    select
        reductions.period_no,
        units.program_id,
        units.region_code,
        units.participant_class,
        units.participant_id,
        cast(sum(reductions.baseline_co2_kg) as decimal(18, 6)) as baseline_co2_kg,
        cast(sum(reductions.co2_reduction_kg) as decimal(18, 6)) as co2_reduction_kg
    from {{ ref('int_metered_reductions') }} as reductions
    inner join {{ ref('int_metered_units') }} as units
        on reductions.unit_key = units.unit_key
    where reductions.status = 'evaluated'
    group by
        reductions.period_no, units.program_id, units.region_code, units.participant_class, units.participant_id
),

ranked as (
    select
        totals.period_no,
        totals.region_code,
        'co2_reduction' as ranking_id,
        totals.participant_class,
        row_number() over (
            partition by totals.period_no, totals.region_code, totals.participant_class
            order by
                totals.co2_reduction_kg desc,
                -- Of equal savings the higher rate is the one of the smaller baseline (of equal excess: the larger),
                -- so the exact ratio needs no division.
                sign(totals.co2_reduction_kg) * totals.baseline_co2_kg,
                totals.participant_id
        ) as rank,
        totals.participant_id,
        totals.co2_reduction_kg as score,
        totals.baseline_co2_kg,
        totals.co2_reduction_kg
    from totals
    union all
    select
        scores.period_no,
        scores.region_code,
        'complex_score' as ranking_id,
        scores.participant_class,
        row_number() over (
            partition by scores.period_no, scores.region_code, scores.participant_class
            order by scores.score desc, scores.co2_reduction_kg desc, scores.participant_id
        ) as rank,
        scores.participant_id,
        scores.score,
        scores.baseline_co2_kg,
        scores.co2_reduction_kg
    from {{ ref('int_complex_scores') }} as scores
)

select
    periods.program_id,
    periods.period_id,
    ranked.region_code,
    ranked.ranking_id,
    ranked.participant_class,
    cast(ranked.rank as integer) as rank,
    ranked.participant_id,
    cast(null as varchar) as nickname,
    ranked.score,
    ranked.co2_reduction_kg,
    {{ rate('ranked.co2_reduction_kg', 'ranked.baseline_co2_kg') }} as reduction_rate,
    false as is_top_performer,
    false as is_commended
from ranked
inner join {{ ref('int_periods') }} as periods
    on ranked.period_no = periods.period_no
