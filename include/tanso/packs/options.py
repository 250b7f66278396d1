"""The models of ``options`` of a source, one per kind: what the kind needs beyond the columns.

The descriptions of the keys are what docs/reference/sources.md and the JSON Schema say about them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Protocol

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator

from tanso.packs.models import (
    ROOT,
    Code,
    Label,
    Mistake,
    Model,
    OrAbsent,
    Pattern,
    Seen,
    nearest,
    shown,
    whole,
    wrong,
    wrongs,
)

LARGEST_MAX = 99_999_999  # what the rules' exact arithmetic has room for, times a factor below 10
_LARGEST_INTEGER = 2_147_483_647

# What a Green Button feed has (``tanso.ingest.formats.espi`` makes them).
ESPI_FIELDS = (
    "usage_point", "usage_point_id", "service", "usage_month", "starts_on", "ends_on", "usage", "unit", "quality",
    "coverage", "flow", "accumulation", "kind", "interval_length",
)  # fmt: skip


class AnyColumn(Protocol):
    """What is known of a column."""

    @property
    def headers(self) -> tuple[str, ...]: ...

    @property
    def required(self) -> bool: ...


@dataclass(frozen=True)
class About:
    """What ``options`` must suit: the rest of the declaration, as far as it can be read."""

    columns: Mapping[str, AnyColumn]
    format: str


def _about(info: ValidationInfo) -> About:
    assert isinstance(info.context, About)  # what sources.py gives
    return info.context


def _of_columns(field: Any, info: ValidationInfo) -> str:
    columns = _about(info).columns
    if not isinstance(field, str) or field not in columns:
        raise ValueError(f"is not a field of columns{nearest(field, columns)}")
    return field


Declared = Annotated[str, BeforeValidator(_of_columns)]


def _month(value: Any) -> int:
    if type(value) is not int or value not in range(1, 13):
        raise ValueError("is no month; a key must be a number from 1 to 12")
    return value


# In JSON, and so for editors, every key is a text.
Month = Annotated[int, BeforeValidator(_month), WithJsonSchema({"pattern": "^([1-9]|1[0-2])$"})]


class Options(Model):
    """Options of any kind."""

    fields: ClassVar[frozenset[str]] = frozenset()  # what the kind reads: the source must declare them

    @classmethod
    def across(cls, sound: Mapping[Any, Any], given: Set[Any], context: About) -> Iterator[Mistake]:
        for field in sorted(cls.fields - set(context.columns)):
            yield f"{ROOT}columns.{field}", "is missing"


class Usage(Model):
    """A usage of a row of readings."""

    field: Declared = Field(description="the column of the usage")
    utility: Code = Field(description="the utility, as in `policy/utilities.csv`; once per source")
    unit: Seen = Field(
        description="the unit it is stored in. A column `unit` may contain that unit or one that "
        "`policy/unit_conversions.csv` converts to it; else `unknown_unit`"
    )
    given_in: OrAbsent[str] = Field(
        default=None,
        description="unit of the column where no column states it; converted by `unit_conversions` as well",
    )
    max: whole(f" from 1 to {LARGEST_MAX:,}", 1, LARGEST_MAX) = Field(  # type: ignore[valid-type]  # made by a function
        description="largest plausible usage of a row, in `unit`, after conversion; above it `usage_out_of_range`. "
        f"A whole number up to {LARGEST_MAX:,}"
    )
    where: OrAbsent[dict[str, Any]] = Field(
        default=None,
        description="field → text: the row counts for this usage only if its fields match (compared without spaces, "
        "to the letter). If all usages have a `where`, a row that suits none is `unknown_unit`",
    )

    @field_validator("given_in")
    @classmethod
    def _is_said_once(cls, unit: str, info: ValidationInfo) -> str:
        if "unit" in _about(info).columns:
            raise wrong(f"is for extracts without a column unit; leave out {shown(unit)} or the column")
        return unit

    @field_validator("where")
    @classmethod
    def _is_of_columns(cls, where: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if not where or not set(where) <= set(_about(info).columns):
            raise wrong(f"must be fields of columns and what they say, not {shown(where)}")
        return where


class Readings(Options):
    """Billed usage per meter and month."""

    meter: list[Declared] = Field(
        min_length=1,
        description="list of fields. One: a customer number, without hyphens and spaces. Several: taken together as "
        "they are, e.g. complex, building, unit",
    )
    customer_no_pattern: OrAbsent[Pattern] = Field(
        default=None, description="regular expression that the whole number must match, else `bad_customer_no`"
    )
    usages: list[Usage] = Field(min_length=1, description="list, one entry per utility")
    zero_is_missing: bool = Field(
        default=False, description="`true`: the provider writes 0 where it has no reading: `missing_value`"
    )
    estimated_values: list[Label] = Field(
        default=[], description="texts of `read_kind` that stand for an estimated reading"
    )
    usage_jump: whole(" above 1", 2) = Field(  # type: ignore[valid-type]  # made by a function
        default=None,
        description="a whole number, e.g. `10`: readings of so many times their meter's usual usage (the median of "
        "its months, six or more) are listed in `reports/usage_jumps/<source_id>.csv` and noted in the summary. They "
        "count; if one is wrong, the provider corrects it with a later file. All months of the source are read for it "
        "at every publish",
    )
    month_basis: Literal["calendar", "prorated"] = Field(
        default="calendar",
        description="`calendar` (if not set): a row is a month, `usage_month`. `prorated`: a row is a bill from "
        "`starts_on` to `ends_on`",
    )
    max_days: whole(" above 0", 1) = Field(  # type: ignore[valid-type]  # made by a function
        default=None,
        description="prorated, where it is needed: longest believable bill in days; longer ones are `period_too_long`",
    )
    period_end: Literal["exclusive", "inclusive"] = Field(
        default="exclusive",
        description="prorated: `exclusive` (if not set): `ends_on` is the day after the bill's last one, on which the "
        "next bill starts; `inclusive`: it is the last one",
    )

    @field_validator("usages")
    @classmethod
    def _name_a_utility_once(cls, usages: list[Usage]) -> list[Usage]:
        utilities = [usage.utility for usage in usages]
        if twice := [utility for utility in utilities if utilities.count(utility) > 1]:
            raise wrong(f"a utility may be there once only, and {shown(twice[0])} is there twice")
        return usages

    @classmethod
    def across(cls, sound: Mapping[Any, Any], given: Set[Any], context: About) -> Iterator[Mistake]:
        basis, columns = sound.get("month_basis", "calendar"), context.columns
        if basis == "calendar":
            for key in ("max_days", "period_end"):
                if key in sound:
                    yield key, "is for month_basis: prorated"
            if "usage_month" not in columns:
                yield f"{ROOT}columns.usage_month", "is missing"
        else:
            if "max_days" not in given:
                yield "max_days", "is missing; month_basis: prorated needs it"
            for field in ("starts_on", "ends_on"):
                if field not in columns or not columns[field].required:
                    yield f"{ROOT}columns.{field}", "is needed with required: true for month_basis: prorated"
            if "usage_month" in columns:
                yield f"{ROOT}columns.usage_month", "has no use with month_basis: prorated; leave it out"
        if context.format == "espi":
            for field, column in columns.items():
                for header in set(column.headers) - set(ESPI_FIELDS):
                    message = f"{shown(header)} is none of {', '.join(ESPI_FIELDS)}{nearest(header, ESPI_FIELDS)}"
                    yield f"{ROOT}columns.{field}.header", message


class ParticipantType(Model):
    """What a label of ``participant_type`` stands for."""

    type: Code = Field(description="the type")
    class_: Code = Field(alias="class", description="the class")


class AccountFormat(Model):
    """Field of an account → regular expression of the whole value of what can be paid to."""

    bank_code: Pattern = Field(description="of the bank's code")
    account_no: Pattern = Field(description="of the number without hyphens")
    branch_code: OrAbsent[Pattern] = Field(default=None, description="of the branch's code")
    account_type: OrAbsent[Pattern] = Field(
        default=None, description="of the code that `account_types` makes of the label"
    )
    account_holder: OrAbsent[Pattern] = Field(default=None, description="of the holder's name")

    @classmethod
    def across(cls, sound: Mapping[Any, Any], given: Set[Any], context: About) -> Iterator[Mistake]:
        for field in sound:
            if field in cls.model_fields and field not in context.columns:
                yield field, "is no field of columns"


class Participants(Options):
    """Registers of participants."""

    participant_types: OrAbsent[dict[Label, ParticipantType]] = Field(
        default=None, description="label of the column `participant_type` → `type` and `class`"
    )
    participant_type: OrAbsent[Code] = Field(
        default=None, description="the type of all participants, together with `participant_class`"
    )
    participant_class: OrAbsent[Code] = Field(default=None, description="the class of all participants")
    region_code: OrAbsent[Code] = Field(
        default=None, description="the region of all participants, without a column for it"
    )
    incentive_type: OrAbsent[Code] = Field(
        default=None, description="the incentive of all participants, without a column for it"
    )
    incentive_types: dict[Label, Code] = Field(
        default={}, description="label of the column `incentive_type` → incentive; any other label is `unknown`"
    )
    household_classes: list[Code] = Field(
        default=[], description="with `enrolment_rules`: classes of which a household may enrol once"
    )
    individually_billed_classes: list[Code] = Field(
        default=[], description="classes that cannot have an `aggregated` meter: `bad_value`"
    )
    metered_utilities: list[Code] = Field(
        default=[],
        description="utilities with readings; of each the columns `<utility>_provider`, `<utility>_method` and "
        "`<utility>_customer_no` are needed",
    )
    payment_methods: OrAbsent[dict[Label, Literal["individual", "aggregated", "none"]]] = Field(
        default=None,
        description="needed with `metered_utilities`: label of `<utility>_method` → `individual` (by customer number), "
        "`aggregated` (by complex, building and flat) or `none`",
    )
    slip_utilities: dict[Code, str] = Field(
        default={},
        description="utilities that come on slips → the field that says whether a participant has it (blank: yes), or "
        "`always`",
    )
    yes_no: OrAbsent[dict[Label, bool]] = Field(
        default=None,
        min_length=1,
        description="label → `true` or `false`; needed with the columns `required_consent` and `optional_consent`, and "
        "with the fields of `slip_utilities`",
    )
    enrolment_rules: bool = Field(
        default=False, description="`true`: enrolments are checked by `policy/enrolment_policies.csv`"
    )
    missing_rows: Literal["withdrawn", "kept"] = Field(
        description="a participant whom a newer snapshot lacks, or has in a refused row: `withdrawn` on the day in its "
        "name, or `kept`"
    )
    account_format: OrAbsent[AccountFormat] = Field(
        default=None,
        description="field → regular expression of what can be paid to (`bank_code`, `account_no`, and optionally "
        "`branch_code`, `account_type`, `account_holder`); a bank code of 3 digits and a number of 10 to 16 if not set",
    )
    account_types: dict[Label, Label] = Field(default={}, description="label of the column `account_type` → code")

    @field_validator("slip_utilities")
    @classmethod
    def _are_fields(cls, utilities: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        found = [
            (utility, f"{shown(field)} is not a field of columns{nearest(field, _about(info).columns)}")
            for utility, field in utilities.items()
            if field != "always" and field not in _about(info).columns
        ]
        if found:
            raise wrongs(found)
        return utilities

    @classmethod
    def across(cls, sound: Mapping[Any, Any], given: Set[Any], context: About) -> Iterator[Mistake]:
        columns = context.columns
        if ("participant_types" in given) == ({"participant_type", "participant_class"} <= given):
            yield "", "needs participant_types (label -> type, class), or participant_type and participant_class"
        metered, slips = sound.get("metered_utilities", []), sound.get("slip_utilities", {})
        if not (metered or slips) and not (given - set(sound)) & {"metered_utilities", "slip_utilities"}:
            yield "", "needs metered_utilities or slip_utilities"
        if metered and "payment_methods" not in given:
            yield "payment_methods", "is missing; metered_utilities need it"
        for utility in metered:
            for field in (f"{utility}_provider", f"{utility}_method", f"{utility}_customer_no"):
                if field not in columns:
                    yield f"{ROOT}columns.{field}", f"is missing; options.metered_utilities has {utility}"
        if "yes_no" not in given and {"required_consent", "optional_consent", *slips.values()} & set(columns):
            yield "yes_no", "is missing; what says yes or no needs it"


class SlipUtility(Model):
    """What a label of ``utility`` stands for."""

    utility: Code = Field(description="the utility")
    max: whole(" above 0", 1, _LARGEST_INTEGER) = Field(  # type: ignore[valid-type]  # made by a function
        description="the largest plausible usage of a month; above it `usage_out_of_range`"
    )


class Slips(Options):
    """This year's and last year's usage of a participant, utility and month, as printed on the meter slip."""

    fields = frozenset(("participant_id", "utility", "usage_month", "usage", "previous_usage"))

    utilities: dict[Label, SlipUtility] = Field(
        min_length=1, description="label of the column `utility` → `utility` and `max`"
    )

    @classmethod
    def across(cls, sound: Mapping[Any, Any], given: Set[Any], context: About) -> Iterator[Mistake]:
        yield from super().across(sound, given, context)
        for field in sorted(set(context.columns) - cls.fields):
            yield f"{ROOT}columns.{field}", f"is none of {', '.join(sorted(cls.fields))}{nearest(field, cls.fields)}"


class Applications(Options):
    """Application forms."""

    fields = frozenset(("application_id", "participant_id", "fiscal_year", "received_on", "prize_code", "eco_marks"))

    sheets: dict[Code, Declared] = Field(description="utility → the field that says whether its sheet came (blank: no)")
    reports: dict[Month, Declared] = Field(
        description="calendar month, 1 to 12 → the field that says whether its report came (blank: no)"
    )
    yes_no: dict[Label, bool] = Field(min_length=1, description="label of a sheet's field → `true` or `false`")
    report_marks: list[str] = Field(description="what stands for a report in a report's field")


class Activities(Options):
    """Stickers that participants handed in."""

    fields = frozenset(("participant_id", "acted_on", "action_code", "quantity"))


class OpeningPoints(Options):
    """Points that participants bring along."""

    fields = frozenset(("participant_id", "certified_on", "points"))


class Returns(Options):
    """Payout lines that the bank sent back."""

    fields = frozenset(("batch_id", "line_no", "reason"))

    blank_reason: Seen = Field(description="stands for a blank reason: a returned line always has one")


OPTIONS: dict[str, type[Options]] = {
    "readings": Readings,
    "participants": Participants,
    "slips": Slips,
    "applications": Applications,
    "activities": Activities,
    "opening_points": OpeningPoints,
    "returns": Returns,
}
