-- No row is lost or doubled on the way from whole-number keys to the marts.
with counts as (
    select 'fct_reductions' as mart,
        (select count(*) from {{ ref('fct_reductions') }}) as actual,
        (select count(*) from {{ ref('int_metered_rows') }})
        + (select count(*) from {{ ref('int_slip_reductions') }}) as expected
    union all
    select 'fct_monthly_usage',
        (select count(*) from {{ ref('fct_monthly_usage') }}),
        (select count(*) from {{ ref('int_metered_readings') }}) + (select count(*) from {{ ref('int_slip_usage') }})
    union all
    select 'fct_monthly_comparisons',
        (select count(*) from {{ ref('fct_monthly_comparisons') }}),
        (
            select coalesce(sum(periods.months), 0)
            from {{ ref('int_metered_rows') }} as row_of
            inner join {{ ref('int_periods') }} as periods
                on row_of.period_no = periods.period_no
        )
        + (select count(*) from {{ ref('int_slip_comparisons') }})
    union all
    select 'fct_point_awards',
        (select count(*) from {{ ref('fct_point_awards') }}),
        (select count(*) from {{ ref('int_metered_awards') }}) + (select count(*) from {{ ref('int_application_awards') }})
)

select * from counts where actual <> expected
