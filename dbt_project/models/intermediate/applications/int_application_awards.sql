-- Every award of the application programmes, with the sentence that lets its owner check it by hand.
with awards as (
    select
        program_id,
        period_id,
        participant_id,
        award_type,
        utility,
        points,
        certified_on,
        rule_id,
        baseline,
        actual,
        reduction,
        rate_from,
        co2,
        points_each,
        times,
        cast(null as integer) as rank,
        cast(null as decimal(18, 6)) as score
    from {{ ref('int_reduction_points') }}
    union all
    select
        program_id,
        period_id,
        participant_id,
        award_type,
        null as utility,
        points,
        certified_on,
        award_type as rule_id,
        null as baseline,
        null as actual,
        null as reduction,
        null as rate_from,
        null as co2,
        points_each,
        times,
        null as rank,
        null as score
    from {{ ref('int_participation_points') }}
    union all
    select
        program_id,
        period_id,
        participant_id,
        award_type,
        null as utility,
        points,
        certified_on,
        rule_id,
        null as baseline,
        null as actual,
        null as reduction,
        null as rate_from,
        null as co2,
        null as points_each,
        null as times,
        rank,
        score
    from {{ ref('int_application_ranks') }}
)

select
    awards.program_id,
    awards.period_id,
    awards.participant_id,
    results.region_code,
    awards.award_type,
    awards.utility,
    awards.points,
    awards.certified_on,
    awards.rule_id,
    coalesce({{ sentence(
        'templates.template_local',
        'templates.template_en',
        {
            'baseline': plain_number('awards.baseline'),
            'actual': plain_number('awards.actual'),
            'reduction': plain_number('awards.reduction'),
            'rate': percent('awards.reduction', 'awards.baseline'),
            'rate_from': plain_number('(awards.rate_from * 100)'),
            'co2': plain_number('awards.co2'),
            'points_each': 'cast(awards.points_each as varchar)',
            'count': 'cast(awards.times as varchar)',
            'rank': 'cast(awards.rank as varchar)',
            'score': plain_number('awards.score'),
            'points': 'cast(awards.points as varchar)',
            'rule_id': 'awards.rule_id',
        },
        local={'utility': 'labels.name_local'},
        en={'utility': 'labels.name_en'},
    ) }}, awards.rule_id || ': ' || cast(awards.points as varchar)) as explanation
from awards
inner join {{ ref('int_application_results') }} as results
    on awards.program_id = results.program_id
    and awards.period_id = results.period_id
    and awards.participant_id = results.participant_id
left join {{ source('policy', 'explanations') }} as templates
    on awards.program_id = templates.program_id and awards.award_type = templates.award_type
left join {{ source('policy', 'labels') }} as labels
    on awards.program_id = labels.program_id and labels.kind = 'utility' and awards.utility = labels.code
where awards.points > 0
