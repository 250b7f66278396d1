-- No floating point between a reading and a payout.
-- depends_on: {{ ref('fct_payouts') }}, {{ ref('agg_region_results') }}, {{ ref('fct_monthly_usage') }}, {{ ref('fct_rankings') }}
select
    table_name,
    column_name,
    data_type
from information_schema.columns
where table_schema in ('intermediate', 'marts') and data_type in ('DOUBLE', 'FLOAT', 'REAL')
