-- An evaluated row has every figure, the others none. No CO2: policy has no emission factor for utility and period.
select *
from {{ ref('fct_reductions') }}
where
    (status = 'evaluated') <> (
        baseline_usage is not null
        and actual_usage is not null
        and reduction is not null
        and reduction_rate is not null
        and baseline_co2_kg is not null
        and actual_co2_kg is not null
        and co2_reduction_kg is not null
    )
    or (status <> 'evaluated' and coalesce(baseline_usage, actual_usage, reduction, co2_reduction_kg) is not null)
