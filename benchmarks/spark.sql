-- sqlfluff:dialect:sparksql
-- The floor's statement as Spark says it; views and numbers as peers.py sets them.
with unit as (
    select
        meters.participant_id,
        meters.utility,
        meters.provider,
        meters.meter_key,
        participants.participant_class,
        coalesce(year(moved_in_on) * 12 + month(moved_in_on), 0) as first_no,
        case
            when year(joined_on) * 12 + month(joined_on) - year(moved_in_on) * 12 - month(moved_in_on) - 1 < 12
                then {{ starts_no }}
            else year(joined_on) * 12 + month(joined_on) - 1
        end as anchor_no
    from participant_utilities as meters
    join participants using (program_id, participant_id)
    join region_policies
        on region_policies.region_code = participants.region_code
        and contains(region_policies.utilities, meters.utility)
    where participants.participant_class <> 'complex'
        and year(joined_on) * 12 + month(joined_on) - 1 < {{ starts_no }}
        and (withdrawn_on is null or year(withdrawn_on) * 12 + month(withdrawn_on) - 1 > {{ ends_no }})
),

reading as (
    select *
    from (
        select
            provider,
            utility,
            meter_key,
            year(usage_month) * 12 + month(usage_month) - 1 as month_no,
            cast(usage * 1000 as bigint) as milli,
            tariff
        from readings
    )
    where (month_no - {{ starts_no }} + 1200) % 12 < 6 and month_no <= {{ ends_no }}
),

shut_out as (
    select /*+ broadcast */ distinct
        tariffs.utility,
        tariffs.tariff
    from (
        select distinct
            utility,
            tariff
        from reading
        where tariff is not null
    ) as tariffs
    join excluded_tariffs
        on excluded_tariffs.utility = tariffs.utility
        and (
            tariffs.tariff = excluded_tariffs.tariff
            or (excluded_tariffs.match = 'prefix' and startswith(tariffs.tariff, excluded_tariffs.tariff))
        )
),

slots as (
    select
        participant_id,
        utility,
        participant_class,
        (month_no - {{ starts_no }} + 1200) % 12 as slot,
        sum(milli) filter (where month_no >= {{ starts_no }}) as actual,
        coalesce(bool_or(shut_out.tariff is not null and month_no >= {{ starts_no }}), false) as is_shut_out,
        sum(milli) filter (where month_no between anchor_no - 24 and anchor_no - 1 and shut_out.tariff is null) as past,
        count(*) filter (where month_no between anchor_no - 24 and anchor_no - 1 and shut_out.tariff is null) as pasts
    from reading
    join unit using (provider, utility, meter_key)
    left join shut_out using (utility, tariff)
    where month_no >= first_no
    group by participant_id, utility, participant_class, slot
),

total as (
    select
        participant_id,
        utility,
        participant_class,
        sum(actual) as actual,
        6 * sum(case when pasts > 0 then past * 2 div pasts else 0 end) as baseline_2n,
        2 * count_if(pasts > 0) as n2
    from slots
    group by participant_id, utility, participant_class
    having count(actual) = 6 and not bool_or(is_shut_out) and 2 * count_if(pasts > 0) >= 2 * {{ min_months }}
        and sum(case when pasts > 0 then past else 0 end) > 0
)

select
    count(*) as evaluated,
    count(distinct case when points > 0 then participant_id end) as awarded,
    sum(points) as points
from total
left join tier
    on tier.participant_class = total.participant_class
    and tier.utility = total.utility
    and 100 * (baseline_2n - actual * n2) >= percent_from * baseline_2n
    and 100 * (baseline_2n - actual * n2) < percent_to * baseline_2n
