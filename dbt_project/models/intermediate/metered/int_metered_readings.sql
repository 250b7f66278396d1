with tariffs as (
    select distinct
        program_id,
        utility,
        tariff
    from {{ ref('stg_readings') }}
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
)

-- The only join on text: from here on a meter is a number.
select
    units.unit_key,
    {{ month_no('readings.usage_month') }} as month_no,
    readings.usage,
    readings.is_estimated,
    excluded_tariffs.tariff is not null as is_tariff_excluded,
    readings.source_file_id
from {{ ref('stg_readings') }} as readings
inner join {{ ref('int_metered_units') }} as units
    on readings.program_id = units.program_id
    and readings.provider = units.provider
    and readings.utility = units.utility
    and readings.meter_key = units.meter_key
left join excluded_tariffs
    on readings.program_id = excluded_tariffs.program_id
    and readings.utility = excluded_tariffs.utility
    and readings.tariff = excluded_tariffs.tariff
