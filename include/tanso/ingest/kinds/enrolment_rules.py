"""Who may enrol: the rules of programmes that check enrolments (source option ``enrolment_rules: true``).

Works on the tables of ``kinds/participants.py``; a row gets the first reason that applies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from tanso import sql
from tanso.packs.sources import Source


def login_id_pattern(con: duckdb.DuckDBPyConnection, source: Source) -> str:
    """The regular expression that a whole log-in id must match."""
    return _policy(con, source)[2] or ".+"


def refuse(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Add to ``refused``: first what a row says about itself, then what it shares with earlier active members.

    Reads ``passed``, ``fields``, ``policy.enrolment_policies``.
    Adds to ``refused``.
    """
    prefixes, required, _ = _policy(con, source)
    utilities = source.options.get("metered_utilities", [])
    for utility in (required or "").split():
        if utility not in utilities:
            raise source.error(
                "options.metered_utilities", f"lacks {utility}, which policy/enrolment_policies.csv requires"
            )
    _refuse_by_row(con, utilities, (prefixes or "").split(), (required or "").split())
    _refuse_duplicates(con, utilities, source.options.get("household_classes", []))


def _policy(con: duckdb.DuckDBPyConnection, source: Source) -> tuple[str | None, str | None, str | None]:
    """Reads ``policy.enrolment_policies``."""
    found = con.execute(
        """
        select excluded_region_prefixes, required_utilities, login_id_pattern
        from policy.enrolment_policies where program_id = $program_id
        """,
        {"program_id": source.program_id},
    ).fetchone()
    if found is None:
        raise source.error(
            "options.enrolment_rules", "needs the programme's row in policy/enrolment_policies.csv; add it"
        )
    return found


def _refuse_by_row(
    con: duckdb.DuckDBPyConnection, utilities: Sequence[str], prefixes: list[str], required: list[str]
) -> None:
    """Reads ``passed``. Adds to ``refused``."""
    # A method is individual, aggregated or none; an aggregated unit has no customer number of its own.
    without_number = {u: f"({u}_method = 'individual' and {u}_meter_key is null)" for u in utilities}
    used_without_provider = {u: f"({u}_method <> 'none' and {u}_provider is null)" for u in utilities}
    reasons = {
        "region_excluded": "len(list_filter($prefixes::varchar[], lambda p: starts_with(region_code, p))) > 0",
        "consent_missing": "not has_required_consent",
    }
    for u in required:
        reasons[f"{u}_missing"] = f"{u}_method = 'none' or {u}_provider is null or {without_number[u]}"
    reasons["customer_no_missing"] = _any(f"{without_number[u]} or {used_without_provider[u]}" for u in utilities)
    # An aggregated meter is keyed by the whole unit.
    reasons["complex_unit_missing"] = _any(f"({u}_method = 'aggregated' and {u}_meter_key is null)" for u in utilities)
    cases = " ".join(f"when {condition} then {sql.text(reason)}" for reason, condition in reasons.items())
    con.execute(
        f"""
        insert into refused
        select * from (select row_no, case {cases} end as reason from passed) where reason is not null
        """,
        {"prefixes": prefixes},
    )


def _refuse_duplicates(
    con: duckdb.DuckDBPyConnection, utilities: Sequence[str], household_classes: Sequence[str]
) -> None:
    """One pass over active members in the order joined_on, participant_id: who shares a key with one accepted before is
    refused and protects nobody. Only the few that share a key at all are looked at one by one.

    Reads ``passed``, ``fields``.
    Makes ``active``, ``households``, ``meters``, ``member_keys``, ``shared_keys``.
    Adds to ``refused``.
    """
    con.execute("create table active as select * from passed where withdrawn_on is null")
    con.execute(
        r"""
        create view households as
        select row_no, regexp_replace(split_part(address, '(', 1), '[\s\p{Z}]+', '', 'g') as street,
            [coalesce(compact(part), '') for part in [fields.dong, fields.ho, address_detail]] as unit
        from fields semi join active using (row_no)
        where address is not null
        """
    )
    numbers = " union all ".join(
        f"select row_no, {sql.text(u)} as utility, {u}_provider as provider, {u}_meter_key as meter_key from active"
        for u in utilities
    )
    con.execute(f"create view meters as {numbers}")
    con.execute(
        """
        create view member_keys as
        select row_no, 1 as check_no, login_id as key from active where login_id is not null
        union all
        select row_no, 2, concat_ws(chr(31), street, unit[1], unit[2], unit[3])
        from households join active using (row_no)
        where street <> '' and list_contains(getvariable('household_classes'), participant_class)
        union all
        select row_no, 3, concat_ws(chr(31), utility, provider, meter_key) from meters where meter_key is not null
        """
    )
    con.execute("set variable household_classes = $classes::varchar[]", {"classes": list(household_classes)})
    con.execute(
        """
        create table shared_keys as
        with shared as (select check_no, key from member_keys group by all having count(*) > 1)
        select row_no, check_no, key from member_keys semi join shared using (check_no, key)
        """
    )
    in_order = con.execute(
        """
        select row_no, list(struct_pack(check_no, key) order by check_no, key)
        from shared_keys join active using (row_no)
        group by row_no, joined_on, participant_id
        order by joined_on, participant_id
        """
    ).fetchall()
    found = list(_greedy(in_order))
    refused = {"row_no": [row_no for row_no, _ in found], "reason": [reason for _, reason in found]}
    schema = pa.schema([("row_no", pa.int64()), ("reason", pa.string())])
    con.from_arrow(pa.table(refused, schema=schema)).insert_into("refused")


def _greedy(in_order: Iterable[tuple[int, list[dict[str, Any]]]]) -> Iterable[tuple[int, str]]:
    reasons = {1: "duplicate_login_id", 2: "duplicate_household", 3: "duplicate_customer_no"}
    held: set[tuple[int, str]] = set()
    for row_no, keys in in_order:
        mine = [(key["check_no"], key["key"]) for key in keys]
        taken = next((key for key in mine if key in held), None)
        if taken:
            yield row_no, reasons[taken[0]]
        else:
            held.update(mine)


def _any(conditions: Iterable[str]) -> str:
    return " or ".join(conditions) or "false"
