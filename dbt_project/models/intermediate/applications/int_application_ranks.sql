-- Accepted applicants in a total order: 1, 2, 3 … without ties. By kg, the higher rate first is the smaller baseline first:
-- equal kg are compared only, so the exact ratio needs no division.
with rules as (
    {{ in_force_by_year('ranking_rules', ['ranking_id'], ref('int_fiscal_years')) }}
),

entered as (
    select
        results.program_id,
        results.period_id,
        results.region_code,
        results.participant_class,
        results.participant_id,
        results.received_on,
        results.co2_reduction_kg,
        results.reduction_rate,
        rules.ranking_id,
        {{ day_of_month(offset_month('results.fiscal_year', 'rules.certified_month'), 'rules.certified_day') }}
            as certified_on,
        case when rules.minimum is null then results.co2_reduction_kg else results.eco_marks end as score,
        case when rules.minimum is null then results.baseline_co2_kg end as smaller_first
    from {{ ref('int_application_results') }} as results
    inner join rules
        on results.program_id = rules.program_id and results.period_id = rules.in_force_period_id
    where case when rules.minimum is null then results.co2_reduction_kg > 0 else results.eco_marks >= rules.minimum end
),

ranked as (
    select
        *,
        cast(
            row_number() over (
                partition by program_id, period_id, region_code, ranking_id, participant_class
                order by score desc, smaller_first, received_on, participant_id
            ) as integer
        ) as rank
    from entered
),

years as (
    select program_id, period_id, starts_on from {{ ref('int_fiscal_years') }}
),

awards as (
    {{ in_force_by_year('rank_awards', ['rule_id']) }}
),

-- Of the bands that hold a rank, the newest.
bands as (
    select
        ranked.program_id,
        ranked.period_id,
        ranked.ranking_id,
        ranked.participant_id,
        awards.is_top_performer,
        awards.is_commended,
        awards.rule_id,
        awards.award_type,
        awards.points,
        row_number() over (
            partition by ranked.program_id, ranked.period_id, ranked.ranking_id, ranked.participant_id
            order by awards.valid_from_on desc, awards.rule_id
        ) as newest_first
    from ranked
    inner join awards
        on ranked.program_id = awards.program_id
        and ranked.period_id = awards.in_force_period_id
        and ranked.ranking_id = awards.ranking_id
        and ranked.rank >= awards.rank_from
        and (awards.rank_to is null or ranked.rank <= awards.rank_to)
)

select
    ranked.program_id,
    ranked.period_id,
    ranked.region_code,
    ranked.ranking_id,
    ranked.participant_class,
    ranked.rank,
    ranked.participant_id,
    participants.nickname,
    cast(ranked.score as decimal(18, 6)) as score,
    ranked.co2_reduction_kg,
    ranked.reduction_rate,
    coalesce(bands.is_top_performer, false) as is_top_performer,
    coalesce(bands.is_commended, false) as is_commended,
    bands.rule_id,
    bands.award_type,
    bands.points,
    ranked.certified_on
from ranked
left join bands
    on ranked.program_id = bands.program_id
    and ranked.period_id = bands.period_id
    and ranked.ranking_id = bands.ranking_id
    and ranked.participant_id = bands.participant_id
    and bands.newest_first = 1
inner join {{ ref('stg_participants') }} as participants
    on ranked.program_id = participants.program_id and ranked.participant_id = participants.participant_id
