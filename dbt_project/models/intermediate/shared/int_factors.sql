{#- The day on which the next factor of the utility begins ends this one. -#}
select
    program_id,
    utility,
    kg_co2_per_unit,
    {{ month_no('valid_from_on') }} as from_no,
    coalesce(
        lead({{ month_no('valid_from_on') }}) over (partition by program_id, utility order by valid_from_on) - 1, 999999
    ) as to_no
from {{ source('policy', 'emission_factors') }}
