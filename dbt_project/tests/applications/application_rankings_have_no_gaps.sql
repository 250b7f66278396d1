-- Ranks are 1, 2, 3 … and a better rank never has a smaller score.
select
    program_id,
    period_id,
    region_code,
    ranking_id,
    participant_class,
    rank
from (
    select
        *,
        row_number() over (
            partition by program_id, period_id, region_code, ranking_id, participant_class order by rank
        ) as place,
        lag(score) over (
            partition by program_id, period_id, region_code, ranking_id, participant_class order by rank
        ) as better_score
    from {{ ref('int_application_rankings') }}
) as ranked
where rank <> place or score > better_score
