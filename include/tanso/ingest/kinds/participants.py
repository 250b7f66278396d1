"""Registers of participants: full snapshots, one row per participant.

Personal data go to the vault, once the file is accepted; ``good`` has ids, dates, meters and derived facts.
Programmes differ by the source's options; which snapshot's row is in force is decided in ``registers.py``. Where
accounts are not bank code and number as in ``payees.FORMAT``: ``account_format`` (field -> pattern of what can be paid
to) and ``account_types`` (label -> code).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from tanso import sql
from tanso.ingest.kinds import enrolment_rules, payees, registers, rows
from tanso.ingest.model import Context, Kind, StagedFile, as_received
from tanso.lake import TABLES
from tanso.packs.sources import Source
from tanso.privacy import vault
from tanso.settings import Home

LENIENT_REASONS = frozenset(
    (
        "duplicate_participant", "region_excluded", "consent_missing", "electricity_missing", "water_missing",
        "gas_missing", "customer_no_missing", "complex_unit_missing", "duplicate_login_id", "duplicate_household",
        "duplicate_customer_no",
    )
)  # fmt: skip

# What a register may have. A source declares those that its extract has, and <utility>_provider, _method and
# _customer_no of its metered utilities, and the fields that its slip utilities name.
FIELDS = (
    "participant_id", "participant_type", "region_code", "nickname", "joined_on", "withdrawn_on", "moved_in_on",
    "moved_out_on", "former_scheme_applied_on", "pre_enrolment_co2_kg", "area_m2", "households", "complex_code", "dong",
    "ho", "required_consent", "optional_consent", "incentive_type", "name", "householder", "login_id", "referrer_id",
    "postal_code", "address", "address_detail", "bank_code", "account_no", "account_holder", "card_no", "phone",
    "email", "name_kana", "branch_code", "account_type",
)  # fmt: skip
# Not shown to whoever gets the file's refused rows back.
PERSONAL = frozenset((*vault.COLUMNS, "name_kana")) - {"program_id", "participant_id"}
AS_RECEIVED = frozenset(
    ("name", "householder", "nickname", "address", "address_detail", "dong", "ho", "account_holder")
)
_DAYS = ("joined_on", "withdrawn_on", "moved_in_on", "moved_out_on", "former_scheme_applied_on")


def judge(con: duckdb.DuckDBPyConnection, source: Source, context: Context) -> None:
    """Makes ``good`` with the lake's columns of participants (without program_id) and ``utilities``, a list of
    (utility, provider, meter_key); ``outcomes`` (participant_id, reason) of refused rows; ``notes`` (participant_id,
    note).

    Reads ``raw``.
    Makes ``fields``, ``parsed``, ``refused``, ``duplicates``, ``passed``, ``payees``, ``good``, ``outcomes``,
    ``notes``.
    """
    rows.complete_fields(con, [*FIELDS, *map(as_received, AS_RECEIVED)])
    _parse(con, source)
    if source.options.get("enrolment_rules"):
        pattern = enrolment_rules.login_id_pattern(con, source)
        con.execute("set variable login_id_pattern = $pattern", {"pattern": pattern})
    rows.refuse_values(con, source, _bad_values(source))
    rows.refuse_repeated(con, "participant_id", "duplicate_participant")
    if source.options.get("enrolment_rules"):
        enrolment_rules.refuse(con, source)
    payees.derive(con, context.home, source)
    listed = ", ".join(column for column in TABLES["participants"] if column not in ("program_id", "source_file_id"))
    con.execute(
        f"""
        create table good as
        select row_no, {listed}, utilities, $sha256 as source_file_id from passed join payees using (row_no)
        """,
        {"sha256": context.sha256},
    )
    _report(con, source)


def publish(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    source: Source,
    staged: list[StagedFile],
    others: Sequence[tuple[Source, Sequence[StagedFile]]] = (),
) -> dict[str, Any]:
    """The register in force, and who was kept although the newest snapshot does not have them. ``others``: the
    programme's other registers, for a participant counts in one only."""
    return registers.publish(con, home, source, staged, others)


def _parse(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    """``parsed``: typed values, NULL where unreadable; no personal data but the log-in id.

    Reads ``fields``.
    Makes ``parsed``.
    """
    options = source.options
    types = options.get("participant_types", {})
    yes = options.get("yes_no", {})
    day = rows.day_macro(source)
    columns = {name: name for name in ("participant_id", "login_id", "nickname", "complex_code", "dong", "ho")}
    columns["nickname"] = rows.kept("nickname")
    columns |= {field: f"{day}({field})" for field in _DAYS}
    columns["region_code"] = "coalesce($region_code, region_code)"
    columns["pre_enrolment_co2_kg"] = "try_cast(to_number(pre_enrolment_co2_kg) as decimal(18,6))"
    columns["households"] = "try_cast(to_integer(households) as integer)"
    for name, key in (("participant_type", "type"), ("participant_class", "class")):
        of_label = rows.value_of("participant_type", {label: entry[key] for label, entry in types.items()})
        columns[name] = f"coalesce(${name}, {of_label})"
    for name in ("required_consent", "optional_consent"):
        columns[f"has_{name}"] = f"coalesce({rows.value_of(name, yes)}, false)" if name in source.columns else "true"
    # Cut to one decimal as text: rounding would go up, dividing would leave exact arithmetic.
    cut = r"try_cast(regexp_replace(to_number(area_m2), '([.][0-9])[0-9]*$', '\1') as decimal(9,1))"
    columns["area_m2"] = f"case when {columns['has_optional_consent']} then {cut} end"
    chosen = rows.value_of("incentive_type", options.get("incentive_types", {}))
    columns["incentive_type"] = (
        f"coalesce($incentive_type, {chosen}, case when incentive_type is not null then 'unknown' end)"
    )

    used = []  # utility, in use, provider, meter_key
    for u in options.get("metered_utilities", []):
        method = rows.value_of(f"{u}_method", options["payment_methods"])
        columns[f"{u}_method"] = f"case when {u}_method is null then 'none' else {method} end"
        columns[f"{u}_provider"] = f"{u}_provider"
        # || makes NULL of a unit with a blank part.
        columns[f"{u}_meter_key"] = f"""case {method} when 'individual' then to_meter_no({u}_customer_no)
            when 'aggregated' then complex_code || chr(31) || dong || chr(31) || ho end"""
        used.append((u, f"{u}_method <> 'none'", f"{u}_provider", f"{u}_meter_key"))
    for u, field in options.get("slip_utilities", {}).items():
        if field != "always":
            said = sql.name(field)
            columns[_uses(u)] = f"case when {said} is null then true else {rows.value_of(said, yes)} end"
        used.append((u, "true" if field == "always" else _uses(u), "null::varchar", "null::varchar"))
    packed = ", ".join(
        f"case when {in_use} then struct_pack(utility := {sql.text(u)}, provider := {provider}, "
        f"meter_key := {meter_key}) end"
        for u, in_use, provider, meter_key in used
    )
    con.execute(
        f"""
        create table parsed as
        select *, list_filter([{packed}], lambda meter: meter is not null) as utilities
        from (select row_no, {", ".join(f"{value} as {name}" for name, value in columns.items())} from fields)
        """,
        {
            name: options.get(name)
            for name in ("participant_type", "participant_class", "region_code", "incentive_type")
        },
    )


def _uses(utility: str) -> str:
    """The column of ``parsed`` that says whether a participant uses a utility that comes on slips."""
    return sql.name(f"uses_{utility}")


def _bad_values(source: Source) -> list[tuple[str, str]]:
    """Field, and SQL on ``parsed`` and ``raw``: its value is blank, unreadable or none of the declared ones."""
    options = source.options
    bad = [("participant_id", "parsed.participant_id is null"), ("joined_on", "parsed.joined_on is null")]
    bad += [
        (name, f"raw.{name} is not null and parsed.{name} is null")
        for name in (*_DAYS, "pre_enrolment_co2_kg")
        if name in source.columns
    ]
    bad.append(("participant_type", "parsed.participant_class is null"))
    bad.append(("region_code", "not regexp_full_match(coalesce(parsed.region_code, ''), '[0-9]{5}')"))
    metered = options.get("metered_utilities", [])
    bad += [(f"{u}_method", f"parsed.{u}_method is null") for u in metered]
    slip_utilities = options.get("slip_utilities", {}).items()
    bad += [(field, f"parsed.{_uses(u)} is null") for u, field in slip_utilities if field != "always"]
    for participant_class in options.get("individually_billed_classes", []):
        of_class = f"parsed.participant_class = {sql.text(participant_class)}"
        bad += [(f"{u}_method", f"{of_class} and parsed.{u}_method = 'aggregated'") for u in metered]
    if options.get("enrolment_rules"):
        matches = "regexp_full_match(coalesce(parsed.login_id, ''), getvariable('login_id_pattern'))"
        bad.append(("login_id", f"not {matches}"))
    return bad


def blame(source: Source) -> list[tuple[str, str, str]]:
    """See ``kinds``."""
    causes = [("bad_value", field, wrong) for field, wrong in _bad_values(source)]
    fields = {
        "duplicate_participant": ["participant_id"],
        "region_excluded": ["region_code"],
        "consent_missing": ["required_consent"],
        "complex_unit_missing": ["complex_code", "dong", "ho"],
        "duplicate_login_id": ["login_id"],
        "duplicate_household": ["address", "address_detail", "dong", "ho"],
    }
    for utility in source.options.get("metered_utilities", []):
        own = [f"{utility}_{part}" for part in ("method", "provider", "customer_no")]
        fields[f"{utility}_missing"] = own
        for name in own[1:]:
            missing = f"{own[0]} <> 'none' and raw.{name} is null"
            causes.append(("customer_no_missing", name, f"parsed.{missing}"))
    causes += [(reason, field, "true") for reason, names in fields.items() for field in names]
    shared = [f"{utility}_customer_no" for utility in source.options.get("metered_utilities", [])]
    return causes + [("duplicate_customer_no", field, f"raw.{field} is not null") for field in shared]


def _report(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    """``outcomes`` and ``notes``: what publishing must know and people should look at, without personal data.

    Reads ``fields``, ``parsed``, ``good``, ``refused``, ``raw``, ``policy.transition_rules``.
    Makes ``outcomes``, ``notes``.
    """
    con.execute(
        """
        create table outcomes as
        select participant_id, reason from refused join raw using (row_no) where participant_id is not null
        """
    )
    con.execute(
        """
        create table notes as
        select good.participant_id, unnest(list_filter([
            case when fields.area_m2 is not null and parsed.has_optional_consent and good.area_m2 is null
                then 'area_unreadable' end,
            case when fields.households is not null and good.households is null then 'households_unreadable' end,
            case when $asks_for_former_scheme and good.former_scheme_applied_on is null and good.joined_on <= (
                select max(registered_until) from policy.transition_rules where program_id = $program_id
            ) then 'former_scheme_date_missing' end
        ], lambda note: note is not null)) as note
        from good join fields using (row_no) join parsed using (row_no)
        """,
        {"program_id": source.program_id, "asks_for_former_scheme": "former_scheme_applied_on" in source.columns},
    )


KIND = Kind(
    "participants",
    judge,
    publish,
    blame=blame,
    keep=payees.keep,
    order_by="participant_id",
    policy_tables=("enrolment_policies", "transition_rules"),
    also_staged=("outcomes", "notes"),
    is_snapshot=True,
    excludes_others=True,
    lenient_reasons=LENIENT_REASONS,
    personal=PERSONAL,
    kept_as_received=AS_RECEIVED,
)
