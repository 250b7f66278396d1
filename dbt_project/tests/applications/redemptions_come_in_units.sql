-- Redeemed is a multiple of the unit, and less than a unit is left.
select
    balances.program_id,
    balances.period_id,
    balances.participant_id
from {{ ref('fct_point_balances') }} as balances
inner join {{ ref('int_fiscal_years') }} as years
    on balances.program_id = years.program_id and balances.period_id = years.period_id
where balances.redeemed_points % years.redemption_unit <> 0 or balances.closing_points >= years.redemption_unit
