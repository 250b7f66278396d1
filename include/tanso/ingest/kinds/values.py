"""The grammar of values in extracts, as SQL macros: NULL for what cannot be read.

``to_month(text)``    DATE (first day)  YYYYMM, YYYY-MM, YYYY/MM, YYYY.MM; after a separator one digit may do
``to_day(text)``      DATE              YYYYMMDD, YYYY-MM-DD, YYYY/MM/DD, YYYY.MM.DD; likewise
``to_day_ja(text)``   DATE              those, and H30.4.1, 平成30年4月1日, R1.5.7, 令和元年5月7日
``to_day_us(text)``   DATE              those of to_day, and MM/DD/YYYY, M/D/YYYY
``to_number(text)``   VARCHAR           optional sign, digits with correctly placed thousands separators,
                                        optional decimals; comes without the separators, to be cast
``to_integer(text)``  BIGINT            a number whose decimals, if any, are zeros
``compact(text)``     VARCHAR           without white space; NULL if nothing is left
``is_lost(text)``     BOOLEAN           what a spreadsheet leaves of a value that it lost: an error (#N/A), 1.23457E+15,
                                        a number of too many digits (``LOST``); no value of any column
``to_meter_no(text)`` VARCHAR           without hyphens and white space; NULL if nothing is left, or it is lost

Texts must be folded and trimmed before; the columns of ``raw`` are.
"""

from __future__ import annotations

import duckdb

from tanso.ingest.formats.workbook_cells import LOST

_ERROR = "#(N/A|REF!|DIV/0!|VALUE!|NAME[?]|NULL!|NUM!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|GETTING_DATA)|Err:[0-9]{3}"
_EXPONENT = "[+-]?[0-9]([.][0-9]+)?[eE][+-][0-9]{2,3}"  # as spreadsheets save long numbers; people write no such texts
_ERA_SHORT = "(?i)^([MTSHR])(元|[0-9]{1,2})[.]([0-9]{1,2})[.]([0-9]{1,2})$"
_ERA_LONG = "^(明治|大正|昭和|平成|令和)(元|[0-9]{1,2})年([0-9]{1,2})月([0-9]{1,2})日$"

_MACROS = (
    r"""compact(t) as nullif(regexp_replace(t, '[\s\p{Z}]+', '', 'g'), '')""",
    """to_month(t) as case
        when regexp_full_match(t, '[12][0-9]{3}(0[1-9]|1[0-2]|[-/.](0?[1-9]|1[0-2]))')
        then try_cast(left(t, 4) || '-' || regexp_replace(t[5:], '[-/.]', '') || '-01' as date) end""",
    """to_day(t) as case
        when regexp_full_match(t, '[12][0-9]{7}')
        then try_cast(t[1:4] || '-' || t[5:6] || '-' || t[7:8] as date)
        when regexp_full_match(t, '[12][0-9]{3}(-[0-9]{1,2}-|/[0-9]{1,2}/|[.][0-9]{1,2}[.])[0-9]{1,2}')
        then try_cast(regexp_replace(t, '[/.]', '-', 'g') as date) end""",
    """to_day_us(t) as coalesce(to_day(t), case
        when regexp_full_match(t, '[0-9]{1,2}/[0-9]{1,2}/[12][0-9]{3}')
        then try_cast(split_part(t, '/', 3) || '-' || split_part(t, '/', 1) || '-' || split_part(t, '/', 2) as date)
        end)""",
    # Year 1 of an era is the year after its offset; 元 is 1. A date past the era's end (H31.5.1) is still one day only.
    # As a look-up: a case of ten branches costs four times as long to plan, once per file.
    """_era_offset(era) as [1867, 1867, 1911, 1911, 1925, 1925, 1988, 1988, 2018, 2018][
        list_position(['M', '明治', 'T', '大正', 'S', '昭和', 'H', '平成', 'R', '令和'], upper(era))]""",
    # try_cast: a text that no pattern matches comes this far.
    """_era_year(era, year) as _era_offset(era) + nullif(try_cast(replace(year, '元', '1') as integer), 0)""",
    r"""_era_day(t, pattern) as try_cast(_era_year(regexp_extract(t, pattern, 1), regexp_extract(t, pattern, 2))
        || regexp_replace(t, pattern, '-\3-\4') as date)""",
    f"""to_day_ja(t) as coalesce(to_day(t), _era_day(t, '{_ERA_SHORT}'), _era_day(compact(t), '{_ERA_LONG}'))""",
    """to_number(t) as case
        when regexp_full_match(t, '[+-]?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)([.][0-9]+)?') then replace(t, ',', '') end""",
    """to_integer(t) as case
        when regexp_full_match(to_number(t), '[+-]?[0-9]+([.]0+)?')
        then try_cast(split_part(to_number(t), '.', 1) as bigint) end""",
    rf"""is_lost(t) as starts_with(t, '{LOST}') or regexp_full_match(t, '{_ERROR}|{_EXPONENT}')""",
    # \p{Pd} is every dash; the minus sign is no dash in Unicode, but people type it.
    r"""to_meter_no(t) as case
        when not is_lost(t) then nullif(regexp_replace(t, '[\s\p{Z}\p{Pd}−]+', '', 'g'), '') end""",
)


def install(con: duckdb.DuckDBPyConnection) -> None:
    """Create the macros in the connection's current schema."""
    for macro in _MACROS:
        con.execute(f"create or replace macro {macro}")
