-- Ranks are 1, 2, 3 ... within each list.
select
    program_id,
    period_id,
    region_code,
    ranking_id,
    participant_class,
    count(*) as participants
from {{ ref('fct_rankings') }}
group by program_id, period_id, region_code, ranking_id, participant_class
having min(rank) <> 1 or max(rank) <> count(*) or count(distinct rank) <> count(*)
