{{ config(materialized='carried', pre_hook="{{ forget_stale_periods() }}") }}

select
    program_id,
    period_id,
    region_code,
    ranking_id,
    participant_class,
    rank,
    participant_id,
    nickname,
    score,
    co2_reduction_kg,
    reduction_rate,
    is_top_performer,
    is_commended
from {{ ref('int_reduction_rankings') }}
union all
select
    program_id,
    period_id,
    region_code,
    ranking_id,
    participant_class,
    rank,
    participant_id,
    nickname,
    score,
    co2_reduction_kg,
    reduction_rate,
    is_top_performer,
    is_commended
from {{ ref('int_application_rankings') }}
