"""A nation's lake, written without its extracts: what ingest would have left, in minutes instead of hours."""

from __future__ import annotations

import hashlib

import duckdb

from benchmarks import nation
from benchmarks.nation import Nation, month_name
from tanso import lake_files
from tanso.lake import TABLES
from tanso.packs.sources import Source
from tanso.privacy import vault
from tanso.settings import Home


def make(home: Home, made: Nation, with_vault: bool = False) -> None:
    """Write pack and lake (and the vault, which only a payout reads) into a home that has none."""
    nation.write_pack(home, made)
    vault.key(home)  # before the lake: a lake without a vault is one whose vault is lost
    declared = nation.sources(home, made)
    with duckdb.connect() as con:
        nation.settle(con, declared, made)
        _register(con, home, declared, with_vault)
        _readings(con, home, made, declared)
        _overview(con, home, made, declared)


def source_file(source_id: str, month_no: int) -> str:
    """The SHA-256 that stands for the file of a source and month."""
    return hashlib.sha256(f"{source_id} {month_name(month_no)}".encode()).hexdigest()


def _write(con: duckdb.DuckDBPyConnection, home: Home, table: str, query: str, path: str) -> None:
    """The query's columns that the table has; the others of the table are null."""
    made = {column for column, *_ in con.execute(f"describe {query}").fetchall()}
    listed = ", ".join(
        f'{_quoted(column) if column in made else "null"}::{kind} as "{column}"'
        for column, kind in TABLES[table].items()
    )
    lake_files.publish(con, f"select {listed} from ({query})", home.lake / table / path)


def _quoted(name: str) -> str:
    return f'"{name}"'


def _register(con: duckdb.DuckDBPyConnection, home: Home, declared: list[Source], with_vault: bool) -> None:
    [register] = [source for source in declared if source.kind == "participants"]
    sha256 = hashlib.sha256(register.source_id.encode()).hexdigest()
    con.execute(
        f"""
        create view participants as
        select
            '{register.program_id}' as program_id,
            member.*,
            40 + draw(i, 'area') % 1000 * 0.1::decimal(2, 1) as area_m2,
            if(participant_class = 'complex', 600, null) as households,
            coalesce(incentive_type, 'cash') = 'cash' and draw(i, 'account') >= 20000 as has_bank_account,
            has_bank_account and draw(i, 'holder') >= 20000 as holder_matches,
            coalesce(incentive_type = 'green_card' and draw(i, 'card') >= 20000, false) as has_card,
            if(has_bank_account, sha256('account ' || participant_id), null) as account_key,
            if(has_card, sha256('card ' || participant_id), null) as card_key,
            true as has_name,
            if(incentive_type = 'cash' or has_card, null, sha256('address ' || participant_id)) as address_key,
            '{sha256}' as source_file_id
        from member
        """
    )
    share = f"{register.source_id}.parquet"
    blank = "if(is_flat or participant_class = 'complex', complex_code, null) as complex_code"
    query = f"select * replace ({blank}) from participants order by participant_id"
    _write(con, home, "participants", query, share)
    query = f"select '{register.program_id}' as program_id, * from meter order by participant_id, utility"
    _write(con, home, "participant_utilities", query, share)
    if with_vault:
        vault.key(home)
        made = {column for column, *_ in con.execute(f"describe {_PEOPLE}").fetchall()}
        blank = "".join(f", null::varchar as {column}" for column in vault.COLUMNS if column not in made)
        vault.write(home, register.source_id, sha256, con.sql(f"select *{blank} from ({_PEOPLE})"))


# Names of three syllables, one in ten thousand with a character that older encodings lack.
_PEOPLE = """
    select
        program_id, participant_id,
        chr((44032 + draw(i, 'name') % 11172)::integer) || chr((44032 + draw(i, 'given') % 11172)::integer)
            || if(draw(i, 'rare') < 100, chr(13312), chr((44032 + draw(i, 'name 3') % 11172)::integer)) as name,
        name as householder, null as nickname, 'user' || i as login_id, null as referrer_id,
        lpad((i % 100000)::varchar, 5, '0') as postal_code, 'Street ' || i // 100 as address,
        if(is_flat, dong || ' ' || ho, 'No ' || i % 100) as address_detail, complex_code, dong, ho,
        if(has_bank_account, '004', null) as bank_code,
        if(has_bank_account, '110-' || lpad(i::varchar, 9, '0'), null) as account_no,
        if(has_bank_account, if(holder_matches, name, 'Other'), null) as account_holder,
        if(has_card, '9410' || lpad(i::varchar, 12, '0'), null) as card_no,
        null as phone, null as email, null as branch_code, null as account_type
    from participants order by participant_id
"""


def _readings(con: duckdb.DuckDBPyConnection, home: Home, made: Nation, declared: list[Source]) -> None:
    tariffs = dict(
        con.execute(
            "select utility, min(tariff) from read_csv(?, all_varchar = true) group by utility",
            [str(nation.packs(home) / made.program_id / "policy" / "excluded_tariffs.csv")],
        ).fetchall()
    )
    excluded = " ".join(f"when utility = '{utility}' then '{tariff}'" for utility, tariff in tariffs.items())
    for source in declared:
        if source.kind != "readings":
            continue
        single = len(source.options["meter"]) == 1 and any("tariff" in column for column in source.columns)
        tariff = (
            f"case when tariff_draw < 5000 then case {excluded} end else 'house' || tariff_draw % 3 end"
            if single
            else "null"
        )
        for month_no in range(made.first_no, made.last_no + 1):
            calendar_month, saves = month_no % 12 + 1, month_no >= made.saves_from_no
            query = f"""
                select
                    '{made.program_id}' as program_id, source_id, provider, utility, meter_key,
                    date '{month_name(month_no)}-01' as usage_month,
                    reading(h, level, habit, step, season(utility, {calendar_month}), {saves}) as milli,
                    milli * 0.001::decimal(4, 3) as usage,
                    {tariff} as tariff,
                    h // 65536 % 33 = 0 as is_estimated,
                    '{source_file(source.source_id, month_no)}' as source_file_id
                from (select *, hash(meter_no, {month_no}) as h from meter where source_id = '{source.source_id}')
                where milli is not null
            """
            path = f"source_id={source.source_id}/usage_month={month_name(month_no)}/data.parquet"
            _write(con, home, "readings", query, path)


def _overview(con: duckdb.DuckDBPyConnection, home: Home, made: Nation, declared: list[Source]) -> None:
    """Files, providers, and one refused row for every hundred that were accepted."""
    readings = [source for source in declared if source.kind == "readings"]
    con.execute("create table provider (program_id varchar, utility varchar, provider varchar, source_id varchar)")
    con.execute("create table file (source_id varchar, month_no bigint, sha256 varchar, accepted bigint)")
    for source in readings:
        for utility in {usage["utility"] for usage in source.options["usages"]}:
            row = [source.program_id, utility, source.provider, source.source_id]
            con.execute("insert into provider values (?, ?, ?, ?)", row)
        for month_no in range(made.first_no, made.last_no + 1):
            path = home.lake / f"readings/source_id={source.source_id}/usage_month={month_name(month_no)}/data.parquet"
            con.execute(
                "insert into file select ?, ?, ?, num_rows from parquet_file_metadata(?)",
                [source.source_id, month_no, source_file(source.source_id, month_no), str(path)],
            )
    _write(con, home, "providers", "from provider order by all", "data.parquet")
    files = f"""
        select
            '{made.program_id}' as program_id, source_id,
            source_id || '_' || month_no // 12 || lpad((month_no % 12 + 1)::varchar, 2, '0') || '.csv' as file_name,
            sha256, make_timestamp(month_no // 12, month_no % 12 + 1, 28, 9, 0, 0) as received_at,
            'accepted' as status, null as reason, accepted + accepted // 100 as rows_read, accepted as rows_accepted,
            accepted // 100 as rows_quarantined, 0 as rows_duplicate
        from file order by source_id, received_at
    """
    _write(con, home, "files", files, "data.parquet")
    refused = f"""
        select source_id, file_name, sha256, row_no * 101 as row_no,
            if(row_no % 2 = 0, 'bad_number', 'missing_value') as reason
        from ({files}), range(1, rows_quarantined + 1) as t (row_no) order by source_id, file_name, sha256, row_no
    """
    _write(con, home, "quarantine", refused, "data.parquet")
