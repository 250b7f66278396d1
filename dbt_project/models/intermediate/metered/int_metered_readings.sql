{{ config(
    materialized='carried',
    pre_hook=["{{ forget_months('month_no') }}", "{{ forget_units('unit_key') }}"]
) }}

with tariffs as (
    select distinct
        program_id,
        utility,
        tariff
    from {{ ref('int_reading_tariffs') }}
    where tariff is not null
),

excluded_tariffs as (
    select distinct
        tariffs.program_id,
        tariffs.utility,
        tariffs.tariff
    from tariffs
    inner join {{ source('policy', 'excluded_tariffs') }} as excluded
        on tariffs.program_id = excluded.program_id
        and tariffs.utility = excluded.utility
        and (
            tariffs.tariff = excluded.tariff
            or (excluded.match = 'prefix' and left(tariffs.tariff, length(excluded.tariff)) = excluded.tariff)
        )
),

-- Of changed months all, of the others those of changed units.
readings as (
    select
        units.unit_key,
        months.month_no,
        readings.usage,
        readings.is_estimated,
        readings.program_id,
        readings.utility,
        readings.tariff,
        readings.source_file_id
    from {{ ref('stg_readings') }} as readings
    inner join {{ ref('int_reading_months') }} as months
        on readings.usage_month = months.usage_month
        and months.is_changed
    inner join {{ ref('int_metered_units') }} as units
        on {{ is_meter_of('readings', 'units') }}
    union all
    select
        units.unit_key,
        months.month_no,
        readings.usage,
        readings.is_estimated,
        readings.program_id,
        readings.utility,
        readings.tariff,
        readings.source_file_id
    from {{ ref('stg_readings') }} as readings
    inner join {{ ref('int_reading_months') }} as months
        on readings.usage_month = months.usage_month
        and not months.is_changed
    inner join {{ ref('int_metered_units') }} as units
        on {{ is_meter_of('readings', 'units') }}
    inner join {{ ref('int_changed_units') }} as changed
        on units.unit_key = changed.unit_key
)

select
    readings.unit_key,
    readings.month_no,
    readings.usage,
    readings.is_estimated,
    excluded_tariffs.tariff is not null as is_tariff_excluded,
    files.file_no
from readings
left join excluded_tariffs
    on readings.program_id = excluded_tariffs.program_id
    and readings.utility = excluded_tariffs.utility
    and readings.tariff = excluded_tariffs.tariff
-- A left join: whatever may happen, no reading is lost here. By a number, which takes a sixth of the text's time.
left join {{ ref('int_reading_files') }} as files
    on hash(readings.source_file_id) = hash(files.source_file_id)
-- Whatever joins readings with units finds a unit's side by side: sorting a half-year takes 6 seconds and saves 17.
order by readings.unit_key, readings.month_no
