"""Who is paid, and where: derived facts for the lake, the data themselves for the vault."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from include.extracts import lake_files, vault
from include.extracts.kinds import Context
from include.packs.sources import Source
from include.settings import Home

# Bank data are kept only where cash may be paid; who chose nothing may get cash as the region's default.
_MAY_BE_PAID_CASH = "(passed.incentive_type is null or passed.incentive_type = 'cash')"


def derive(con: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Make ``payees`` (row_no, has_bank_account, holder_matches, account_key, has_card, card_key) for ``passed``.

    An account is a bank code of 3 digits and a number of 10 to 16 digits without hyphens; its key hashes both, so that
    the same account has the same key however it is written.
    """
    con.execute(
        f"""
        create table numbers as
        select row_no,
            case when {_MAY_BE_PAID_CASH} and regexp_full_match(bank_code, '[0-9]{{3}}')
                and regexp_full_match(replace(account_no, '-', ''), '[0-9]{{10,16}}')
                then 'account:' || bank_code || ':' || replace(account_no, '-', '') end as account,
            'card:' || to_meter_no(card_no) as card,
            {_MAY_BE_PAID_CASH} and coalesce(compact(account_holder) = compact(name), false) as holder_matches
        from passed join fields using (row_no)
        """
    )
    texts = con.execute(
        "select account from numbers where account is not null union select card from numbers where card is not null"
    )
    listed = [text for (text,) in texts.fetchall()]
    secret = vault.key(home)
    hashes = pa.table(
        {
            "text": pa.array(listed, pa.string()),
            "digest": pa.array([vault.keyed_hash(secret, text) for text in listed], pa.string()),
        }
    )
    con.register("hashes", hashes)
    con.execute(
        """
        create table payees as
        select row_no, account is not null as has_bank_account, holder_matches, accounts.digest as account_key,
            card is not null as has_card, cards.digest as card_key
        from numbers
        left join hashes as accounts on accounts.text = numbers.account
        left join hashes as cards on cards.text = numbers.card
        """
    )
    con.unregister("hashes")


def keep(con: duckdb.DuckDBPyConnection, source: Source, context: Context) -> None:
    """Write the personal data of the rows in ``good`` to the vault; e-mail only with the optional consent."""
    values = {
        "program_id": lake_files.sql_text(source.program_id),
        "address_detail": "nullif(concat_ws(' ', fields.dong, fields.ho, fields.address_detail), '')",
        "email": "case when passed.has_optional_consent then fields.email end",
    }
    for column in ("bank_code", "account_no", "account_holder"):
        values[column] = f"case when {_MAY_BE_PAID_CASH} then fields.{column} end"
    listed = ", ".join(f"{values.get(column, 'fields.' + column)} as {column}" for column in vault.COLUMNS)
    personal = con.sql(f"select {listed} from passed join fields using (row_no) order by fields.participant_id")
    vault.write(context.home, source.source_id, context.sha256, personal)
