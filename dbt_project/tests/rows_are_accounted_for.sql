-- No row is lost or doubled on the way from whole-number keys to the marts.
with counts as (
    select
        'fct_reductions' as mart,
        (select count(*) from {{ ref('fct_reductions') }}) as actual,
        (select coalesce(sum(units), 0) from {{ ref('int_period_inputs') }}) as metered,
        (select count(*) from {{ ref('int_slip_reductions') }}) as by_application
    union all
    select
        'fct_monthly_usage' as mart,
        (select count(*) from {{ ref('fct_monthly_usage') }}) as actual,
        (select count(*) from {{ ref('int_metered_readings') }}) as metered,
        (select count(*) from {{ ref('int_slip_usage') }}) as by_application
    union all
    select
        'fct_monthly_comparisons' as mart,
        (select count(*) from {{ ref('fct_monthly_comparisons') }}) as actual,
        (
            select coalesce(sum(inputs.units * periods.months), 0)
            from {{ ref('int_period_inputs') }} as inputs
            inner join {{ ref('int_periods') }} as periods
                on inputs.period_no = periods.period_no
        ) as metered,
        (select count(*) from {{ ref('int_slip_comparisons') }}) as by_application
)

select * from counts where actual <> metered + by_application
