"""The policy tables: every table, column and type declared once.

A column is written ``name:kind``, with ``?`` where it may be blank.
``docs/reference/policy.md`` says what the columns mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# kind -> DuckDB type. What a kind accepts is in values.py.
KINDS = {
    "text": "VARCHAR",
    "program": "VARCHAR",  # the pack folder's name
    "utility": "VARCHAR",  # declared in the programme's `utilities`
    "utilities": "VARCHAR",
    "class": "VARCHAR",  # one of the programme's `period_rules.participant_classes`
    "words": "VARCHAR",  # their order means nothing
    "code": "VARCHAR",  # letters, digits, - and _: it may become part of a path
    "codes": "VARCHAR",  # such words; their order means nothing
    "months": "VARCHAR",  # space-separated offsets from January of the period's year
    "tariff": "VARCHAR",  # compared as those of readings are: NFKC-folded, without spaces
    "pattern": "VARCHAR",  # a regular expression
    "label": "VARCHAR",  # of a period kind, YYYY standing for the year
    "period": "VARCHAR",  # a period id of the programme
    "month": "VARCHAR",  # YYYY-MM
    "template": "VARCHAR",  # a sentence with placeholders
    "integer": "INTEGER",
    "count": "INTEGER",  # 0 or more
    "number": "INTEGER",  # 1 or more
    "points": "BIGINT",  # 0 or more
    "fraction": "DECIMAL(18,6)",  # 0 to 1, never a percentage
    "decimal": "DECIMAL(18,6)",  # 0 or more
    "positive": "DECIMAL(18,6)",  # above 0
    "won": "DECIMAL(6,2)",  # above 0, at most 2
    "zone": "VARCHAR",  # IANA, such as Asia/Seoul
    "boolean": "BOOLEAN",
    "date": "DATE",
}

# kind -> the only values it takes
CHOICES = {
    "anchor": ("enrolment", "period_start"),
    "gap_fill": ("mean_of_present", "none"),
    "match": ("prefix", "exact"),
    "rounding": ("half_up", "floor", "none"),
    "netting": ("total", "per_utility"),
    "unit": ("hand_in", "person", "household"),
    "days": ("weekday", "fourth_tuesday"),
    "label_kind": ("utility", "award_type", "incentive_type", "hold_reason", "status", "participant_class", "control"),
}

PLACEHOLDERS = (
    "utility", "unit", "baseline", "actual", "reduction", "rate", "rate_from", "points", "co2", "count", "rank",
    "score", "average", "rule_id", "points_each", "streak_rate", "share", "reduction_weight", "participation_weight",
)  # fmt: skip

# Columns that a file may leave out, and what each of its rows then means.
DEFAULTS: dict[tuple[str, str], Callable[[dict[str, str]], str]] = {
    ("unit_conversions", "multiply_by"): lambda row: "1",
    ("maintenance_rules", "streak_rate"): lambda row: "0.05",
    ("continuity_awards", "year_from"): lambda row: "2",
    ("continuity_awards", "year_to"): lambda row: "5",
    ("rank_awards", "award_type"): lambda row: "eco_mark_top" if row["ranking_id"] == "eco_marks" else "top_performer",
    ("lottery_policies", "eco_marks_from"): lambda row: "50",
    ("lottery_policies", "final_month"): lambda row: "18",
    ("lottery_policies", "final_day"): lambda row: "1",
}


@dataclass(frozen=True)
class Column:
    name: str
    kind: str
    blank_allowed: bool

    @property
    def type(self) -> str:
        """The column's DuckDB type."""
        return KINDS.get(self.kind, "VARCHAR")

    @classmethod
    def parse(cls, text: str) -> Column:
        name, _, kind = text.rstrip("?").partition(":")
        return cls(name, kind or "text", text.endswith("?"))


@dataclass(frozen=True)
class Table:
    """A policy table. ``key`` names what a row is about; of rows with the same key the latest ``valid_from`` holds."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    def kind_of(self, name: str) -> str | None:
        return next((column.kind for column in self.columns if column.name == name), None)

    @property
    def types(self) -> dict[str, str]:
        """All columns with their DuckDB types, the derived ones last."""
        types = {column.name: column.type for column in self.columns}
        if "valid_from" in types:
            types["valid_from_on"] = "DATE"
            if "valid_to" in types:
                types["valid_to_on"] = "DATE"
            if self.kind_of("valid_from") == "period":
                types["valid_from_kind"] = "VARCHAR"
        return types


def _table(name: str, key: str, columns: str) -> Table:
    return Table(name, tuple(key.split()), tuple(Column.parse(text) for text in columns.split()))


RULE = "program_id rule_id"
TIER = "rule_id program_id:program participant_class:class utility:utility valid_from:period valid_to:period?"

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        _table(
            "programs",
            "program_id",
            "program_id:program name_en name_local country currency time_zone:zone retention_years:count?",
        ),
        _table("utilities", "program_id utility", "program_id:program utility:code unit"),
        _table(
            "period_rules",
            "program_id period_kind",
            "program_id:program period_kind:code label:label participant_classes:codes months:months "
            "starts_month:integer ends_month:integer payable_from_month:integer?",
        ),
        _table(
            "region_policies",
            "program_id region_code",
            "program_id:program region_code:code region_name? valid_from:period utilities:utilities won_per_point:won? "
            "budget_won:points? incentive_types:codes default_incentive_type:code?",
        ),
        _table(
            "baseline_policies",
            "program_id",  # and the classes of the kind of valid_from: checks.py
            "program_id:program valid_from:period baseline_anchor:anchor baseline_years:number gap_fill:gap_fill "
            "baseline_min_months:number",
        ),
        _table(
            "emission_factors",
            "program_id utility",
            "program_id:program utility:utility valid_from:month kg_co2_per_unit:decimal source?",
        ),
        _table(
            "enrolment_policies",
            "program_id",
            "program_id:program excluded_region_prefixes:words? required_utilities:utilities? "
            "login_id_pattern:pattern?",
        ),
        _table(
            "unit_conversions",
            "program_id utility from_unit",
            "program_id:program utility:utility from_unit to_unit multiply_by:positive divide_by:positive source?",
        ),
        _table(
            "excluded_tariffs",
            "program_id utility tariff",
            "program_id:program utility:utility tariff:tariff match:match source?",
        ),
        _table("reduction_tiers", RULE, f"{TIER} rate_from:fraction rate_to:fraction? points:points source?"),
        _table("maintenance_rules", RULE, f"{TIER} streak:number streak_rate:fraction points:points source?"),
        _table("standard_usage_rules", RULE, f"{TIER} share_of_average:fraction points:points source?"),
        _table(
            "complex_award_bands",
            RULE,
            "rule_id program_id:program valid_from:period valid_to:period? score_from:decimal score_to:decimal? "
            "points:points source?",
        ),
        _table(
            "complex_rules",
            "program_id",
            "program_id:program valid_from:period qualifying_rate:fraction reduction_weight:fraction "
            "participation_weight:fraction member_class:class",
        ),
        _table(
            "point_rules",
            "program_id",
            "program_id:program valid_from:period points_per_kg:points kg_rounding:rounding netting:netting "
            "points_per_report:points points_per_eco_mark:points redemption_unit:number lot_validity_years:number",
        ),
        _table(
            "bonus_tiers",
            RULE,
            "rule_id program_id:program valid_from:period valid_to:period? rate_from:fraction rate_to:fraction? "
            "points:points source?",
        ),
        _table(
            "continuity_awards",
            RULE,
            "rule_id program_id:program valid_from:period achievement:number year_from:number year_to:number "
            "points:points source?",
        ),
        _table(
            "action_points",
            "program_id period_id action_code",
            "program_id:program period_id:period action_code name_local unit:unit months:months days:days? "
            "points:points",
        ),
        _table(
            "rank_awards",
            RULE,
            "rule_id program_id:program valid_from:period ranking_id:code rank_from:number rank_to:number? "
            "points:points award_type:code is_top_performer:boolean is_commended:boolean source?",
        ),
        _table(
            "ranking_rules",
            "program_id ranking_id",
            "program_id:program valid_from:period ranking_id:code minimum:count? certified_month:integer? "
            "certified_day:number?",
        ),
        _table(
            "lottery_policies",
            "program_id period_id",
            "program_id:program period_id:period seed winners:count eco_marks_from:count final_month:integer "
            "final_day:number",
        ),
        _table(
            "application_rules",
            "program_id",
            "program_id:program valid_from:period opens_month:integer closes_month:integer "
            "resident_until_month:integer move_out_months:count certified_after_months:count certified_day:number",
        ),
        _table(
            "registration_windows",
            "program_id registered_to_month",
            "program_id:program valid_from:period registered_to_month:integer months:months",
        ),
        _table(
            "transition_rules",
            "program_id",
            "program_id:program registered_until:date first_period:period",
        ),
        _table(
            "approval_rules",
            "program_id valid_from amount_from",
            "program_id:program valid_from:period valid_to:period? amount_from:points approvers:number source?",
        ),
        _table("labels", "program_id kind code", "program_id:program kind:label_kind code name_local name_en"),
        _table(
            "explanations",
            "program_id award_type",
            "program_id:program award_type:code template_local:template template_en:template",
        ),
    )
}
