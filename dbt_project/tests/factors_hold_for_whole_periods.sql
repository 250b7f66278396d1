-- CO2 of a metered period takes one factor per utility, that of its first month. Says where policy changes it within.
{{ config(severity='warn') }}

select distinct
    periods.program_id,
    periods.period_id,
    factors.utility,
    factors.from_no
from {{ ref('int_periods') }} as periods
inner join {{ ref('int_baseline_policies') }} as policies
    on periods.period_no = policies.period_no
inner join {{ ref('int_factors') }} as factors
    on periods.program_id = factors.program_id
    and factors.from_no > periods.starts_no
    and factors.from_no <= periods.ends_no
inner join {{ ref('int_factors') }} as earlier
    on factors.program_id = earlier.program_id
    and factors.utility = earlier.utility
    and factors.from_no = earlier.to_no + 1
