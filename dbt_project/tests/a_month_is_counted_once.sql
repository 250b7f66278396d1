-- Two readings of one meter and month would be a baseline or a use counted twice.
select months.*
from {{ ref('int_metered_months') }} as months
inner join {{ ref('int_baseline_policies') }} as policies
    on months.period_no = policies.period_no
where months.actual_readings > 1 or months.baseline_readings > policies.baseline_years
