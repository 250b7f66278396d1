-- What is due on its programme's day (table day), what was paid, and so what is to be paid, held, overpaid or listed.
-- Runs in a database in memory: house = the published marts, carried = the private file beside them (both read-only), lake = the
-- lake's views, ledger and listed = the batches
-- on disk now, erased = whom a purge has erased. The marts may be older than the ledger, never the other way round, so nothing of what was paid is taken from them.
-- The variables program_id and period_id restrict it to one programme and period where they are set.

create temp macro wanted(program, period) as
    program = coalesce(getvariable('program_id'), program) and period = coalesce(getvariable('period_id'), period);

-- January of the period's year: offsets of months in policy count from it.
create temp table period as
select
    program_id,
    period_id,
    starts_on,
    make_date(regexp_extract(period_id, '[0-9]{4}')::integer, 1, 1) as january
from house.marts.dim_periods
where wanted(program_id, period_id);

-- A line that came back is no payment. The same return may be in two files; one that came before the batch was issued
-- cannot be about it.
create temp table returned as
select l.*
from ledger as l
semi join lake.returns as r
    on r.program_id = l.program_id and r.batch_id = l.batch_id and r.line_no = l.line_no and r.received_at >= l.issued_at;

create temp table kept as
select l.*
from ledger as l
anti join returned as r
    on r.program_id = l.program_id and r.batch_id = l.batch_id and r.line_no = l.line_no;

create temp table paid as
select l.program_id, l.period_id, l.participant_id, sum(l.amount)::bigint as paid
from kept as l
where wanted(l.program_id, l.period_id)
group by all;

-- The first batch of a region and period fixes its rate.
create temp table frozen as
select program_id, period_id, region_code, arg_min(won_per_point, issued_at) as won_per_point
from ledger
where won_per_point is not null and wanted(program_id, period_id)
group by all;

create temp table certified as
select program_id, period_id, participant_id, sum(points)::bigint as points
from house.marts.fct_point_awards
join day using (program_id)
where certified_on <= as_of and wanted(program_id, period_id)
group by all;

create temp table redemption as
select
    p.program_id,
    p.period_id,
    arg_max(r.redemption_unit, r.valid_from_on) as unit,
    arg_max(r.lot_validity_years, r.valid_from_on) as validity_years
from period as p
join carried.policy.point_rules as r on r.program_id = p.program_id and r.valid_from_on <= p.starts_on
where r.redemption_unit is not null
group by all;

-- Points in the account of who applied; they are redeemed in whole units.
create temp table balance as
select
    b.program_id,
    b.period_id,
    b.participant_id,
    b.opening_points,
    b.expired_points,
    b.opening_points - b.expired_points + coalesce(c.points, 0) as available,
    (available // r.unit * r.unit)::bigint as redeemed
from house.marts.fct_point_balances as b
left join certified as c using (program_id, period_id, participant_id)
left join redemption as r using (program_id, period_id)
where wanted(b.program_id, b.period_id);

create temp table due as
select
    f.program_id,
    f.period_id,
    f.participant_id,
    f.region_code,
    f.incentive_type,
    f.currency,
    if(f.won_per_point is null, null, coalesce(z.won_per_point, f.won_per_point)) as rate,
    case f.incentive_type when 'cash' then r.account_key when 'green_card' then r.card_key end as payee_key,
    if(f.incentive_type in ('cash', 'green_card'), null, r.address_key) as address_key,
    r.joined_on,
    case
        -- What the ledger on disk tells is told below.
        when f.status <> 'payable'
            and coalesce(f.hold_reason, '') not in ('paid_under_another_number', 'account_returned', 'delivery_returned')
            then coalesce(f.hold_reason, f.status)
        when (r.source_file_id, r.participant_id) in (select (source_file_id, participant_id) from erased)
            then 'personal_data_erased'
    end as own_reason,
    if(b.participant_id is null, floor(coalesce(c.points, 0) * rate)::bigint, b.redeemed) as due
from house.marts.fct_payouts as f
left join frozen as z using (program_id, period_id, region_code)
left join certified as c using (program_id, period_id, participant_id)
left join balance as b using (program_id, period_id, participant_id)
left join lake.participants as r using (program_id, participant_id)
where wanted(f.program_id, f.period_id);

-- One row per participant with something due or paid.
create temp table judged as
select
    program_id,
    period_id,
    participant_id,
    d.region_code,
    d.incentive_type,
    d.currency,
    d.rate as won_per_point,
    d.payee_key,
    d.address_key,
    d.joined_on,
    coalesce(d.due, 0) as due,
    coalesce(p.paid, 0) as paid,
    d.own_reason,
    -- The account that came back once, in whatever period, comes back again: as the marts have it, but for returns and
    -- batches of today. So does what was delivered, to the same address; one that is not known may be the same.
    case
        when exists (
            select 1
            from returned as r
            where r.program_id = d.program_id and r.participant_id = d.participant_id and r.payee_key = d.payee_key
        ) then 'account_returned'
        when d.incentive_type not in ('cash', 'green_card') and exists (
            select 1
            from returned as r
            where r.program_id = d.program_id and r.participant_id = d.participant_id and r.payee_key is null
                and coalesce(r.address_key = d.address_key, true)
        ) then 'delivery_returned'
    end as returned_reason
from due as d
full join paid as p using (program_id, period_id, participant_id);

-- Numbers with the same meter, whose awards rest on it (those without a utility on all meters; so does what was paid to a
-- number that has no award any more): as int_shared_usage has it, but for the register of today.
create temp table shared_usage as
with meter as (
    select program_id, utility, provider, meter_key
    from lake.participant_utilities
    where meter_key is not null and program_id = coalesce(getvariable('program_id'), program_id)
    group by all
    having count(*) > 1
),
sharer as (
    select * from lake.participant_utilities semi join meter using (program_id, utility, provider, meter_key)
),
pair as (
    select s.program_id, s.participant_id, o.participant_id as other_id, s.utility
    from sharer as s
    join sharer as o using (program_id, utility, provider, meter_key)
    where s.participant_id <> o.participant_id
),
award as (
    select distinct program_id, period_id, participant_id, utility
    from house.marts.fct_point_awards
    where wanted(program_id, period_id) and (program_id, participant_id) in (select (program_id, participant_id) from pair)
)
select distinct a.program_id, a.period_id, a.participant_id, p.other_id
from award as a
join pair as p
    on p.program_id = a.program_id and p.participant_id = a.participant_id and coalesce(a.utility = p.utility, true)
left join award as o
    on o.program_id = p.program_id and o.period_id = a.period_id and o.participant_id = p.other_id
where coalesce(o.utility = p.utility, true);

-- Of numbers with the same meter one is paid: the one that was, else the earlier member of those that can be.
create temp table paid_elsewhere as
select distinct s.program_id, s.period_id, s.participant_id
from shared_usage as s
join judged as j using (program_id, period_id, participant_id)
join judged as o on o.program_id = s.program_id and o.period_id = s.period_id and o.participant_id = s.other_id
where o.paid > 0
    or (
        j.paid = 0 and o.due > 0 and o.own_reason is null and o.returned_reason is null
        and (o.joined_on, o.participant_id) < (j.joined_on, j.participant_id)
    );

create temp table decision as
select
    * exclude (joined_on, own_reason, returned_reason),
    coalesce(own_reason, if(e.participant_id is null, null, 'paid_under_another_number'), returned_reason) as hold_reason
from judged
left join paid_elsewhere as e using (program_id, period_id, participant_id);

create temp table line as
select
    program_id,
    period_id,
    row_number() over (
        partition by program_id, period_id order by region_code, incentive_type, participant_id
    )::integer as line_no,
    participant_id,
    region_code,
    incentive_type,
    due - paid as amount,
    currency,
    won_per_point,
    payee_key
from decision
where hold_reason is null and due > paid;

-- Where what has no account or card goes to. Apart from the lines, which others read.
create temp table delivery as
select l.program_id, l.period_id, l.line_no, d.address_key
from line as l
join decision as d using (program_id, period_id, participant_id)
where l.payee_key is null;

create temp table held as
select program_id, period_id, region_code, participant_id, due - paid as amount, hold_reason
from decision
where hold_reason is not null and due > paid;

create temp table overpaid as
select program_id, period_id, participant_id, paid - due as amount
from decision
where paid > due;

-- A certified application's notice, with the awards that were certified after it (its stage): a new one is sent for them.
create temp table notice as
with late as (
    select a.program_id, a.period_id, a.participant_id, string_agg(distinct w.award_type, ' ' order by w.award_type) as stage
    from house.marts.fct_applications as a
    join house.marts.fct_point_awards as w
        on w.program_id = a.program_id and w.period_id = a.period_id and w.participant_id = a.participant_id
    join day as t on t.program_id = a.program_id
    where w.certified_on > a.certified_on and w.certified_on <= t.as_of
    group by all
)
select
    a.program_id,
    a.period_id,
    p.region_code,
    a.application_id,
    a.participant_id,
    coalesce(l.stage, '') as stage
from house.marts.fct_applications as a
join house.marts.dim_participants as p using (program_id, participant_id)
join day as t using (program_id)
left join late as l using (program_id, period_id, participant_id)
where a.status = 'accepted' and a.certified_on <= t.as_of and wanted(a.program_id, a.period_id)
    and (a.program_id, a.participant_id) not in (
        select (r.program_id, r.participant_id) from lake.participants as r join erased using (source_file_id, participant_id)
    )
    and not exists (
        select 1
        from listed as s
        where s.program_id = a.program_id and s.period_id = a.period_id
            and s.list = 'notices' and s.item = a.application_id
            and (l.stage is null or s.stage = l.stage)
    );

-- A ranking is published from a day on, top performers only, or (no such day) a working list that nobody publishes.
create temp table ranking as
with rule as (
    select
        p.program_id,
        p.period_id,
        r.ranking_id,
        (p.january + to_months(r.certified_month - 1) + to_days(r.certified_day - 1))::date as published_on
    from period as p
    join carried.policy.ranking_rules as r on r.program_id = p.program_id and r.valid_from_on <= p.starts_on
    qualify row_number() over (
        partition by p.program_id, p.period_id, r.ranking_id order by r.valid_from_on desc
    ) = 1
)
select
    f.program_id,
    f.period_id,
    f.region_code,
    f.ranking_id,
    f.participant_class,
    f.rank,
    f.participant_id,
    f.nickname,
    f.score,
    r.published_on is not null as is_published
from house.marts.fct_rankings as f
join day as t using (program_id)
left join rule as r using (program_id, period_id, ranking_id)
where wanted(f.program_id, f.period_id)
    and (r.published_on is null or (r.published_on <= t.as_of and f.is_top_performer));

create temp table winner as
select e.program_id, e.period_id, p.region_code, e.draw_order, e.participant_id, e.nickname
from house.marts.fct_lottery_entries as e
join period as y using (program_id, period_id)
join carried.policy.lottery_policies as l using (program_id, period_id)
join house.marts.dim_participants as p using (program_id, participant_id)
join day as t using (program_id)
where e.is_winner
    and y.january + to_months(l.final_month - 1) + to_days(l.final_day - 1) <= t.as_of
    and not exists (
        select 1
        from listed as s
        where s.program_id = e.program_id and s.period_id = e.period_id and s.list = 'lottery'
            and s.region_code = p.region_code
    );

-- What by itself is reason enough for a batch, be it one without lines.
create temp table due_list as
select program_id, period_id, 'notices' as list, region_code, application_id as item, stage from notice
union all
select distinct program_id, period_id, 'lottery', region_code, null, '' from winner
union all
select distinct program_id, period_id, 'ranking_' || ranking_id, region_code, null, ''
from ranking as r
where is_published
    and not exists (
        select 1
        from listed as s
        where s.program_id = r.program_id and s.period_id = r.period_id and s.region_code = r.region_code
            and s.list = 'ranking_' || r.ranking_id
    );
