{{ config(
    materialized='carried',
    pre_hook=[
        "{{ forget_months('usage_month') }}",
        "{{ forget_units('program_id, participant_id, utility') }}",
        "{{ forget_applications() }}",
    ]
) }}

select
    program_id,
    participant_id,
    region_code,
    utility,
    usage_month,
    usage,
    co2_kg,
    is_estimated,
    source_file_id
from {{ ref('int_metered_usage') }}
union all
select
    program_id,
    participant_id,
    region_code,
    utility,
    usage_month,
    usage,
    co2_kg,
    is_estimated,
    source_file_id
from {{ ref('int_slip_usage') }}
