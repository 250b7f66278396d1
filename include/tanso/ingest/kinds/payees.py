"""Who is paid, and where: derived facts for the lake, the data themselves for the vault."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from tanso import sql
from tanso.ingest.kinds import rows
from tanso.ingest.model import Context
from tanso.packs.sources import Source
from tanso.privacy import vault
from tanso.settings import Home

# What an account must be like to be paid to, unless the register's ``account_format`` says otherwise: field -> pattern
# of the whole value, an account number without hyphens. A field that is not named may be blank.
FORMAT = {"bank_code": "[0-9]{3}", "account_no": "[0-9]{10,16}"}
FORMAT_FIELDS = ("bank_code", "branch_code", "account_type", "account_no", "account_holder")
# Bank data are kept only where cash may be paid; who chose nothing may get cash as the region's default.
_MAY_BE_PAID_CASH = "(passed.incentive_type is null or passed.incentive_type = 'cash')"
_MAY_BE_DELIVERED = "(passed.incentive_type is null or passed.incentive_type not in ('cash', 'green_card'))"
# Banks print kana large, and a long vowel as a hyphen; people do not.
_SMALL, _LARGE = "ァィゥェォッャュョヮヵヶー", "アイウエオツヤユヨワカケ-"


def derive(con: duckdb.DuckDBPyConnection, home: Home, source: Source) -> None:
    """Make ``payees`` (row_no, has_bank_account, holder_matches, account_key, has_card, card_key, has_name,
    address_key) for ``passed``.

    An account has the register's ``account_format``; its key hashes its parts, so that the same account has the same
    key however it is written. Its holder is the participant, by the name in kana where the register has it.
    Reads ``fields``, ``passed``.
    Makes ``numbers``, ``payees``.
    """
    patterns = source.options.get("account_format", FORMAT)
    of_format = " and ".join(f"regexp_full_match(coalesce({_field(source, name)}, ''), ${name})" for name in patterns)
    con.execute(
        f"""
        create table numbers as
        select row_no,
            case when {_MAY_BE_PAID_CASH} and {of_format} then concat_ws(':', 'account', bank_code, branch_code,
                {_field(source, "account_type")},
                -- of a branch they are numbers, whose zeros may be missing
                if(branch_code is null, replace(account_no, '-', ''), ltrim(replace(account_no, '-', ''), '0'))
            ) end as account,
            'card:' || to_meter_no(card_no) as card,
            -- a register without the column has nobody who lacks a name
            {"name is not null" if "name" in source.columns else "null::boolean"} as has_name,
            case when {_MAY_BE_DELIVERED} and address is not null then concat_ws(
                ':', 'address', replace(compact(postal_code), '-', ''),
                compact(concat_ws(' ', fields.address, fields.dong, fields.ho, fields.address_detail))
            ) end as address,
            {_MAY_BE_PAID_CASH} and coalesce(
                translate(compact(account_holder), $small, $large)
                    = translate(compact(coalesce(name_kana, name)), $small, $large),
                false
            ) as holder_matches
        from passed join fields using (row_no)
        """,
        {**patterns, "small": _SMALL, "large": _LARGE},
    )
    texts = con.execute(
        "select distinct text from (select unnest([account, card, address]) as text from numbers) "
        "where text is not null"
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
            card is not null as has_card, cards.digest as card_key,
            has_name, addresses.digest as address_key
        from numbers
        left join hashes as accounts on accounts.text = numbers.account
        left join hashes as cards on cards.text = numbers.card
        left join hashes as addresses on addresses.text = numbers.address
        """
    )
    con.unregister("hashes")


def _field(source: Source, name: str, of: str = "") -> str:
    """SQL of a field of an account: its type as a code, its number without hyphens."""
    if name == "account_no":
        return f"replace({of}account_no, '-', '')"
    types = source.options.get("account_types")
    return rows.value_of(of + name, types) if name == "account_type" and types else of + name


def keep(con: duckdb.DuckDBPyConnection, source: Source, context: Context) -> None:
    """Write the personal data of the rows in ``good`` to the vault; e-mail only with the optional consent.

    Names and addresses go there as received; a holder that the ``account_format`` judged, as it judged it.
    Reads ``fields``, ``passed``.
    """
    unit = ", ".join(map(rows.kept, ("dong", "ho", "address_detail")))
    values = {column: rows.kept(column) for column in ("name", "householder", "nickname", "address")}
    values |= {
        "program_id": sql.text(source.program_id),
        "address_detail": f"nullif(concat_ws(' ', {unit}), '')",
        "email": "case when passed.has_optional_consent then fields.email end",
    }
    for column in FORMAT_FIELDS:
        kept = f"fields.{column}" if column == "account_no" else _field(source, column, "fields.")
        if column == "account_holder" and column not in source.options.get("account_format", ()):
            kept = rows.kept(column)
        values[column] = f"case when {_MAY_BE_PAID_CASH} then {kept} end"
    listed = ", ".join(f"{values.get(column, 'fields.' + column)} as {column}" for column in vault.COLUMNS)
    personal = con.sql(f"select {listed} from passed join fields using (row_no) order by fields.participant_id")
    vault.write(context.home, source.source_id, context.sha256, personal)
