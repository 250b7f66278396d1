"""Green Button: intervals summed per month or day of local time, in DuckDB."""

from __future__ import annotations


def query(unit: str) -> str:
    """The query that sums the intervals per series and ``unit`` of local time, ``month`` or ``day``."""
    window = "over (partition by series_no order by start, duration rows between"
    return f"""
        with said as (  -- the same reading twice counts once
            select distinct series_no, start, duration, value, quality,
                quality is not null and list_contains(getvariable('estimated'), quality) as is_estimated
            from (
                select * replace (coalesce(quality, default_quality) as quality)
                from readings join blocks using (entry_no)
            )
        ),
        intervals as (
            select said.*, time_path, start + duration as stop,
                start < max(start + duration) {window} unbounded preceding and 1 preceding) as laps_back,
                start + duration > min(start) {window} 1 following and unbounded following) as laps_on
            from said join series using (series_no)
        ),
        local as (
            select intervals.*,
                make_timestamp((start + a.seconds) * 1000000) as local_start,
                make_timestamp((stop + b.seconds) * 1000000) as local_stop,
                date_trunc('{unit}', local_start) as first_moment,
                first_moment + interval 1 {unit} as end_moment,
                coalesce(local_stop > end_moment, false) as is_long
            from intervals
            asof left join offsets as a on a.time_path = intervals.time_path and start >= a.utc_from
            asof left join offsets as b on b.time_path = intervals.time_path and stop >= b.utc_from
        ),
        placed as (
            select *,
                (case when is_long then local_start else first_moment end)::date as starts_on,
                (case when is_long then local_stop else end_moment end)::date as ends_on,
                not is_long or (local_start = starts_on and local_stop = ends_on) as is_aligned
            from local
        ),
        summed as (
            select series_no, time_path, starts_on, ends_on, is_long, sum(duration) as covered,
                bool_or(coalesce(laps_back, false) or coalesce(laps_on, false)) as is_overlapping,
                bool_and(is_aligned) as is_aligned,
                count(*) = count(value) as has_values,
                min(value) filter (not regexp_full_match(value, '[+-]?[0-9]{{1,18}}')) as bad_value,
                sum(try_cast(value as hugeint)) filter (regexp_full_match(value, '[+-]?[0-9]{{1,18}}')) as total,
                coalesce(min(quality) filter (is_estimated), min(quality)) as quality
            from placed
            group by all
        ),
        expected as (
            select summed.*,
                (end_second - b.seconds) - (first_second - a.seconds) as seconds
            from (
                select *, epoch(starts_on::timestamp)::bigint as first_second,
                    epoch(ends_on::timestamp)::bigint as end_second
                from summed
            ) as summed
            asof left join offsets as a on a.time_path = summed.time_path and first_second >= a.local_from
            asof left join offsets as b on b.time_path = summed.time_path and end_second >= b.local_from
        ),
        texts as (
            select *, total < 0 as is_negative,
                lpad(abs(total)::text, greatest(length(abs(total)::text), 1 - multiplier)::int, '0') as digits
            from expected join series using (series_no)
        )
        select row_number() over (
                order by usage_point, usage_point_id, starts_on, ends_on, series_no, is_long
            ) as row_no,
            coalesce(usage_point, '') as c0, coalesce(usage_point_id, '') as c1, coalesce(service, '') as c2,
            coalesce(strftime(starts_on, '%Y-%m'), '') as c3, coalesce(strftime(starts_on, '%Y-%m-%d'), '') as c4,
            coalesce(strftime(ends_on, '%Y-%m-%d'), '') as c5,
            case
                when not has_values then ''
                when bad_value is not null then 'not whole: ' || bad_value
                when total = 0 then '0'
                else case when is_negative then '-' else '' end || case
                    when multiplier >= 0 then digits || repeat('0', multiplier)
                    else left(digits, length(digits) + multiplier) || '.' || right(digits, -multiplier)
                end
            end as c6,
            coalesce(unit, '') as c7, coalesce(quality, '') as c8,
            case
                when is_overlapping then 'overlap'
                when not is_aligned or covered <> seconds or (is_long and '{unit}' = 'month') then 'partial'
                else 'full'
            end as c9,
            coalesce(flow, '') as c10, coalesce(accumulation, '') as c11, coalesce(kind, '') as c12,
            coalesce(interval_length, '') as c13
        from texts
        order by row_no
    """
