{{ config(materialized='view') }}

-- Few combinations, and with them a unit's texts are compared once and not once per period.
with scopes as (
    select distinct
        periods.period_no,
        periods.program_id,
        periods.starts_on,
        periods.ends_on,
        periods.starts_no,
        regions.region_code,
        classes.participant_class,
        utilities.utility,
        policies.baseline_anchor,
        policies.baseline_years
    from {{ ref('int_periods') }} as periods
    inner join {{ ref('int_region_policies') }} as regions
        on periods.period_no = regions.period_no
    inner join {{ ref('int_baseline_policies') }} as policies
        on periods.period_no = policies.period_no
    cross join {{ each_word('periods.participant_classes', 'classes', 'participant_class') }}
    cross join {{ each_word('regions.utilities', 'utilities', 'utility') }}
),

anchored as (
    select
        units.unit_key,
        scopes.period_no,
        units.first_month_no,
        scopes.baseline_years,
        case
            when scopes.baseline_anchor = 'enrolment' and not units.is_short_stay then units.joined_no
            else scopes.starts_no
        end as anchor_no
    from {{ ref('int_metered_units') }} as units
    inner join scopes
        on units.program_id = scopes.program_id
        and units.region_code = scopes.region_code
        and units.participant_class = scopes.participant_class
        and units.utility = scopes.utility
        and units.joined_on <= scopes.ends_on
        and (units.withdrawn_on is null or units.withdrawn_on >= scopes.starts_on)
)

select
    unit_key,
    period_no,
    first_month_no,
    greatest(anchor_no - 12 * baseline_years, first_month_no) as baseline_from_no,
    anchor_no - 1 as baseline_to_no
from anchored
