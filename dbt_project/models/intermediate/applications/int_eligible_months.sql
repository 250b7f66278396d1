-- A month is eligible when the registration window holds it, the participant still lived there on its last day, and it
-- begins on or after the change-over from a former scheme.
select
    participation.program_id,
    participation.period_id,
    participation.participant_id,
    months.usage_month,
    (
        participation.registered_months is not null
        and {{ has_word(
            'participation.registered_months', 'cast(months.month_no - participation.fiscal_year * 12 + 1 as varchar)'
        ) }}
        and participation.fiscal_year >= participation.first_fiscal_year
        and (
            participation.moved_out_on is null
            or participation.moved_out_on > {{ dbt.last_day('months.usage_month', 'month') }}
        )
        and (
            not participation.is_former_member
            or participation.fiscal_year > participation.first_fiscal_year
            or participation.former_scheme_applied_on is null
            or months.usage_month >= participation.former_scheme_applied_on
        )
    ) as is_eligible
from {{ ref('int_participation') }} as participation
inner join {{ ref('int_period_months') }} as months
    on participation.program_id = months.program_id and participation.period_id = months.period_id
