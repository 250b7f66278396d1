-- Complexes are evaluated in the period kind that the complex rules begin with.
with rules as (
    select
        periods.period_no,
        periods.program_id,
        periods.ends_on,
        complex_rules.qualifying_rate,
        complex_rules.reduction_weight,
        complex_rules.participation_weight,
        complex_rules.member_class,
        row_number() over (partition by periods.period_no order by complex_rules.valid_from_on desc) as recency
    from {{ ref('int_periods') }} as periods
    inner join {{ source('policy', 'complex_rules') }} as complex_rules
        on periods.program_id = complex_rules.program_id
        and periods.period_kind = complex_rules.valid_from_kind
        and periods.starts_on >= complex_rules.valid_from_on
),

qualified as (
    select
        rules.period_no,
        rules.program_id,
        units.participant_id,
        rules.ends_on,
        rules.member_class,
        rules.reduction_weight,
        rules.participation_weight,
        cast(sum(reductions.baseline_co2_kg) as decimal(18, 6)) as baseline_co2_kg,
        cast(sum(reductions.co2_reduction_kg) as decimal(18, 6)) as co2_reduction_kg
    from rules
    inner join {{ ref('int_metered_reductions') }} as reductions
        on rules.period_no = reductions.period_no
    inner join {{ ref('int_metered_units') }} as units
        on reductions.unit_key = units.unit_key
    where rules.recency = 1 and reductions.status = 'evaluated'
    group by
        rules.period_no, rules.program_id, units.participant_id, rules.ends_on, rules.member_class,
        rules.reduction_weight, rules.participation_weight
    having bool_or(reductions.reduction >= {{ product('reductions.baseline_usage', 'rules.qualifying_rate') }})
),

participation as (
    select
        qualified.period_no,
        qualified.participant_id,
        complexes.region_code,
        complexes.participant_class,
        complexes.households,
        qualified.baseline_co2_kg,
        qualified.co2_reduction_kg,
        qualified.reduction_weight,
        qualified.participation_weight,
        count(members.participant_id) as members
    from qualified
    inner join {{ ref('stg_participants') }} as complexes
        on qualified.program_id = complexes.program_id
        and qualified.participant_id = complexes.participant_id
    left join {{ ref('stg_participants') }} as members
        on complexes.program_id = members.program_id
        and complexes.complex_code = members.complex_code
        and qualified.member_class = members.participant_class
        and members.joined_on <= qualified.ends_on
        and (members.withdrawn_on is null or members.withdrawn_on > qualified.ends_on)
    group by
        qualified.period_no, qualified.participant_id, complexes.region_code, complexes.participant_class,
        complexes.households, qualified.baseline_co2_kg, qualified.co2_reduction_kg, qualified.reduction_weight,
        qualified.participation_weight
),

-- Weights and CO2 in millionths, so that the whole score is one quotient of whole numbers.
whole_numbers as (
    select
        period_no,
        participant_id,
        region_code,
        participant_class,
        baseline_co2_kg,
        co2_reduction_kg,
        reduction_weight,
        participation_weight,
        {{ micros('reduction_weight') }} as reduction_parts,
        {{ micros('participation_weight') }} as participation_parts,
        {{ micros('greatest(co2_reduction_kg, 0)') }} as saved,
        {{ micros('baseline_co2_kg') }} as baseline,
        case when households > 0 then least(members, households) else 0 end as members,
        case when households > 0 then households else 1 end as households
    from participation
)

-- 100 x (weight x saved / baseline + weight x members / households), rounded to 4 decimals
select
    period_no,
    participant_id,
    region_code,
    participant_class,
    baseline_co2_kg,
    co2_reduction_kg,
    reduction_weight,
    participation_weight,
    {{ from_micros('100 * ' ~ rounded_quotient(
        '(reduction_parts * saved * households + participation_parts * members * baseline)',
        '(baseline * households)'
    )) }} as score
from whole_numbers
