-- Years in which an accepted applicant stayed below the CO2 of before taking part, counted: the first, second … time.
with co2 as (
    select
        program_id,
        period_id,
        participant_id,
        count(*) as cells,
        count(case when is_eligible then actual_usage end) as actual_cells,
        count(baseline_usage) as baseline_cells,
        sum(cast(actual_usage as decimal(38, 3)) * kg_co2_per_unit) as actual_co2_kg,
        sum(cast(baseline_usage as decimal(38, 3)) * kg_co2_per_unit) as baseline_co2_kg
    from {{ ref('int_slip_months') }}
    group by program_id, period_id, participant_id
),

-- Last year's figures on the participant's own first slips, complete for every utility used, eligible or not.
first_year as (
    select
        participation.program_id,
        participation.participant_id,
        co2.baseline_co2_kg
    from {{ ref('int_participation') }} as participation
    inner join co2
        on participation.program_id = co2.program_id
        and participation.period_id = co2.period_id
        and participation.participant_id = co2.participant_id
    where participation.fiscal_year = participation.first_fiscal_year
        and not participation.is_former_member
        and co2.baseline_cells = co2.cells
),

compared as (
    select
        results.*,
        coalesce(results.pre_enrolment_co2_kg, first_year.baseline_co2_kg) as before_co2_kg,
        co2.actual_co2_kg as year_co2_kg
    from {{ ref('int_application_results') }} as results
    inner join co2
        on results.program_id = co2.program_id
        and results.period_id = co2.period_id
        and results.participant_id = co2.participant_id
        and co2.actual_cells = co2.cells
    left join first_year
        on results.program_id = first_year.program_id and results.participant_id = first_year.participant_id
),

rules as (
    {{ in_force_by_year('continuity_awards', ['achievement'], ref('int_fiscal_years')) }}
),

successes as (
    select
        *,
        row_number() over (partition by program_id, participant_id order by fiscal_year) as achievement
    from compared
    where year_co2_kg < before_co2_kg
        and exists (
            select 1
            from rules
            where rules.program_id = compared.program_id
                and rules.in_force_period_id = compared.period_id
                and compared.programme_year between rules.year_from and rules.year_to
        )
)

select
    successes.program_id,
    successes.period_id,
    successes.participant_id,
    successes.certified_on,
    successes.before_co2_kg,
    successes.year_co2_kg,
    cast(successes.achievement as integer) as achievement,
    rules.rule_id,
    rules.points
from successes
inner join rules
    on successes.program_id = rules.program_id
    and successes.period_id = rules.in_force_period_id
    and successes.achievement = rules.achievement
    and successes.programme_year between rules.year_from and rules.year_to
