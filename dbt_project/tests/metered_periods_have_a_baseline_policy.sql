-- A period before the first row of baseline_policies is not evaluated; this says which.
{{ config(severity='warn') }}

select distinct
    periods.program_id,
    periods.period_id
from {{ ref('int_periods') }} as periods
inner join {{ ref('int_metered_units') }} as units
    on periods.program_id = units.program_id
    and {{ has_word('periods.participant_classes', 'units.participant_class') }}
left join {{ ref('int_baseline_policies') }} as policies
    on periods.period_no = policies.period_no
where policies.period_no is null
