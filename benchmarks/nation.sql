-- A nation of participants and their meters, the same for the same variables: every choice is a hash of who and what.
-- Variables: program_id, participants, regions, first_no and last_no (months as year * 12 + month - 1), aggregator
-- (provider).
-- Tables needed: single_source (utility, source_id, provider), aggregate_source (source_id, provider),
-- region (region_no, region_code).

-- 0 … 999,999, evenly
create macro draw(who, what) as (hash(who, what, 'tanso') % 1000000)::bigint;

create table member as
with drawn as (
    select
        i,
        case
            when i % 1000 = 0 then 'complex'
            when draw(i, 'class') < 20000 then 'business'
            else 'individual'
        end as participant_class,
        -- Regions differ in size: the first is many times the last.
        draw(i, 'region') * draw(i, 'region') // 1000000 * getvariable('regions') // 1000000 as region_no,
        -- Everybody joins within half a year after the two years of the first baseline.
        getvariable('first_no') + 24 + draw(i, 'joined') % 6 as joined_no,
        if(draw(i, 'moved') < 80000, getvariable('first_no') + draw(i, 'moved in') % 24, null) as moved_in_no,
        if(draw(i, 'left') < 30000, getvariable('last_no') - 5 + draw(i, 'left in') % 12, null) as withdrawn_no,
        draw(i, 'chosen') as chosen
    from range(1, getvariable('participants') + 1) as numbers (i)
)
select
    i,
    'P' || lpad(i::varchar, 8, '0') as participant_id,
    case participant_class
        when 'complex' then 'complex_apartment'
        when 'business' then 'commercial'
        else 'individual'
    end as participant_type,
    participant_class,
    region_no,
    region_code,
    make_date(joined_no // 12, joined_no % 12 + 1, 1 + draw(i, 'day') % 28) as joined_on,
    make_date(withdrawn_no // 12, withdrawn_no % 12 + 1, 1 + draw(i, 'last day') % 28) as withdrawn_on,
    make_date(moved_in_no // 12, moved_in_no % 12 + 1, 1 + draw(i, 'first day') % 28) as moved_in_on,
    case
        when chosen < 450000 then 'cash'
        when chosen < 700000 then 'voucher'
        when chosen < 900000 then 'green_card'
        when chosen < 950000 then 'donation'
    end as incentive_type,
    -- Flats that are billed with the management fee stand in the building of the complex of the same thousand.
    participant_class = 'individual' and draw(i, 'flat') < 350000 as is_flat,
    if(participant_class = 'complex', i // 1000 - 1, i // 1000) as complex_no,
    'A' || lpad(complex_no::varchar, 6, '0') as complex_code,
    (101 + i % 1000 // 50)::varchar as dong,
    (101 + i % 50)::varchar as ho,
    -- Saving is a habit of the household, from a fifth less to a sixth more.
    draw(i, 'habit') % 36 - 20 as habit
from drawn
join region using (region_no);

-- One row per meter, in the order of the lake's files. Levels in thousandths of a unit a month.
create table meter as
with use as (
    select
        member.*,
        streams.utility,
        streams.source_id,
        streams.provider,
        -- A bijection: no number twice, and none that follows from the participant's.
        lpad((i * 48271 * streams.multiplier % 2147483647)::varchar, 10, '0') as customer_no,
        draw(i, 'level ' || streams.utility) as level
    from member
    cross join (
        select
            *,
            case utility when 'electricity' then 1 when 'water' then 16807 else 69621 end as multiplier
        from single_source
    ) as streams
    where streams.utility <> 'gas' or draw(i, 'no gas') >= 10000
)
select
    row_number() over (order by source_id, utility, meter_key) as meter_no,
    metered.*
from (
    select
        i,
        participant_id,
        if(is_flat, aggregate_source.source_id, use.source_id) as source_id,
        utility,
        if(is_flat, aggregate_source.provider, use.provider) as provider,
        if(is_flat, complex_code || chr(31) || dong || chr(31) || ho, customer_no) as meter_key,
        complex_code,
        dong,
        ho,
        -- Three in a thousand stand empty.
        if(draw(i, 'empty') < 3000, 0, 1)
        * case participant_class when 'complex' then 40 when 'business' then 8 else 1 end
        * case utility
            when 'electricity' then 120000 + level * 2 // 5
            when 'water' then 9000 + level * 16 // 1000
            else 15000 + level * 60 // 1000
        end as level,
        habit + draw(i, 'habit ' || utility) % 9 - 4 as habit,
        -- A third of the regions bill gas by heat: cubic metres with decimals.
        if(utility = 'gas' and region_no % 3 = 0 and not is_flat, 1, 1000) as step,
        draw(i, 'tariff ' || utility) as tariff_draw
    from use
    cross join aggregate_source
) as metered
order by meter_no;

-- Use in thousandths; null where the month was not read.
create macro reading(h, level, habit, step, season, saves) as
    if(
        h % 400 = 0,
        null,
        level * season // 100 * (85 + h // 1024 % 31)::bigint // 100 * if(saves, 100 + habit, 100) // 100 // step * step
    );

create macro season(utility, calendar_month) as
    (case utility
        when 'electricity' then [105, 100, 95, 90, 90, 95, 115, 125, 105, 90, 92, 100]
        when 'gas' then [210, 190, 150, 100, 60, 35, 25, 20, 30, 60, 130, 190]
        else [97, 97, 98, 99, 101, 103, 104, 104, 102, 100, 98, 97]
    end)[calendar_month];
