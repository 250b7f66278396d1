-- The rows of a batch's files, beside the tables of decision.sql (restricted to one programme and period).
-- Fields are named as in layouts.py; every row has its region_code.

create temp table wanted_person as
select distinct source_file_id, participant_id
from lake.participants
where program_id = getvariable('program_id') and participant_id in (
    select participant_id from line
    union all
    select participant_id from notice
    union all
    select participant_id from winner
    union all
    select participant_id from ranking where is_published and nickname is null
);

-- The people are read from the vault here.
create temp table human as
select
    participant_id,
    name,
    nickname,
    coalesce(left(name, 1), '') || '**' as masked_name,
    postal_code,
    address,
    address_detail,
    bank_code,
    branch_code,
    account_type,
    regexp_replace(account_no, '[^0-9]', '', 'g') as account_no,
    account_holder,
    card_no
from person;

create temp table label as
select kind, code, name_local
from carried.policy.labels
where program_id = getvariable('program_id');

create temp table region as
select region_code, arg_max(region_name, valid_from_on) as region_name
from carried.policy.region_policies
where program_id = getvariable('program_id')
group by all;

create temp table application as
select f.participant_id, f.certified_on, a.prize_code
from house.marts.fct_applications as f
join lake.applications as a using (program_id, application_id)
where f.status = 'accepted' and wanted(f.program_id, f.period_id);

create temp view file_line as
select
    l.region_code,
    l.line_no,
    l.participant_id,
    l.amount,
    l.incentive_type,
    coalesce(b.name_local, l.incentive_type) as incentive_type_label,
    getvariable('transfer_note') as transfer_note,
    getvariable('transfer_on') as transfer_on,
    z.prize_code,
    h.name,
    h.masked_name,
    h.postal_code,
    h.address,
    h.address_detail,
    h.bank_code,
    h.branch_code,
    h.account_type,
    h.account_no,
    h.account_holder,
    h.card_no,
    '****' || right(case l.incentive_type when 'cash' then h.account_no when 'green_card' then h.card_no end, 4) as masked_payee,
    coalesce(
        case l.incentive_type
            when 'cash' then h.bank_code <> '' and h.account_no <> '' and h.account_holder <> ''
            when 'green_card' then h.card_no <> ''
            else h.name <> ''
        end,
        false
    ) as is_known
from line as l
left join human as h using (participant_id)
left join label as b on b.kind = 'incentive_type' and b.code = l.incentive_type
left join application as z using (participant_id);

create temp view file_held as
select
    e.region_code,
    e.participant_id,
    e.amount,
    e.hold_reason,
    coalesce(b.name_local || ' (' || e.hold_reason || ')', e.hold_reason) as hold_reason_label
from held as e
left join label as b on b.kind = 'hold_reason' and b.code = e.hold_reason;

-- Working lists go to the regions that pay; published ones also by themselves.
create temp view file_ranking as
select
    r.region_code,
    r.ranking_id,
    r.participant_class,
    r.rank,
    r.participant_id,
    r.score,
    if(r.is_published, coalesce(r.nickname, h.masked_name, '**'), r.participant_id) as public_name
from ranking as r
left join human as h using (participant_id)
where r.region_code in (select region_code from line)
    or (r.region_code, 'ranking_' || r.ranking_id) in (select (region_code, list) from due_list);

create temp view file_winner as
select
    w.region_code,
    w.draw_order,
    w.participant_id,
    coalesce(w.nickname, h.masked_name, '**') as public_name,
    h.name,
    h.masked_name,
    h.postal_code,
    h.address,
    h.address_detail
from winner as w
left join human as h using (participant_id);

-- Points leave from the oldest lots only, by redemption or expiry, so the newest ones are left.
create temp table closing as
with lots as (
    select w.participant_id, w.certified_on, w.points
    from house.marts.fct_point_awards as w
    join house.marts.dim_periods as y using (program_id, period_id)
    where w.program_id = getvariable('program_id') and w.certified_on <= (select as_of from day where program_id = getvariable('program_id'))
        and y.starts_on <= (select starts_on from period)
    union all
    select participant_id, certified_on, points
    from lake.opening_points
    where program_id = getvariable('program_id')
),
days as (
    select participant_id, certified_on, sum(points) as points
    from lots
    where participant_id in (select participant_id from notice)
    group by all
),
newer as (
    select
        participant_id,
        certified_on,
        coalesce(
            sum(points) over (
                partition by participant_id order by certified_on desc
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as points_after
    from days
)
select
    b.participant_id,
    b.opening_points as carried_points,
    b.expired_points,
    b.redeemed as redeemed_points,
    b.available - b.redeemed as closing_points,
    (min(n.certified_on) filter (where n.points_after < b.available - b.redeemed) + to_years(any_value(u.validity_years)))::date
        as closing_expires_on
from balance as b
left join newer as n using (participant_id)
left join redemption as u using (program_id, period_id)
group by all;

create temp table award as
select participant_id, map(list(award_type order by award_type), list(points order by award_type)) as awards
from (
    select participant_id, award_type, sum(points)::bigint as points
    from house.marts.fct_point_awards
    join day using (program_id)
    where certified_on <= as_of and wanted(program_id, period_id)
        and participant_id in (select participant_id from notice)
    group by all
)
group by all;

create temp view file_notice as
select
    n.region_code,
    n.application_id,
    n.participant_id,
    h.name,
    h.masked_name,
    h.postal_code,
    h.address,
    h.address_detail,
    a.awards,
    c.carried_points,
    c.expired_points,
    c.redeemed_points,
    c.closing_points,
    c.closing_expires_on,
    p.certified_on,
    p.prize_code
from notice as n
left join application as p using (participant_id)
left join human as h using (participant_id)
left join award as a using (participant_id)
left join closing as c using (participant_id);
