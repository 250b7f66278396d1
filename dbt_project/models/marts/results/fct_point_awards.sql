{{ config(materialized='carried', pre_hook="{{ forget_stale_periods() }}") }}

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
    explanation
from {{ ref('int_metered_awards') }}
union all
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
    explanation
from {{ ref('int_application_awards') }}
