with numbered as (
    select
        periods.period_no,
        periods.program_id,
        periods.period_id,
        cast({{ month_no_at('periods.year', 'cast(words.month_offset as integer)') }} as integer) as month_no
    from {{ ref('int_periods') }} as periods
    cross join {{ each_word('periods.month_offsets', 'words', 'month_offset') }}
)

select
    period_no,
    program_id,
    period_id,
    month_no,
    month_no % 12 as calendar_month,
    {{ month_start('month_no') }} as usage_month
from numbered
