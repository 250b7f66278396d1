{{ config(materialized='view') }}

select
    program_id,
    period_id,
    participant_id,
    region_code,
    award_type,
    points
from {{ ref('fct_point_awards') }}
where program_id not in (select program_id from {{ source('policy', 'application_rules') }})
