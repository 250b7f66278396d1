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
        awards.rate_from,
        awards.streak,
        awards.streak_rate,
        awards.share_of_average,
        awards.usage_sum,
        awards.participants,
        cast(null as decimal(18, 6)) as reduction_weight,
        cast(null as decimal(18, 6)) as participation_weight,
        reductions.baseline_usage as baseline,
        cast(reductions.actual_usage as decimal(18, 6)) as actual,
        reductions.reduction,
        cast(null as decimal(18, 6)) as score
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
        null as rate_from,
        null as streak,
        null as streak_rate,
        null as share_of_average,
        null as usage_sum,
        null as participants,
        scores.reduction_weight,
        scores.participation_weight,
        scores.baseline_co2_kg as baseline,
        cast(scores.baseline_co2_kg - scores.co2_reduction_kg as decimal(18, 6)) as actual,
        scores.co2_reduction_kg as reduction,
        scores.score
    from {{ ref('int_complex_scores') }} as scores
    inner join {{ ref('int_periods') }} as periods
        on scores.period_no = periods.period_no
    inner join {{ source('policy', 'complex_award_bands') }} as bands
        on periods.program_id = bands.program_id
        and {{ in_force('bands', 'periods') }}
        and scores.score >= bands.score_from
        and (bands.score_to is null or scores.score < bands.score_to)
    where bands.points > 0
),

-- A rule says the same to everybody in a period but for their own figures: so much of its sentence is made once.
rules as (
    select distinct
        program_id,
        period_no,
        award_type,
        utility,
        points,
        rule_id,
        rate_from,
        streak,
        streak_rate,
        share_of_average,
        usage_sum,
        participants,
        reduction_weight,
        participation_weight
    from awards
),

sentences as (
    select
        rules.period_no,
        rules.award_type,
        rules.rule_id,
        -- {average} is rounded for reading: the rule compares the exact sums.
        {{ sentence(
            'explanations.template_local',
            'explanations.template_en',
            {
                'unit': 'utilities.unit',
                'rate_from': plain_number(product('rules.rate_from', 100)),
                'count': 'cast(rules.streak as varchar)',
                'streak_rate': plain_number(product('rules.streak_rate', 100)),
                'share': plain_number(product('rules.share_of_average', 100)),
                'average': plain_number(from_micros(rounded_quotient(micros('rules.usage_sum'), 'rules.participants'))),
                'reduction_weight': plain_number('rules.reduction_weight'),
                'participation_weight': plain_number('rules.participation_weight'),
                'points': 'cast(rules.points as varchar)',
                'rule_id': 'rules.rule_id',
            },
            local={'utility': 'coalesce(labels.name_local, rules.utility)'},
            en={'utility': 'coalesce(labels.name_en, rules.utility)'},
        ) }} as sentence
    from rules
    left join {{ source('policy', 'explanations') }} as explanations
        on rules.program_id = explanations.program_id
        and rules.award_type = explanations.award_type
    left join {{ source('policy', 'utilities') }} as utilities
        on rules.program_id = utilities.program_id
        and rules.utility = utilities.utility
    left join {{ source('policy', 'labels') }} as labels
        on rules.program_id = labels.program_id
        and labels.kind = 'utility'
        and rules.utility = labels.code
),

figures as (
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
        sentences.sentence,
        {{ plain_number('awards.baseline') }} as baseline,
        {{ plain_number('awards.actual') }} as actual,
        {{ plain_number('awards.reduction') }} as reduction,
        {{ percent('awards.reduction', 'awards.baseline') }} as rate,
        {{ plain_number('awards.score') }} as score
    from awards
    inner join {{ ref('int_periods') }} as periods
        on awards.period_no = periods.period_no
    inner join sentences
        on awards.period_no = sentences.period_no
        and awards.award_type = sentences.award_type
        and awards.rule_id = sentences.rule_id
)

select
    program_id,
    period_id,
    participant_id,
    region_code,
    award_type,
    utility,
    points,
    certified_on,
    rule_id,
    coalesce(
        {{ fill_template('sentence', {
            'baseline': 'baseline', 'actual': 'actual', 'reduction': 'reduction', 'co2': 'reduction', 'rate': 'rate',
            'score': 'score',
        }) }},
        award_type || ': baseline ' || baseline || ', actual ' || actual || ', reduction ' || reduction
        || ' (' || rate || ' %), ' || points || ' points by rule ' || rule_id
    ) as explanation
from figures
