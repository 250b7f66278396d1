{{ config(materialized='view') }}

with anchored as (
    select
        units.unit_key,
        periods.period_no,
        units.first_month_no,
        policies.baseline_years,
        case
            when policies.baseline_anchor = 'enrolment' and not units.is_short_stay then units.joined_no
            else periods.starts_no
        end as anchor_no
    from {{ ref('int_metered_units') }} as units
    inner join {{ ref('int_periods') }} as periods
        on units.program_id = periods.program_id
        and units.joined_on <= periods.ends_on
        and (units.withdrawn_on is null or units.withdrawn_on >= periods.starts_on)
        and {{ has_word('periods.participant_classes', 'units.participant_class') }}
    inner join {{ ref('int_region_policies') }} as regions
        on periods.period_no = regions.period_no
        and units.region_code = regions.region_code
        and {{ has_word('regions.utilities', 'units.utility') }}
    inner join {{ ref('int_baseline_policies') }} as policies
        on periods.period_no = policies.period_no
)

select
    unit_key,
    period_no,
    first_month_no,
    greatest(anchor_no - 12 * baseline_years, first_month_no) as baseline_from_no,
    anchor_no - 1 as baseline_to_no
from anchored
