-- The years of the programmes that pay on application, and the rules in force in each. All years between the first policy
-- row and the last record, gaps included, so that a participant's programme years can be counted.
with kinds as (
    select rules.*
    from {{ source('policy', 'period_rules') }} as rules
    where exists (
        select 1
        from {{ source('policy', 'application_rules') }} as applications
        where applications.program_id = rules.program_id and applications.valid_from_kind = rules.period_kind
    )
),

dates as (
    select program_id, usage_month as seen_on from {{ ref('stg_slips') }}
    union all
    select program_id, acted_on as seen_on from {{ ref('stg_activities') }}
    union all
    select program_id, valid_from_on as seen_on from {{ source('policy', 'application_rules') }}
),

seen_years as (
    select kinds.program_id, ({{ month_no('dates.seen_on') }} - kinds.starts_month + 1) // 12 as fiscal_year
    from kinds
    inner join dates on kinds.program_id = dates.program_id
    union all
    select program_id, fiscal_year from {{ ref('stg_applications') }}
),

bounds as (
    select program_id, min(fiscal_year) as first_year, max(fiscal_year) as last_year
    from seen_years
    group by program_id
),

numbered as (
    select program_id, cast(unnest(generate_series(first_year, last_year)) as integer) as fiscal_year
    from bounds
),

years as (
    select
        kinds.program_id,
        {{ period_label('kinds.label', 'numbered.fiscal_year') }} as period_id,
        numbered.fiscal_year,
        {{ offset_month('numbered.fiscal_year', 'kinds.starts_month') }} as starts_on,
        {{ offset_month_end('numbered.fiscal_year', 'kinds.ends_month') }} as ends_on
    from kinds
    inner join numbered on kinds.program_id = numbered.program_id
),

applications as (
    {{ in_force_by_year('application_rules') }}
),

points as (
    {{ in_force_by_year('point_rules') }}
)

select
    years.program_id,
    years.period_id,
    years.fiscal_year,
    years.starts_on,
    years.ends_on,
    {{ offset_month_end('years.fiscal_year', 'applications.opens_month') }} as opens_on,
    {{ offset_month_end('years.fiscal_year', 'applications.closes_month') }} as closes_on,
    {{ offset_month('years.fiscal_year', 'applications.resident_until_month') }} as resident_until_on,
    applications.move_out_months,
    applications.certified_after_months,
    applications.certified_day,
    points.points_per_kg,
    points.kg_rounding,
    points.netting,
    points.points_per_report,
    points.points_per_eco_mark,
    points.redemption_unit,
    points.lot_validity_years
from years
left join applications
    on years.program_id = applications.program_id and years.period_id = applications.in_force_period_id
left join points
    on years.program_id = points.program_id and years.period_id = points.in_force_period_id
