-- What the readings of a month speak for: a few rows a month, and with them nothing else has to look at every reading.
{{ config(materialized='carried', pre_hook="{{ forget_months('usage_month') }}") }}

select distinct
    program_id,
    utility,
    usage_month,
    tariff
from {{ ref('stg_readings') }}
where usage_month in (select usage_month from {{ ref('int_reading_months') }} where is_changed)
