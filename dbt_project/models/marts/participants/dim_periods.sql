select
    program_id,
    period_id,
    starts_on,
    ends_on,
    months,
    payable_from
from {{ ref('int_periods') }}
