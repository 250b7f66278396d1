-- The factors are fixed for the whole fiscal year: those valid in its first month.
select
    program_id,
    in_force_period_id as period_id,
    utility,
    kg_co2_per_unit
from (
    {{ in_force_by_year('emission_factors', ['utility'], ref('int_fiscal_years')) }}
) as factors
