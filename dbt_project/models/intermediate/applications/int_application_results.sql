-- Accepted applications with what bonus, ranking and lottery speak of: the total CO2 reduction, netted over utilities.
with totals as (
    select
        program_id,
        period_id,
        participant_id,
        min(months_evaluated) as fewest_months_evaluated,
        cast(sum(baseline_co2_kg) as decimal(18, 6)) as baseline_co2_kg,
        cast(sum(actual_co2_kg) as decimal(18, 6)) as actual_co2_kg,
        cast(sum(co2_reduction_kg) as decimal(18, 6)) as co2_reduction_kg
    from {{ ref('int_slip_reductions') }}
    group by program_id, period_id, participant_id
)

select
    applications.program_id,
    applications.period_id,
    applications.participant_id,
    applications.application_id,
    applications.fiscal_year,
    applications.received_on,
    applications.certified_on,
    applications.prize_code,
    applications.eco_marks,
    applications.reported_months,
    participation.region_code,
    participation.participant_class,
    participation.first_fiscal_year,
    participation.is_former_member,
    participation.pre_enrolment_co2_kg,
    applications.fiscal_year - participation.first_fiscal_year + 1 as programme_year,
    coalesce(totals.fewest_months_evaluated = periods.months, false) as has_all_months,
    totals.baseline_co2_kg,
    totals.actual_co2_kg,
    totals.co2_reduction_kg,
    {{ rate('totals.co2_reduction_kg', 'totals.baseline_co2_kg') }} as reduction_rate
from {{ ref('int_applications') }} as applications
inner join {{ ref('int_participation') }} as participation
    on applications.program_id = participation.program_id
    and applications.period_id = participation.period_id
    and applications.participant_id = participation.participant_id
inner join {{ ref('int_periods') }} as periods
    on applications.program_id = periods.program_id and applications.period_id = periods.period_id
left join totals
    on applications.program_id = totals.program_id
    and applications.period_id = totals.period_id
    and applications.participant_id = totals.participant_id
where applications.status = 'accepted'
