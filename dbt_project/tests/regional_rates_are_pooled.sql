-- The stored rate is the one of the region's sums, rounded: it differs from it by at most half of the last digit.
select *
from {{ ref('agg_region_results') }}
where
    utility <> 'all'
    and (
        (baseline_usage > 0) <> (reduction_rate is not null)
        or abs({{ product('baseline_usage', 'reduction_rate') }} - (baseline_usage - actual_usage))
        > {{ product('baseline_usage', '0.0000005') }}
    )
