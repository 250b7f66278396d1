"""Green Button: days that begin at another midnight than that of the feed's local time.

Many utilities write bills, or daily usage, from midnight UTC or from midnight standard time all year. The days meant
are the utility's, so a usage point and reading type of nothing but whole days, all from the same time of day, is read
by the time zone in which that is midnight: UTC, else the offset nearest to local time.
"""

from __future__ import annotations

import duckdb


def settle(con: duckdb.DuckDBPyConnection) -> None:
    """Give such series (tables of ``espi_series``) a local time of their own.

    A time of day half a day from midnight, or that is midnight nowhere, says nothing about which days are meant.
    """
    con.execute(
        """
        create temp table shifted as
        with whole as (
            select series_no, any_value(start) % 86400 as moment
            from readings join blocks using (entry_no)
            where start is not null
            group by series_no
            having bool_and(duration % 86400 = 0) and min(start % 86400) = max(start % 86400)
        ),
        edges as (
            select distinct series_no, moment, time_path, unnest([start, start + duration]) as edge
            from readings join blocks using (entry_no) join whole using (series_no) join series using (series_no)
            where start is not null
        ),
        clocks as (
            select series_no, moment, min(seconds) as local_seconds
            from edges asof join offsets on offsets.time_path = edges.time_path and edge >= utc_from
            group by series_no, moment
            having not bool_and((edge + seconds) % 86400 = 0)
        ),
        nearest as (
            -- 10 days more, so that the remainder is of a number above 0
            select *, (-moment - local_seconds + 43200 + 864000) % 86400 - 43200 as shift from clocks
        )
        select series_no, chr(31) || series_no as time_path, if(moment = 0, 0, local_seconds + shift) as seconds
        from nearest
        where moment = 0 or (shift > -43200 and local_seconds + shift between -43200 and 50400)
        """
    )
    con.execute("update series set time_path = s.time_path from shifted as s where s.series_no = series.series_no")
    con.execute("insert into offsets select time_path, -(2 ** 40)::bigint, -(2 ** 40)::bigint, seconds from shifted")
