-- Unless a batch has fixed the rate before a correction, a region's payouts of a period fit its budget.
with issued as (
    select distinct
        program_id,
        period_id,
        region_code
    from {{ ref('fct_payout_lines') }}
)

select
    rates.program_id,
    rates.period_id,
    rates.region_code,
    rates.budget_won,
    sum(payouts.amount) as amount
from {{ ref('int_won_per_point') }} as rates
inner join {{ ref('fct_payouts') }} as payouts
    on rates.program_id = payouts.program_id
    and rates.period_id = payouts.period_id
    and rates.region_code = payouts.region_code
left join issued
    on rates.program_id = issued.program_id
    and rates.period_id = issued.period_id
    and rates.region_code = issued.region_code
where issued.program_id is null
group by rates.program_id, rates.period_id, rates.region_code, rates.budget_won
having sum(payouts.amount) > rates.budget_won
