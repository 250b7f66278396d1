-- Which periods say what they said when they were last published: the same units under the same conditions, no reading
-- changed that any of them counts, and so for every period before. Sums of hashes do not mind the order of rows.
with described as (
    -- Texts are hashed once, not once per period.
    select
        unit_key,
        joined_on,
        withdrawn_on,
        hash(unit_key, provider, meter_key, region_code, participant_class) as unit_hash
    from {{ ref('int_metered_units') }}
),

conditions as (
    select
        period_units.period_no,
        period_units.first_month_no,
        period_units.baseline_from_no,
        period_units.baseline_to_no,
        units.unit_hash,
        coalesce(units.withdrawn_on <= periods.ends_on, false) as is_withdrawn,
        units.joined_on >= periods.starts_on as is_new
    from {{ ref('int_period_units') }} as period_units
    inner join described as units
        on period_units.unit_key = units.unit_key
    inner join {{ ref('int_periods') }} as periods
        on period_units.period_no = periods.period_no
),

units as (
    select
        period_no,
        count(*) as units,
        sum(hash(unit_hash, first_month_no, baseline_from_no, baseline_to_no, is_withdrawn, is_new)) as hash_sum,
        min(baseline_from_no) as baselines_from_no,
        max(baseline_to_no) as baselines_to_no
    from conditions
    group by period_no
),

-- The score of a complex counts its members, metered or not.
member_conditions as (
    select
        periods.period_no,
        participants.participant_id,
        participants.participant_class,
        participants.region_code,
        participants.complex_code,
        participants.households,
        coalesce(participants.withdrawn_on <= periods.ends_on, false) as is_withdrawn
    from {{ ref('stg_participants') }} as participants
    inner join {{ ref('int_periods') }} as periods
        on participants.program_id = periods.program_id
        and participants.joined_on <= periods.ends_on
    where participants.complex_code is not null
),

members as (
    select
        period_no,
        sum(hash(participant_id, participant_class, region_code, complex_code, households, is_withdrawn)) as hash_sum
    from member_conditions
    group by period_no
),

changed_readings as (
    select distinct units.period_no
    from units
    inner join {{ ref('int_reading_months') }} as months
        on months.is_changed
        and months.month_no between units.baselines_from_no and units.baselines_to_no
    union
    select months.period_no
    from {{ ref('int_period_months') }} as months
    inner join {{ ref('int_reading_months') }} as changed
        on changed.is_changed
        and months.month_no = changed.month_no
),

compared as (
    select
        periods.period_no,
        periods.program_id,
        periods.period_id,
        periods.starts_no,
        coalesce(units.units, 0) as units,
        concat_ws(' ', units.units, units.hash_sum, members.hash_sum) as digest,
        published.digest as published_digest,
        changed_readings.period_no is not null as has_changed_readings,
        applications.program_id is not null as is_by_application
    from {{ ref('int_periods') }} as periods
    left join units
        on periods.period_no = units.period_no
    left join members
        on periods.period_no = members.period_no
    left join changed_readings
        on periods.period_no = changed_readings.period_no
    left join {{ source('lake', 'published_period_inputs') }} as published
        on periods.program_id = published.program_id
        and periods.period_id = published.period_id
    left join (
        select distinct program_id
        from {{ source('policy', 'application_rules') }}
    ) as applications
        on periods.program_id = applications.program_id
)

select
    period_no,
    program_id,
    period_id,
    units,
    digest,
    -- A streak looks back at earlier periods.
    bool_or(has_changed_readings or is_by_application or coalesce(digest <> published_digest, true))
        over (partition by program_id order by starts_no)
        as is_stale
from compared
