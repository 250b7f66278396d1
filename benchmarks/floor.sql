-- The least that anybody must do: reductions and tiers of one half-year, nothing written, nothing else asked.
-- Whole numbers (thousandths of a unit) throughout; a month's baseline is a mean of one or two values: twice the sum.
-- Variables: lake, policy (folders), period_id, starts_no, ends_no (months as year * 12 + month - 1), min_months.
with region as (
    select
        region_code,
        utilities
    from read_csv(getvariable('policy') || '/region_policies.csv', all_varchar = true)
),

unit as (
    select
        row_number() over () as unit_no,
        meters.participant_id,
        meters.utility,
        meters.provider,
        meters.meter_key,
        participants.participant_class,
        coalesce(year(moved_in_on) * 12 + month(moved_in_on), 0) as first_no,
        if(
            moved_in_on is not null
            and year(joined_on) * 12 + month(joined_on) - year(moved_in_on) * 12 - month(moved_in_on) - 1 < 12,
            getvariable('starts_no'),
            year(joined_on) * 12 + month(joined_on) - 1
        ) as anchor_no
    from read_parquet(getvariable('lake') || '/participant_utilities/*.parquet') as meters
    join read_parquet(getvariable('lake') || '/participants/*.parquet') as participants
        using (program_id, participant_id)
    join region
        on region.region_code = participants.region_code
        and contains(region.utilities, meters.utility)
    where participants.participant_class <> 'complex'
        and year(joined_on) * 12 + month(joined_on) - 1 < getvariable('starts_no')
        and (withdrawn_on is null or year(withdrawn_on) * 12 + month(withdrawn_on) - 1 > getvariable('ends_no'))
),

reading as not materialized (
    select
        provider,
        utility,
        meter_key,
        year(usage_month) * 12 + month(usage_month) - 1 as month_no,
        (month_no - getvariable('starts_no') + 1200) % 12 as slot,
        cast(usage * 1000 as bigint) as milli,
        tariff
    from read_parquet(getvariable('lake') || '/readings/*/*/data.parquet', hive_partitioning = false)
    where slot < 6
),

excluded as (
    select
        utility,
        tariff,
        match
    from read_csv(getvariable('policy') || '/excluded_tariffs.csv', all_varchar = true)
),

shut_out as (
    select
        utility,
        tariff
    from (
        select distinct
            utility,
            tariff
        from reading
        where tariff is not null
    ) as tariffs
    where exists (
        select 1
        from excluded
        where excluded.utility = tariffs.utility
            and if(
                excluded.match = 'prefix',
                starts_with(tariffs.tariff, excluded.tariff),
                tariffs.tariff = excluded.tariff
            )
    )
),

slots as (
    select
        unit_no,
        slot,
        sum(milli) filter (where month_no >= getvariable('starts_no')) as actual,
        bool_or(shut_out.tariff is not null and month_no >= getvariable('starts_no')) as is_shut_out,
        sum(milli) filter (where month_no between anchor_no - 24 and anchor_no - 1 and shut_out.tariff is null) as past,
        count(*) filter (where month_no between anchor_no - 24 and anchor_no - 1 and shut_out.tariff is null) as pasts
    from reading
    join unit using (provider, utility, meter_key)
    left join shut_out using (utility, tariff)
    where month_no >= first_no and month_no <= getvariable('ends_no')
    group by unit_no, slot
),

total as (
    select
        unit_no,
        sum(actual) as actual,
        -- 2 n x the baseline, n being the months that have one
        6 * sum(if(pasts > 0, past * 2 // pasts, 0)) as baseline_2n,
        2 * count(*) filter (where pasts > 0) as n2
    from slots
    group by unit_no
    having count(actual) = 6 and not bool_or(is_shut_out) and n2 >= 2 * getvariable('min_months') and baseline_2n > 0
),

tier as (
    select
        participant_class,
        utility,
        (rate_from::decimal(9, 6) * 100)::bigint as percent_from,
        coalesce((rate_to::decimal(9, 6) * 100)::bigint, 1000000) as percent_to,
        points::bigint as points
    from read_csv(getvariable('policy') || '/reduction_tiers.csv', all_varchar = true)
    where valid_from <= getvariable('period_id') and coalesce(valid_to, '9999') >= getvariable('period_id')
)

select
    count(*) as evaluated,
    count(distinct participant_id) filter (where points > 0) as awarded,
    coalesce(sum(points), 0)::bigint as points
from total
join unit using (unit_no)
left join tier
    on tier.participant_class = unit.participant_class
    and tier.utility = unit.utility
    and 100 * (baseline_2n - actual * n2) >= percent_from * baseline_2n
    and 100 * (baseline_2n - actual * n2) < percent_to * baseline_2n;
