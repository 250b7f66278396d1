"""The grammar of values in extracts, as SQL macros: NULL for what cannot be read.

``to_month(text)``   DATE (first day)  YYYYMM, YYYY-MM, YYYY/MM, YYYY.MM
``to_day(text)``     DATE              YYYYMMDD, YYYY-MM-DD, YYYY/MM/DD, YYYY.MM.DD
``to_day_ja(text)``  DATE              those, and H30.4.1, 平成30年4月1日, R1.5.7, 令和元年5月7日
``to_number(text)``  VARCHAR           the digits of a number without thousands separators: cast it to the type you need
``to_integer(text)`` BIGINT            a number without decimals (or with zeros only)
``compact(text)``    VARCHAR           without spaces; NULL if nothing is left
``to_meter_no(text)`` VARCHAR          without hyphens and spaces; NULL if nothing is left

Text must be folded and trimmed before (``raw`` is).
"""

from __future__ import annotations

import duckdb

MACROS = (
    """create macro _ymd(y, m, d) as try_cast(
        case when y between 1000 and 2999 then printf('%04d-%02d-%02d', y, m, d) end as date)""",
    """create macro to_month(t) as case
        when regexp_full_match(t, '[12][0-9]{3}(0[1-9]|1[0-2])|[12][0-9]{3}[-/.](0[1-9]|1[0-2])')
        then make_date(left(t, 4)::integer, right(t, 2)::integer, 1) end""",
    """create macro to_day(t) as case
        when regexp_full_match(t, '[12][0-9]{7}')
        then try_cast(t[1:4] || '-' || t[5:6] || '-' || t[7:8] as date)
        when regexp_full_match(t, '[12][0-9]{3}(-[0-9]{2}-|/[0-9]{2}/|[.][0-9]{2}[.])[0-9]{2}')
        then try_cast(t[1:4] || '-' || t[6:7] || '-' || t[9:10] as date) end""",
    # An era's year 1 is 元年; a date must lie in its era: H31.5.1 is R1.5.1 and nothing else.
    """create macro _era(e, y, m, d) as case upper(e)
        when 'M' then _in_era(_ymd(1867 + y, m, d), date '1868-10-23', date '1912-07-29')
        when '明治' then _in_era(_ymd(1867 + y, m, d), date '1868-10-23', date '1912-07-29')
        when 'T' then _in_era(_ymd(1911 + y, m, d), date '1912-07-30', date '1926-12-24')
        when '大正' then _in_era(_ymd(1911 + y, m, d), date '1912-07-30', date '1926-12-24')
        when 'S' then _in_era(_ymd(1925 + y, m, d), date '1926-12-25', date '1989-01-07')
        when '昭和' then _in_era(_ymd(1925 + y, m, d), date '1926-12-25', date '1989-01-07')
        when 'H' then _in_era(_ymd(1988 + y, m, d), date '1989-01-08', date '2019-04-30')
        when '平成' then _in_era(_ymd(1988 + y, m, d), date '1989-01-08', date '2019-04-30')
        when 'R' then _in_era(_ymd(2018 + y, m, d), date '2019-05-01', date '2999-12-31')
        when '令和' then _in_era(_ymd(2018 + y, m, d), date '2019-05-01', date '2999-12-31') end""",
)
