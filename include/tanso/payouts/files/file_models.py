"""The models of files in ``payouts.yml``: one per format and rows, since each has keys and fields of its own.

The descriptions of the keys are what docs/reference/payout-batches.md and the JSON Schema say about them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from functools import reduce
from importlib import metadata
from operator import or_
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import duckdb
from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema, WrapValidator, create_model

from tanso.cells import GETA, cell
from tanso.packs import names
from tanso.packs.models import Code, Label, Mistake, Model, OrEmptyMapping, nearest, one_of, shown, whole, wrong
from tanso.payouts.files.csv_files import is_encodable
from tanso.shown import escaped

_PERSON = ("participant_id", "name", "masked_name", "postal_code", "address", "address_detail")
# rows -> the fields a column may show; notices also have award.<award_type>
FIELDS: dict[str, tuple[str, ...]] = {
    "lines": (
        "line_no", *_PERSON, "amount", "incentive_type", "incentive_type_label", "transfer_note", "transfer_on",
        "prize_code", "bank_code", "branch_code", "account_type", "account_no", "account_holder", "card_no",
        "masked_payee",
    ),
    "held": ("participant_id", "amount", "hold_reason", "hold_reason_label"),
    "rankings": ("rank", "participant_id", "public_name", "score", "participant_class"),
    "notices": (
        *_PERSON, "application_id", "carried_points", "expired_points", "redeemed_points", "closing_points",
        "closing_expires_on", "certified_on", "prize_code",
    ),
    "winners": (*_PERSON, "draw_order", "public_name"),
}  # fmt: skip
_DAYS = ("transfer_on", "certified_on", "closing_expires_on")
_AWARD = "award."
_MOST_PAD = 100


def _encoding(name: str) -> str:
    try:
        GETA.encode(name)
    except UnicodeEncodeError:
        raise wrong(f"encoding {shown(name)} lacks {GETA}, which stands for what it lacks; declare utf-8") from None
    except (LookupError, ValueError):
        raise wrong(f"encoding {shown(name)} is unknown") from None
    return name


def _day_format(value: str) -> str:
    try:
        with duckdb.connect() as con:
            con.execute("select strftime(date '2024-01-31', ?)", [names.seen(value)]).fetchall()
    except duckdb.Error as error:
        raise ValueError(f"is no form of a day, such as %Y%m%d: {escaped(str(error).splitlines()[0])}") from None
    return value


def _existing(folder: Path, declared: Any) -> Path:
    path = names.within(folder, declared)
    if not path.is_file():
        raise wrong(f"there is no file {path}")
    return path


def _template(declared: Any, info: ValidationInfo) -> Path:
    return _existing(info.context, declared)


def _font(declared: Any, info: ValidationInfo) -> Path:
    package, colon, file = str(declared).partition(":")
    if not colon:
        return _existing(info.context, declared)
    try:
        installed = metadata.distribution(package).locate_file("")
    except (metadata.PackageNotFoundError, ValueError):
        raise wrong(f"the package {package} is not installed; run make setup") from None
    return _existing(Path(str(installed)), file)


_Template = Annotated[Path, BeforeValidator(_template), WithJsonSchema({"type": "string"})]
_Font = Annotated[Path, BeforeValidator(_font), WithJsonSchema({"type": "string"})]
_Header = Annotated[str, BeforeValidator(str)]
Encoding = Annotated[str, AfterValidator(_encoding)]


class Column(Model):
    """What a column shows: a ``field``, or always the same ``text``."""

    days: ClassVar[tuple[str, ...]] = ()  # fields that are days

    field: str | None = Field(default=None, description="what of the row it shows")
    text: Annotated[Label, AfterValidator(str)] = Field(default=None, description="what it shows always")
    pad: whole(f" up to {_MOST_PAD}", 0, _MOST_PAD) = Field(  # type: ignore[valid-type]
        default=None, description="filled up with zeros from the left to so many characters"
    )
    date: Annotated[str, AfterValidator(_day_format)] = Field(
        default=None, description="a day's form (strftime), e.g. `%Y%m%d`"
    )

    @classmethod
    def across(cls, sound: Mapping[Any, Any], given: Set[Any], context: Any) -> Iterator[Mistake]:
        if ("field" in given) == ("text" in given):
            yield "", "needs either a field or a text"
        elif "date" in sound and "field" in sound and sound["field"] not in cls.days:
            yield "date", f"is for {one_of(cls.days) if cls.days else 'days'}, not {sound['field']}"


def _column_of(rows: str) -> Any:
    """The type of a column of a file with such rows: a field's name, or a mapping with more."""
    fields = FIELDS[rows]

    def check(field: str) -> str:
        if field not in fields and not (rows == "notices" and field.startswith(_AWARD)):
            near = nearest(field, fields)
            they_have = f"{near} They have" if near else "; they have"
            raise wrong(f"{rows} have no field {shown(field)}{they_have} {', '.join(fields)}")
        return field

    known: dict[str, Any] = {"enum": list(fields)}
    if rows == "notices":
        known = {"anyOf": [known, {"type": "string", "pattern": "^award[.]"}]}
    a_field = Annotated[str, AfterValidator(check), WithJsonSchema(known)]
    described = Field(default=None, description=Column.model_fields["field"].description)
    model = create_model(f"{rows.capitalize()}Column", __base__=Column, field=(a_field, described))
    model.days = tuple(field for field in _DAYS if field in fields)

    def read(value: Any, handler: Any, info: ValidationInfo) -> Column:
        if isinstance(value, dict):
            return model.model_validate(value, context=info.context)
        return model(field=check(str(value)))

    return Annotated[a_field | model, WrapValidator(read)]


class File(Model):
    """What all declarations of files have."""

    elsewhere = {
        "incentive_type": "is for rows: lines of a format that pays; leave it out",
        "columns": "is for format csv, xlsx or pdf; leave it out",
        "template": "is for format: pdf; leave it out",
        "font": "is for format: pdf; leave it out",
    }

    rows: Literal["lines", "held", "rankings", "notices", "winners"] = Field(
        description="`lines`, `held`, `rankings`, `notices` or `winners`"
    )
    format: Literal["csv", "xlsx", "pdf", "pain.001.001.09", "zengin"] = Field(
        default="csv", description="`csv` (unless set), `xlsx`, `pdf`, `pain.001.001.09`, `zengin`"
    )
    encoding: Encoding = Field(default=None, description="of this file, if another one")
    header: bool = Field(default=True, description="`false` leaves the header row out")
    line_ends: bool = Field(default=True, description="`false`: records of format `zengin` without CRLF")
    by_region: Annotated[dict[Label, dict[str, Any]], OrEmptyMapping] = Field(
        default={},
        description="region → what differs for it, all keys of a declaration and `name`; regions with the same "
        "differences share them",
    )


class AnyFile(File):
    """A file whose rows or format are wrong, so that nothing more can be held against it."""

    elsewhere: ClassVar[Mapping[str, str]] = {}

    incentive_type: Any = Field(
        default=None,
        description="of `lines`: only these; such a file pays. Each type that is paid needs one in format `csv` or "
        "`xlsx`",
    )
    columns: Any = Field(
        default=None,
        description="of csv, xlsx and pdf, where they are needed: header → field, or header → `{field, pad, date}` or "
        "`{text}`, in the order of the file",
    )
    template: Any = Field(default=None, description="of pdf, where it is needed: a file of the pack, see below")
    font: Any = Field(
        default=None,
        description="of pdf, where it is needed: a file of the pack, or `<package>:<file>` of an installed package",
    )


class Table(File):
    """A file with a column per field."""

    columns: dict[str, Any] = Field(min_length=1)

    @classmethod
    def across(cls, sound: Mapping[Any, Any], given: Set[Any], context: Any) -> Iterator[Mistake]:
        columns, encoding = sound.get("columns", {}), sound.get("encoding")
        for header in columns if encoding and sound.get("format", "csv") == "csv" else ():
            if not is_encodable(encoding, cell(header)):
                yield f"columns.{escaped(header)}", f"encoding {encoding} lacks a character of it; name it otherwise"
        fields = [spec.get("field") if isinstance(spec, dict) else spec for spec in columns.values()]
        if columns and sound.get("incentive_type") and "amount" not in fields:
            yield "columns", "a file that pays needs a column with the field amount"


class Transfers(File):
    """A file of credit transfers in a form that banks agreed on."""

    rows: Literal["lines"] = Field(description=File.model_fields["rows"].description)
    format: Literal["pain.001.001.09", "zengin"] = Field(description=File.model_fields["format"].description)
    incentive_type: Code = Field(description=AnyFile.model_fields["incentive_type"].description)


def _described(key: str, **more: Any) -> Any:
    return Field(description=AnyFile.model_fields[key].description, **more)


def _models(rows: str) -> dict[str, type[File]]:
    """format -> the model of a file with such rows."""
    rows_of = {"rows": (Literal[rows], File.model_fields["rows"])}  # type: ignore[valid-type]
    pays = {"incentive_type": (Code, _described("incentive_type", default=None))} if rows == "lines" else {}
    columns = {
        "columns": (dict[Annotated[str, BeforeValidator(str)], _column_of(rows)], _described("columns", min_length=1))
    }  # type: ignore[misc]
    name = rows.capitalize()
    table = create_model(
        f"{name}Table",
        __base__=Table,
        format=(Literal["csv", "xlsx"], Field(default="csv", description=File.model_fields["format"].description)),
        **rows_of,
        **pays,
        **columns,
    )
    letter = create_model(
        f"{name}Letters",
        __base__=Table,
        format=(Literal["pdf"], File.model_fields["format"]),
        template=(
            _Template,
            _described("template"),
        ),
        font=(_Font, _described("font")),
        **rows_of,
        **columns,
    )
    return {"csv": table, "xlsx": table, "pdf": letter}


_OF_ROWS = {rows: _models(rows) for rows in FIELDS}


def _any_rows(file_format: str) -> Any:
    models: list[Any] = [_OF_ROWS[rows][file_format] for rows in FIELDS]
    return Annotated[reduce(or_, models), Field(discriminator="rows")]


# A file as its format and its rows have it.
AnyDeclared = Annotated[_any_rows("csv") | _any_rows("pdf") | Transfers, Field(discriminator="format")]


def model_of(spec: Mapping[str, Any]) -> type[File]:
    """The model of a file by its ``rows`` and ``format``."""
    rows, file_format = spec.get("rows"), spec.get("format", "csv")
    if not isinstance(rows, str) or not isinstance(file_format, str) or rows not in FIELDS:
        return AnyFile
    transfers = dict.fromkeys(("pain.001.001.09", "zengin"), Transfers)
    return {**_OF_ROWS[rows], **transfers}.get(file_format, AnyFile)
