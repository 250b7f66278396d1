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
        end as status
    from sums
),

-- Figures of evaluated rows only; what follows from them is null with them.
figures as (
    select
        program_id,
        period_id,
        participant_id,
        utility,
        status,
        months_evaluated,
        kg_co2_per_unit,
        case when status = 'evaluated' then baseline_usage end as baseline_usage,
        case when status = 'evaluated' then actual_usage end as actual_usage,
        case when status = 'evaluated' then baseline_usage - actual_usage end as reduction
    from judged
)

select
    figures.program_id,
    figures.period_id,
    figures.participant_id,
    participation.region_code,
    participation.participant_class,
    figures.utility,
    figures.status,
    cast(figures.months_evaluated as integer) as months_evaluated,
    cast(figures.baseline_usage as decimal(18, 6)) as baseline_usage,
    cast(figures.actual_usage as decimal(18, 3)) as actual_usage,
    cast(figures.reduction as decimal(18, 6)) as reduction,
    {{ rate('figures.reduction', 'figures.baseline_usage') }} as reduction_rate,
    {{ stored_product('figures.baseline_usage', 'figures.kg_co2_per_unit') }} as baseline_co2_kg,
    {{ stored_product('figures.actual_usage', 'figures.kg_co2_per_unit') }} as actual_co2_kg,
    {{ stored_product('figures.reduction', 'figures.kg_co2_per_unit') }} as co2_reduction_kg
from figures
inner join {{ ref('int_participation') }} as participation
    on figures.program_id = participation.program_id
    and figures.period_id = participation.period_id
    and figures.participant_id = participation.participant_id
