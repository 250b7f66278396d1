-- The rows of a batch's files, beside the tables of decision.sql (restricted to one programme and period).
-- Fields are named as in layouts.py; every row has its region_code.

create temp table wanted_person as
select distinct
    source_file_id,
    participant_id
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
select
    kind,
    code,
    name_local
from carried.policy.labels
where program_id = getvariable('program_id');

create temp table region as
select
    region_code,
    arg_max(region_name, valid_from_on) as region_name
from carried.policy.region_policies
where program_id = getvariable('program_id')
group by all;

create temp table application as
select
    judged_applications.participant_id,
    judged_applications.certified_on,
    applications.prize_code
from house.marts.fct_applications as judged_applications
join lake.applications as applications using (program_id, application_id)
where judged_applications.status = 'accepted'
    and wanted(judged_applications.program_id, judged_applications.period_id);

create temp view file_line as
select
    line.region_code,
    line.line_no,
    line.participant_id,
    line.amount,
    line.incentive_type,
    coalesce(label.name_local, line.incentive_type) as incentive_type_label,
    getvariable('transfer_note') as transfer_note,
    getvariable('transfer_on') as transfer_on,
    application.prize_code,
    human.name,
    human.masked_name,
    human.postal_code,
    human.address,
    human.address_detail,
    human.bank_code,
    human.branch_code,
    human.account_type,
    human.account_no,
    human.account_holder,
    human.card_no,
    '****' || right(
        case line.incentive_type when 'cash' then human.account_no when 'green_card' then human.card_no end, 4
    ) as masked_payee,
    coalesce(
        case line.incentive_type
            when 'cash' then human.bank_code <> '' and human.account_no <> '' and human.account_holder <> ''
            when 'green_card' then human.card_no <> ''
            else human.name <> ''
        end,
        false
    ) as is_known
from line
left join human using (participant_id)
left join label
    on label.kind = 'incentive_type'
    and label.code = line.incentive_type
left join application using (participant_id);

create temp view file_held as
select
    held.region_code,
    held.participant_id,
    held.amount,
    held.hold_reason,
    coalesce(label.name_local || ' (' || held.hold_reason || ')', held.hold_reason) as hold_reason_label
from held
left join label
    on label.kind = 'hold_reason'
    and label.code = held.hold_reason;

-- Working lists go to the regions that pay; published ones also by themselves.
create temp view file_ranking as
select
    ranking.region_code,
    ranking.ranking_id,
    ranking.participant_class,
    ranking.rank,
    ranking.participant_id,
    ranking.score,
    if(ranking.is_published, coalesce(ranking.nickname, human.masked_name, '**'), ranking.participant_id) as public_name
from ranking
left join human using (participant_id)
where ranking.region_code in (select region_code from line)
    or (ranking.region_code, 'ranking_' || ranking.ranking_id) in (select (region_code, list) from due_list);

create temp view file_winner as
select
    winner.region_code,
    winner.draw_order,
    winner.participant_id,
    coalesce(winner.nickname, human.masked_name, '**') as public_name,
    human.name,
    human.masked_name,
    human.postal_code,
    human.address,
    human.address_detail
from winner
left join human using (participant_id);

-- Points leave from the oldest lots only, by redemption or expiry, so the newest ones are left.
create temp table closing as
with lots as (
    select
        awards.participant_id,
        awards.certified_on,
        awards.points
    from house.marts.fct_point_awards as awards
    join house.marts.dim_periods as periods using (program_id, period_id)
    where awards.program_id = getvariable('program_id')
        and awards.certified_on <= (select as_of from day where program_id = getvariable('program_id'))
        and periods.starts_on <= (select starts_on from period)
    union all
    select
        participant_id,
        certified_on,
        points
    from lake.opening_points
    where program_id = getvariable('program_id')
),
days as (
    select
        participant_id,
        certified_on,
        sum(points) as points
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
    balance.participant_id,
    balance.opening_points as carried_points,
    balance.expired_points,
    balance.redeemed as redeemed_points,
    balance.available - balance.redeemed as closing_points,
    (
        min(newer.certified_on) filter (where newer.points_after < balance.available - balance.redeemed)
        + to_years(any_value(redemption.validity_years))
    )::date as closing_expires_on
from balance
left join newer using (participant_id)
left join redemption using (program_id, period_id)
group by all;

create temp table award as
select
    participant_id,
    map(list(award_type order by award_type), list(points order by award_type)) as awards
from (
    select
        participant_id,
        award_type,
        sum(points)::bigint as points
    from house.marts.fct_point_awards
    join day using (program_id)
    where certified_on <= as_of and wanted(program_id, period_id)
        and participant_id in (select participant_id from notice)
    group by all
)
group by all;

create temp view file_notice as
select
    notice.region_code,
    notice.application_id,
    notice.participant_id,
    human.name,
    human.masked_name,
    human.postal_code,
    human.address,
    human.address_detail,
    award.awards,
    closing.carried_points,
    closing.expired_points,
    closing.redeemed_points,
    closing.closing_points,
    closing.closing_expires_on,
    application.certified_on,
    application.prize_code
from notice
left join application using (participant_id)
left join human using (participant_id)
left join award using (participant_id)
left join closing using (participant_id);
