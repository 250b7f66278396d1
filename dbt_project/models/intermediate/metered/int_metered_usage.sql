select
    units.program_id,
    units.participant_id,
    units.region_code,
    units.utility,
    {{ month_start('readings.month_no') }} as usage_month,
    readings.usage,
    -- Not widened as elsewhere, which would take a third longer on every reading: up to 999,999,999 kg a month.
    {{ stored('readings.usage * factors.kg_co2_per_unit') }} as co2_kg,
    readings.is_estimated,
    readings.source_file_id
from {{ ref('int_metered_readings') }} as readings
inner join {{ ref('int_metered_units') }} as units
    on readings.unit_key = units.unit_key
left join {{ ref('int_factors') }} as factors
    on units.program_id = factors.program_id
    and units.utility = factors.utility
    and readings.month_no between factors.from_no and factors.to_no
where
    readings.month_no in (select month_no from {{ ref('int_reading_months') }} where is_changed)
    or readings.unit_key in (select unit_key from {{ ref('int_changed_units') }})
