-- No floating point between a reading and a payout.
-- depends_on: {{ ref('fct_monthly_usage') }}, {{ ref('agg_region_results') }}
-- depends_on: {{ ref('fct_rankings') }}, {{ ref('fct_payouts') }}
select
    table_name,
    column_name,
    data_type
from information_schema.columns
where table_schema in ('intermediate', 'marts') and data_type in ('DOUBLE', 'FLOAT', 'REAL')
