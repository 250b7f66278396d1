-- Who takes part in which year: by an application, whatever became of it, or by a slip for one of the year's months. Nobody of
-- a region without policy in force; those are listed in dq_policy_gaps.
with years as (
    select program_id, period_id, fiscal_year, starts_on from {{ ref('int_fiscal_years') }}
),

entries as (
    select years.program_id, years.period_id, applications.participant_id
    from {{ ref('stg_applications') }} as applications
    inner join years
        on applications.program_id = years.program_id and applications.fiscal_year = years.fiscal_year
    union
    select months.program_id, months.period_id, slips.participant_id
    from {{ ref('stg_slips') }} as slips
    inner join {{ ref('int_period_months') }} as months
        on slips.program_id = months.program_id and slips.usage_month = months.usage_month
),

windows as (
    {{ in_force_by_year('registration_windows', ['registered_to_month']) }}
),

-- The smallest window that the registration fits into; without one there is no row: not in that year.
registered as (
    select
        participants.program_id,
        participants.participant_id,
        years.period_id,
        years.fiscal_year,
        windows.months,
        row_number() over (
            partition by participants.program_id, participants.participant_id, years.period_id
            order by windows.registered_to_month
        ) as smallest_first
    from {{ ref('stg_participants') }} as participants
    inner join years on participants.program_id = years.program_id
    inner join windows
        on years.program_id = windows.program_id and years.period_id = windows.in_force_period_id
    where participants.joined_on
        <= {{ offset_month_end('years.fiscal_year', 'windows.registered_to_month') }}
),

former_members as (
    select participants.program_id, participants.participant_id, years.fiscal_year as first_fiscal_year
    from {{ ref('stg_participants') }} as participants
    inner join {{ source('policy', 'transition_rules') }} as rules
        on participants.program_id = rules.program_id and participants.joined_on <= rules.registered_until
    inner join years on rules.program_id = years.program_id and rules.first_period = years.period_id
),

first_years as (
    select program_id, participant_id, min(fiscal_year) as first_fiscal_year
    from registered
    group by program_id, participant_id
)

select
    entries.program_id,
    entries.period_id,
    entries.participant_id,
    years.fiscal_year,
    participants.region_code,
    participants.participant_class,
    participants.joined_on,
    participants.moved_out_on,
    participants.former_scheme_applied_on,
    participants.pre_enrolment_co2_kg,
    registered.months as registered_months,
    former_members.participant_id is not null as is_former_member,
    greatest(first_years.first_fiscal_year, coalesce(former_members.first_fiscal_year, first_years.first_fiscal_year))
        as first_fiscal_year
from entries
inner join years on entries.program_id = years.program_id and entries.period_id = years.period_id
inner join {{ ref('stg_participants') }} as participants
    on entries.program_id = participants.program_id and entries.participant_id = participants.participant_id
inner join {{ ref('int_region_policies') }} as regions
    on entries.program_id = regions.program_id
    and entries.period_id = regions.period_id
    and participants.region_code = regions.region_code
left join registered
    on entries.program_id = registered.program_id
    and entries.participant_id = registered.participant_id
    and entries.period_id = registered.period_id
    and registered.smallest_first = 1
left join first_years
    on entries.program_id = first_years.program_id and entries.participant_id = first_years.participant_id
left join former_members
    on entries.program_id = former_members.program_id and entries.participant_id = former_members.participant_id
