-- What is due on its programme's day (table day), what was paid, and so what is to be paid, held, overpaid or listed.
-- Runs in a database in memory: house = the published marts, carried = the private file of the same build (both
-- read-only), lake = the lake's views, ledger and listed = the batches on disk now, erased = whom a purge has erased.
-- The marts may be older than the ledger, never the other way round, so nothing of what was paid is taken from them.
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
select ledger.*
from ledger
semi join lake.returns as returns
    on returns.program_id = ledger.program_id
    and returns.batch_id = ledger.batch_id
    and returns.line_no = ledger.line_no
    and returns.received_at >= ledger.issued_at;

create temp table kept as
select ledger.*
from ledger
anti join returned
    on returned.program_id = ledger.program_id
    and returned.batch_id = ledger.batch_id
    and returned.line_no = ledger.line_no;

create temp table paid as
select
    kept.program_id,
    kept.period_id,
    kept.participant_id,
    sum(kept.amount)::bigint as paid
from kept
where wanted(kept.program_id, kept.period_id)
group by all;

-- The first batch of a region and period fixes its rate.
create temp table frozen as
select
    program_id,
    period_id,
    region_code,
    arg_min(won_per_point, issued_at) as won_per_point
from ledger
where won_per_point is not null and wanted(program_id, period_id)
group by all;

create temp table certified as
select
    program_id,
    period_id,
    participant_id,
    sum(points)::bigint as points
from house.marts.fct_point_awards
join day using (program_id)
where certified_on <= as_of and wanted(program_id, period_id)
group by all;

create temp table redemption as
select
    period.program_id,
    period.period_id,
    arg_max(rules.redemption_unit, rules.valid_from_on) as unit,
    arg_max(rules.lot_validity_years, rules.valid_from_on) as validity_years
from period
join carried.policy.point_rules as rules
    on rules.program_id = period.program_id
    and rules.valid_from_on <= period.starts_on
where rules.redemption_unit is not null
group by all;

-- Points in the account of who applied; they are redeemed in whole units.
create temp table balance as
select
    balances.program_id,
    balances.period_id,
    balances.participant_id,
    balances.opening_points,
    balances.expired_points,
    balances.opening_points - balances.expired_points + coalesce(certified.points, 0) as available,
    (available // redemption.unit * redemption.unit)::bigint as redeemed
from house.marts.fct_point_balances as balances
left join certified using (program_id, period_id, participant_id)
left join redemption using (program_id, period_id)
where wanted(balances.program_id, balances.period_id);

create temp table due as
select
    payouts.program_id,
    payouts.period_id,
    payouts.participant_id,
    payouts.region_code,
    payouts.incentive_type,
    payouts.currency,
    if(payouts.won_per_point is null, null, coalesce(frozen.won_per_point, payouts.won_per_point)) as rate,
    case payouts.incentive_type
        when 'cash' then participants.account_key
        when 'green_card' then participants.card_key
    end as payee_key,
    if(payouts.incentive_type in ('cash', 'green_card'), null, participants.address_key) as address_key,
    participants.joined_on,
    case
        -- What the ledger on disk shows is decided below.
        when payouts.status <> 'payable'
            and coalesce(payouts.hold_reason, '') not in (
                'paid_under_another_number', 'account_returned', 'delivery_returned'
            )
            then coalesce(payouts.hold_reason, payouts.status)
        when (participants.source_file_id, participants.participant_id) in (
            select (source_file_id, participant_id) from erased
        )
            then 'personal_data_erased'
    end as own_reason,
    if(balance.participant_id is null, floor(coalesce(certified.points, 0) * rate)::bigint, balance.redeemed) as due
from house.marts.fct_payouts as payouts
left join frozen using (program_id, period_id, region_code)
left join certified using (program_id, period_id, participant_id)
left join balance using (program_id, period_id, participant_id)
left join lake.participants as participants using (program_id, participant_id)
where wanted(payouts.program_id, payouts.period_id);

-- One row per participant with something due or paid.
create temp table judged as
select
    program_id,
    period_id,
    participant_id,
    amounts.region_code,
    amounts.incentive_type,
    amounts.currency,
    amounts.rate as won_per_point,
    amounts.payee_key,
    amounts.address_key,
    amounts.joined_on,
    coalesce(amounts.due, 0) as due,
    coalesce(payments.paid, 0) as paid,
    amounts.own_reason,
    -- The account that came back once, in whatever period, comes back again: as the marts have it, but for returns and
    -- batches of today. So does what was delivered, to the same address; one that is not known may be the same.
    case
        when exists (
            select 1
            from returned
            where returned.program_id = amounts.program_id
                and returned.participant_id = amounts.participant_id
                and returned.payee_key = amounts.payee_key
        ) then 'account_returned'
        when amounts.incentive_type not in ('cash', 'green_card') and exists (
            select 1
            from returned
            where returned.program_id = amounts.program_id
                and returned.participant_id = amounts.participant_id
                and returned.payee_key is null
                and coalesce(returned.address_key = amounts.address_key, true)
        ) then 'delivery_returned'
    end as returned_reason
from due as amounts
full join paid as payments using (program_id, period_id, participant_id);

-- Numbers with the same meter, whose awards rest on it (those without a utility on all meters; so does what was paid to
-- a number that has no award any more): as int_shared_usage has it, but for the register of today.
create temp table shared_usage as
with meter as (
    select
        program_id,
        utility,
        provider,
        meter_key
    from lake.participant_utilities
    where meter_key is not null
        and program_id = coalesce(getvariable('program_id'), program_id)
    group by all
    having count(*) > 1
),
sharer as (
    select * from lake.participant_utilities semi join meter using (program_id, utility, provider, meter_key)
),
pair as (
    select
        sharer.program_id,
        sharer.participant_id,
        other.participant_id as other_id,
        sharer.utility
    from sharer
    join sharer as other using (program_id, utility, provider, meter_key)
    where sharer.participant_id <> other.participant_id
),
award as (
    select distinct
        program_id,
        period_id,
        participant_id,
        utility
    from house.marts.fct_point_awards
    where wanted(program_id, period_id)
        and (program_id, participant_id) in (select (program_id, participant_id) from pair)
)
select distinct
    award.program_id,
    award.period_id,
    award.participant_id,
    pair.other_id
from award
join pair
    on pair.program_id = award.program_id
    and pair.participant_id = award.participant_id
    and coalesce(award.utility = pair.utility, true)
left join award as other_award
    on other_award.program_id = pair.program_id
    and other_award.period_id = award.period_id
    and other_award.participant_id = pair.other_id
where coalesce(other_award.utility = pair.utility, true);

-- Of numbers with the same meter one is paid: the one that was, else the earlier member of those that can be.
create temp table paid_elsewhere as
select distinct
    shared_usage.program_id,
    shared_usage.period_id,
    shared_usage.participant_id
from shared_usage
join judged as own using (program_id, period_id, participant_id)
join judged as other
    on other.program_id = shared_usage.program_id
    and other.period_id = shared_usage.period_id
    and other.participant_id = shared_usage.other_id
where other.paid > 0
    or (
        own.paid = 0 and other.due > 0 and other.own_reason is null and other.returned_reason is null
        and (other.joined_on, other.participant_id) < (own.joined_on, own.participant_id)
    );

create temp table decision as
select
    * exclude (joined_on, own_reason, returned_reason),
    coalesce(
        own_reason,
        if(paid_elsewhere.participant_id is null, null, 'paid_under_another_number'),
        returned_reason
    ) as hold_reason
from judged
left join paid_elsewhere using (program_id, period_id, participant_id);

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
select
    line.program_id,
    line.period_id,
    line.line_no,
    decision.address_key
from line
join decision using (program_id, period_id, participant_id)
where line.payee_key is null;

create temp table held as
select
    program_id,
    period_id,
    region_code,
    participant_id,
    due - paid as amount,
    hold_reason
from decision
where hold_reason is not null and due > paid;

create temp table overpaid as
select
    program_id,
    period_id,
    participant_id,
    paid - due as amount
from decision
where paid > due;

-- A certified application's notice, with the awards that were certified after it (its stage): they bring a new one.
create temp table notice as
with late as (
    select
        applications.program_id,
        applications.period_id,
        applications.participant_id,
        string_agg(distinct awards.award_type, ' ' order by awards.award_type) as stage
    from house.marts.fct_applications as applications
    join house.marts.fct_point_awards as awards
        on awards.program_id = applications.program_id
        and awards.period_id = applications.period_id
        and awards.participant_id = applications.participant_id
    join day
        on day.program_id = applications.program_id
    where awards.certified_on > applications.certified_on
        and awards.certified_on <= day.as_of
    group by all
)
select
    applications.program_id,
    applications.period_id,
    participants.region_code,
    applications.application_id,
    applications.participant_id,
    coalesce(late.stage, '') as stage
from house.marts.fct_applications as applications
join house.marts.dim_participants as participants using (program_id, participant_id)
join day using (program_id)
left join late using (program_id, period_id, participant_id)
where applications.status = 'accepted'
    and applications.certified_on <= day.as_of
    and wanted(applications.program_id, applications.period_id)
    and (applications.program_id, applications.participant_id) not in (
        select (registered.program_id, registered.participant_id)
        from lake.participants as registered
        join erased using (source_file_id, participant_id)
    )
    and not exists (
        select 1
        from listed
        where listed.program_id = applications.program_id
            and listed.period_id = applications.period_id
            and listed.list = 'notices' and listed.item = applications.application_id
            and (late.stage is null or listed.stage = late.stage)
    );

-- A ranking is published from a day on, top performers only, or (no such day) a working list that nobody publishes.
create temp table ranking as
with rule as (
    select
        period.program_id,
        period.period_id,
        rule.ranking_id,
        (period.january + to_months(rule.certified_month - 1) + to_days(rule.certified_day - 1))::date as published_on
    from period
    join carried.policy.ranking_rules as rule
        on rule.program_id = period.program_id
        and rule.valid_from_on <= period.starts_on
    qualify row_number() over (
        partition by period.program_id, period.period_id, rule.ranking_id order by rule.valid_from_on desc
    ) = 1
)
select
    rankings.program_id,
    rankings.period_id,
    rankings.region_code,
    rankings.ranking_id,
    rankings.participant_class,
    rankings.rank,
    rankings.participant_id,
    rankings.nickname,
    rankings.score,
    rule.published_on is not null as is_published
from house.marts.fct_rankings as rankings
join day using (program_id)
left join rule using (program_id, period_id, ranking_id)
where wanted(rankings.program_id, rankings.period_id)
    and (rule.published_on is null or (rule.published_on <= day.as_of and rankings.is_top_performer));

create temp table winner as
select
    entries.program_id,
    entries.period_id,
    participants.region_code,
    entries.draw_order,
    entries.participant_id,
    entries.nickname
from house.marts.fct_lottery_entries as entries
join period using (program_id, period_id)
join carried.policy.lottery_policies as policies using (program_id, period_id)
join house.marts.dim_participants as participants using (program_id, participant_id)
join day using (program_id)
where entries.is_winner
    and period.january + to_months(policies.final_month - 1) + to_days(policies.final_day - 1) <= day.as_of
    and not exists (
        select 1
        from listed
        where listed.program_id = entries.program_id
            and listed.period_id = entries.period_id
            and listed.list = 'lottery'
            and listed.region_code = participants.region_code
    );

-- What by itself is reason enough for a batch, be it one without lines.
create temp table due_list as
select
    program_id,
    period_id,
    'notices' as list,
    region_code,
    application_id as item,
    stage
from notice
union all
select distinct
    program_id,
    period_id,
    'lottery' as list,
    region_code,
    null as item,
    '' as stage
from winner
union all
select distinct
    program_id,
    period_id,
    'ranking_' || ranking_id as list,
    region_code,
    null as item,
    '' as stage
from ranking
where is_published
    and not exists (
        select 1
        from listed
        where listed.program_id = ranking.program_id
            and listed.period_id = ranking.period_id
            and listed.region_code = ranking.region_code
            and listed.list = 'ranking_' || ranking.ranking_id
    );
