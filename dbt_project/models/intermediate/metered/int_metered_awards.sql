{{ config(materialized='view') }}

with per_utility as (
    select
        unit_key,
        period_no,
        'reduction' as award_type,
        rule_id,
        points,
        rate_from,
        cast(null as integer) as streak,
        cast(null as decimal(18, 6)) as streak_rate,
        cast(null as decimal(18, 6)) as share_of_average,
        cast(null as decimal(28, 3)) as usage_sum,
        cast(null as bigint) as participants
    from {{ ref('int_reduction_awards') }}
    union all
    select
        unit_key,
        period_no,
        'maintenance' as award_type,
        rule_id,
        points,
        null as rate_from,
        streak,
        streak_rate,
        null as share_of_average,
        null as usage_sum,
        null as participants
    from {{ ref('int_maintenance_awards') }}
    union all
    select
        unit_key,
        period_no,
        'standard_usage' as award_type,
        rule_id,
        points,
        null as rate_from,
        null as streak,
        null as streak_rate,
        share_of_average,
        usage_sum,
        participants
    from {{ ref('int_standard_usage_awards') }}
),

awards as (
    select
        units.program_id,
        awards.period_no,
        units.participant_id,
        units.region_code,
        awards.award_type,
        units.utility,
        awards.points,
        awards.rule_id,
        {{ plain_number('reductions.baseline_usage') }} as baseline,
        {{ plain_number('reductions.actual_usage') }} as actual,
        {{ plain_number('reductions.reduction') }} as reduction,
        {{ percent('reductions.reduction', 'reductions.baseline_usage') }} as rate,
        {{ plain_number(product('awards.rate_from', 100)) }} as rate_from,
        cast(awards.streak as varchar) as streak,
        {{ plain_number(product('awards.streak_rate', 100)) }} as streak_rate,
        {{ plain_number(product('awards.share_of_average', 100)) }} as share,
        -- for reading only: the rule compares the exact sums
        {{ plain_number(from_micros(rounded_quotient(micros('awards.usage_sum'), 'awards.participants'))) }} as average,
        cast(null as varchar) as score,
        cast(null as varchar) as reduction_weight,
        cast(null as varchar) as participation_weight
    from per_utility as awards
    inner join {{ ref('int_metered_units') }} as units
        on awards.unit_key = units.unit_key
    inner join {{ ref('int_metered_reductions') }} as reductions
        on awards.unit_key = reductions.unit_key
        and awards.period_no = reductions.period_no
    union all
    select
        periods.program_id,
        scores.period_no,
        scores.participant_id,
        scores.region_code,
        'complex' as award_type,
        null as utility,
        bands.points,
        bands.rule_id,
        {{ plain_number('scores.baseline_co2_kg') }} as baseline,
        {{ plain_number('scores.baseline_co2_kg - scores.co2_reduction_kg') }} as actual,
        {{ plain_number('scores.co2_reduction_kg') }} as reduction,
        {{ percent('scores.co2_reduction_kg', 'scores.baseline_co2_kg') }} as rate,
        null as rate_from,
        null as streak,
        null as streak_rate,
        null as share,
        null as average,
        {{ plain_number('scores.score') }} as score,
        {{ plain_number('scores.reduction_weight') }} as reduction_weight,
        {{ plain_number('scores.participation_weight') }} as participation_weight
    from {{ ref('int_complex_scores') }} as scores
    inner join {{ ref('int_periods') }} as periods
        on scores.period_no = periods.period_no
    inner join {{ source('policy', 'complex_award_bands') }} as bands
        on periods.program_id = bands.program_id
        and {{ in_force('bands', 'periods') }}
        and scores.score >= bands.score_from
        and (bands.score_to is null or scores.score < bands.score_to)
    where bands.points > 0
)

select
    awards.program_id,
    periods.period_id,
    awards.participant_id,
    awards.region_code,
    awards.award_type,
    awards.utility,
    awards.points,
    periods.payable_from as certified_on,
    awards.rule_id,
    {{ explanation(
        'explanations.template_local',
        'explanations.template_en',
        {
            'unit': 'utilities.unit',
            'baseline': 'awards.baseline',
            'actual': 'awards.actual',
            'reduction': 'awards.reduction',
            'co2': 'awards.reduction',
            'rate': 'awards.rate',
            'rate_from': 'awards.rate_from',
            'count': 'awards.streak',
            'streak_rate': 'awards.streak_rate',
            'share': 'awards.share',
            'average': 'awards.average',
            'score': 'awards.score',
            'reduction_weight': 'awards.reduction_weight',
            'participation_weight': 'awards.participation_weight',
            'points': 'cast(awards.points as varchar)',
            'rule_id': 'awards.rule_id',
        },
        local={'utility': 'coalesce(labels.name_local, awards.utility)'},
        en={'utility': 'coalesce(labels.name_en, awards.utility)'},
        plain="awards.award_type || ': baseline ' || awards.baseline || ', actual ' || awards.actual || ', reduction '
            || awards.reduction || ' (' || awards.rate || ' %), ' || awards.points || ' points by rule ' || awards.rule_id",
    ) }} as explanation
from awards
inner join {{ ref('int_periods') }} as periods
    on awards.period_no = periods.period_no
left join {{ source('policy', 'explanations') }} as explanations
    on awards.program_id = explanations.program_id
    and awards.award_type = explanations.award_type
left join {{ source('policy', 'utilities') }} as utilities
    on awards.program_id = utilities.program_id
    and awards.utility = utilities.utility
left join {{ source('policy', 'labels') }} as labels
    on awards.program_id = labels.program_id
    and labels.kind = 'utility'
    and awards.utility = labels.code
