with observed_months as (
    -- Months that make a period exist: one that the rule lists (a reading, a slip) or any of the period (an activity).
    select distinct
        program_id,
        {{ month_no('usage_month') }} as month_no,
        true as is_evaluated_month
    from {{ ref('int_reading_tariffs') }}
    union
    select distinct
        program_id,
        {{ month_no('usage_month') }} as month_no,
        true as is_evaluated_month
    from {{ ref('stg_slips') }}
    union
    select distinct
        program_id,
        {{ month_no('acted_on') }} as month_no,
        false as is_evaluated_month
    from {{ ref('stg_activities') }}
),

evaluated_offsets as (
    select
        rules.program_id,
        rules.period_kind,
        cast(words.month_offset as integer) as month_offset
    from {{ source('policy', 'period_rules') }} as rules
    cross join {{ each_word('rules.months', 'words', 'month_offset') }}
),

years as (
    select
        offsets.program_id,
        offsets.period_kind,
        (observed_months.month_no - offsets.month_offset + 1) // 12 as year
    from evaluated_offsets as offsets
    inner join observed_months
        on offsets.program_id = observed_months.program_id
        and (observed_months.month_no - offsets.month_offset + 1) % 12 = 0
    where observed_months.is_evaluated_month
    union
    select
        rules.program_id,
        rules.period_kind,
        (observed_months.month_no - rules.starts_month + 1) // 12 as year
    from {{ source('policy', 'period_rules') }} as rules
    inner join observed_months
        on rules.program_id = observed_months.program_id
        and (observed_months.month_no - rules.starts_month + 1) % 12 <= rules.ends_month - rules.starts_month
    where not observed_months.is_evaluated_month
    union
    select
        rules.program_id,
        rules.period_kind,
        applications.fiscal_year as year
    from {{ source('policy', 'period_rules') }} as rules
    inner join {{ ref('stg_applications') }} as applications
        on rules.program_id = applications.program_id
),

numbered as (
    select
        rules.program_id,
        {{ period_label('rules.label', 'years.year') }} as period_id,
        rules.period_kind,
        years.year,
        {{ month_no_at('years.year', 'rules.starts_month') }} as starts_no,
        {{ month_no_at('years.year', 'rules.ends_month') }} as ends_no,
        rules.months as month_offsets,
        {{ month_no_at('years.year', 'rules.payable_from_month') }} as payable_from_no,
        rules.participant_classes
    from years
    inner join {{ source('policy', 'period_rules') }} as rules
        on years.program_id = rules.program_id
        and years.period_kind = rules.period_kind
)

-- A published period keeps its number, since carried rows go by it; new ones follow.
select
    coalesce(
        published.period_no,
        cast(
            (select coalesce(max(period_no), 0) from {{ source('lake', 'published_period_inputs') }})
            + row_number() over (
                partition by published.period_no is null
                order by numbered.program_id, numbered.starts_no, numbered.period_id
            ) as integer
        )
    ) as period_no,
    numbered.program_id,
    numbered.period_id,
    numbered.period_kind,
    cast(numbered.year as integer) as year,
    cast(numbered.starts_no as integer) as starts_no,
    cast(numbered.ends_no as integer) as ends_no,
    {{ month_start('numbered.starts_no') }} as starts_on,
    cast({{ month_start('(numbered.ends_no + 1)') }} - 1 as date) as ends_on,
    cast(
        length(numbered.month_offsets) - length(replace(numbered.month_offsets, ' ', '')) + 1 as integer
    ) as months,
    numbered.month_offsets,
    case
        when numbered.payable_from_no is not null then {{ month_start('numbered.payable_from_no') }}
    end as payable_from,
    numbered.participant_classes
from numbered
left join {{ source('lake', 'published_period_inputs') }} as published
    on numbered.program_id = published.program_id
    and numbered.period_id = published.period_id
