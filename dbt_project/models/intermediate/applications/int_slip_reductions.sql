-- Last year's usage on the slips against this year's, over the months that have both.
with sums as (
    select
        program_id,
        period_id,
        participant_id,
        utility,
        max(kg_co2_per_unit) as kg_co2_per_unit,
        count(case when is_eligible then 1 end) as months_eligible,
        count(case when is_evaluated then 1 end) as months_evaluated,
        coalesce(sum(case when is_evaluated then baseline_usage end), 0) as baseline_usage,
        coalesce(sum(case when is_evaluated then actual_usage end), 0) as actual_usage
    from {{ ref('int_slip_months') }}
    group by program_id, period_id, participant_id, utility
),

judged as (
    select
        *,
        case
            when months_eligible = 0 then 'not_eligible'
            when months_evaluated = 0 then 'usage_missing'
            when baseline_usage = 0 then 'baseline_zero'
            else 'evaluated'
        end as status,
        cast(baseline_usage - actual_usage as decimal(38, 3)) as reduction
    from sums
)

select
    judged.program_id,
    judged.period_id,
    judged.participant_id,
    participation.region_code,
    participation.participant_class,
    judged.utility,
    judged.status,
    cast(judged.months_evaluated as integer) as months_evaluated,
    {%- set evaluated = "case when judged.status = 'evaluated' then " %}
    cast({{ evaluated }} judged.baseline_usage end as decimal(18, 6)) as baseline_usage,
    cast({{ evaluated }} judged.actual_usage end as decimal(18, 3)) as actual_usage,
    cast({{ evaluated }} judged.reduction end as decimal(18, 6)) as reduction,
    {{ evaluated }} {{ rate('judged.reduction', 'judged.baseline_usage') }} end as reduction_rate,
    {{ evaluated }} {{ stored(product('judged.baseline_usage', 'judged.kg_co2_per_unit')) }} end as baseline_co2_kg,
    {{ evaluated }} {{ stored(product('judged.actual_usage', 'judged.kg_co2_per_unit')) }} end as actual_co2_kg,
    {{ evaluated }} {{ stored(product('judged.reduction', 'judged.kg_co2_per_unit')) }} end as co2_reduction_kg
from judged
inner join {{ ref('int_participation') }} as participation
    on judged.program_id = participation.program_id
    and judged.period_id = participation.period_id
    and judged.participant_id = participation.participant_id
