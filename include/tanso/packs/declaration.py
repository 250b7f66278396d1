"""The models of ``<pack>/sources/<source_id>.yml``; those of its ``options`` go with the kind (``options.py``).

The descriptions of the keys are what docs/reference/sources.md and the JSON Schema say about them.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from tanso.packs import names
from tanso.packs.models import Code, Model, OrAbsent, OrEmptyList, OrEmptyMapping, Text, shown, whole, wrong, wrongs

_SCHEMES = ("sftp", "s3", "https", "file")

Kind = Literal["readings", "participants", "slips", "applications", "activities", "opening_points", "returns"]


class Pull(Model):
    """Where the files are."""

    hides_values = True  # a URL may hold a password where it should not

    url: Text = Field(
        description="a folder under `TANSO_HOME`, or a URL "
        "([add a provider](../how-to/add-a-provider.md#2-say-where-the-files-are))"
    )
    pattern: Text = Field(
        description="file names taken, e.g. `gas_*.csv`; others are left alone and reported. It is compared with the "
        "name [as it is shown](inputs.md#what-counts-as-a-file)"
    )
    connection: OrAbsent[Text] = Field(default=None, description="name of the credentials of a URL")
    files: list[str] = Field(default=[], description="the names of the files, for an https server that lists none")
    settled_for: whole(" of seconds, 0 or more", 0) = Field(  # type: ignore[valid-type]  # made by a function
        default=None,
        description="seconds that a file must have rested before it is taken, `5` if not set, `0` for none: more for a "
        "provider whose uploads pause",
    )

    @field_validator("url")
    @classmethod
    def _holds_no_secret(cls, url: str) -> str:
        """No message quotes a URL that may hold a secret."""
        if "://" in url:
            try:
                parts = urlsplit(url)
            except ValueError:
                raise wrong("is no URL") from None
            if parts.scheme not in _SCHEMES:
                raise wrong(f"{parts.scheme}:// is none of a folder, {', '.join(f'{s}://' for s in _SCHEMES)}")
            user_is_a_secret = parts.scheme != "sftp" and parts.username is not None
            if parts.password is not None or user_is_a_secret or parts.query or parts.fragment:
                raise wrong("holds a password, user or query; put credentials in a connection, pull.connection")
        return url

    @field_validator("connection")
    @classmethod
    def _is_for_a_url(cls, connection: str, info: ValidationInfo) -> str:
        if "://" not in info.data.get("url", "://"):
            raise wrong(f"a folder takes no connection, such as {shown(connection)}; leave it out")
        return connection

    @field_validator("files")
    @classmethod
    def _match(cls, files: list[str], info: ValidationInfo) -> list[str]:
        pattern, url = info.data.get("pattern", "*"), info.data.get("url", "https://")
        if files and not url.startswith("https://"):
            what = url.partition("://")[0] + "://" if "://" in url else "a folder"
            raise wrong(f"is for https:// alone; the files of {what} can be listed")
        if other := [name for name in files if not fnmatchcase(name, pattern)]:
            raise wrong(f"{shown(other[0])} does not match pull.pattern {shown(pattern)}")
        return files


class Read(Model):
    """How a file is read."""

    format: Literal["csv", "xlsx", "espi"] = Field(
        description="`csv`, `xlsx` (first sheet) or `espi` (Green Button, below)"
    )
    encoding: Text = Field(default="utf-8", description="of CSV, e.g. `cp949`; `utf-8` if not set")
    dates: Literal["plain", "japanese", "month_first"] = Field(
        default="plain",
        description="`plain` (`YYYYMMDD`, `YYYY-MM-DD`, `YYYY/MM/DD`, `YYYY.MM.DD`) if not set; `japanese` adds era "
        "forms, `month_first` adds `MM/DD/YYYY`",
    )

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str) -> str:
        try:
            "a".encode(encoding)
        except (LookupError, ValueError):
            raise ValueError("is no encoding of text that Python knows") from None
        return encoding


def _headers(value: Any) -> Any:
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not found or not all(isinstance(name, str) and name for name in found):
        raise wrong(f"must be a header or a list of equivalent headers, not {shown(value)}")
    return found


class Column(Model):
    """Where a field of the extract is found."""

    header: Annotated[
        list[str],
        BeforeValidator(_headers),
        WithJsonSchema({"type": ["string", "array"], "minLength": 1, "minItems": 1, "items": {"type": "string"}}),
    ] = Field(description="the column's header, or a list of equivalent ones: the first one that the file has is taken")
    required: bool = Field(default=False, description="without the column the file is refused")
    not_null: bool = Field(default=False, description="a blank cell refuses the row")


class ForbiddenValue(Model):
    """A kind of number that must not be sent, known by its form and its check digit."""

    name: Text = Field(description="what it is called in messages")
    pattern: str = Field(description="of the value's letters and digits alone")
    weights: list[int] = Field(min_length=1, description="of the digits before the check digit")
    check_digits: str = Field(
        description="by the remainder of the weighted sum; as many as the modulus",
        json_schema_extra={"pattern": "^[0-9]{2,}$"},
    )

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"is no regular expression: {error}") from None
        return pattern

    @field_validator("check_digits")
    @classmethod
    def _are_digits(cls, digits: str) -> str:
        if not re.fullmatch("[0-9]{2,}", digits):
            raise wrong(f"must be a text of digits, one per remainder, not {shown(digits)}")
        return digits

    @property
    def length(self) -> int:
        return len(self.weights) + 1

    def fits(self, text: str) -> bool:
        if len(text) != self.length or not text.isascii() or not re.fullmatch(self.pattern, text) or not text.isdigit():
            return False
        total = sum(weight * int(digit) for weight, digit in zip(self.weights, text, strict=False))
        return text[-1] == self.check_digits[total % len(self.check_digits)]


def _field(name: str) -> str:
    if name == "row_no":
        raise wrong("is the row's own number; choose another name")
    return names.field(name)


def _fraction(value: Any) -> Decimal:
    try:
        ratio = Decimal(str(value))
        if 0 <= ratio <= 1:
            return ratio
    except ArithmeticError:
        pass
    raise wrong(f"must be a fraction from 0 to 1, not {shown(value)}")


class Declaration(Model):
    """One extract: where it comes from, how it is read, what its columns mean."""

    source_id: Code = Field(description="the file's name without `.yml`; unique over all packs")
    program_id: Code = Field(description="the pack folder's name")
    kind: Kind = Field(
        description="what the rows are: `readings`, `participants`, `slips`, `applications`, `activities`, "
        "`opening_points` or `returns`"
    )
    provider: Text | None = Field(
        default=None,
        validate_default=True,
        description="of `readings`, and of no other: what registers call the provider; with a utility it belongs to "
        "one source",
    )
    pull: Pull = Field(description="where the files are")
    read: Read = Field(description="how they are read")
    time_zone: OrAbsent[Text] = Field(
        default=None,
        description="of `espi` only: time zone (IANA, such as `Asia/Seoul`) of feeds without `LocalTimeParameters`",
    )
    max_bad_ratio: Annotated[
        Decimal, BeforeValidator(_fraction), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})
    ] = Field(
        default=Decimal("0.05"),
        description="share of refused rows, of at least 20, from which on the entire file is refused; `0.05` if not "
        "set",
    )
    forbidden_columns: Annotated[list[str], OrEmptyList] = Field(
        default=[],
        description="headers (of `espi`: elements) that must not be sent; such a file is not even landed "
        "([below](#what-must-not-be-sent))",
    )
    forbidden_values: Annotated[list[ForbiddenValue], OrEmptyList] = Field(
        default=[], description="numbers that must not be sent ([below](#what-must-not-be-sent))"
    )
    feedback_language: Text = Field(
        default="en", description="language of the report to the provider about refused rows and files"
    )
    columns: dict[Annotated[str, AfterValidator(_field)], Column] = Field(
        min_length=1, description="field → its column"
    )
    options: Annotated[dict[Any, Any], OrEmptyMapping] = Field(default={}, description="by kind, below")

    @field_validator("source_id", "program_id")
    @classmethod
    def _is_where_it_lies(cls, value: str, info: ValidationInfo) -> str:
        path = info.context
        assert isinstance(path, Path)  # what read_source gives
        if info.field_name == "source_id" and value != path.stem:
            raise ValueError("is not the name of the file")
        if info.field_name == "program_id" and value != path.parent.parent.name:
            raise ValueError(f"is not the name of the pack's folder {path.parent.parent.name!r}")
        return value

    @field_validator("provider", mode="before")
    @classmethod
    def _is_of_readings(cls, value: Any, info: ValidationInfo) -> Any:
        kind = info.data.get("kind")
        if kind and (kind == "readings") != (value is not None):
            raise wrong("is needed for kind readings, and for no other")
        return value

    @field_validator("read")
    @classmethod
    def _suits_espi(cls, read: Read, info: ValidationInfo) -> Read:
        if read.format == "espi" and (info.data.get("kind") != "readings" or read.model_fields_set != {"format"}):
            raise wrong("format: espi is for kind readings, and needs neither encoding nor dates")
        return read

    @field_validator("time_zone")
    @classmethod
    def _is_of_espi(cls, time_zone: str, info: ValidationInfo) -> str:
        read = info.data.get("read")
        if read and read.format != "espi":
            raise wrong("is for format: espi; days of other formats are those that the file has")
        return names.zone(time_zone)

    @field_validator("columns")
    @classmethod
    def _share_no_header(cls, columns: dict[str, Column]) -> dict[str, Column]:
        seen: dict[str, str] = {}
        found = []
        for field, column in columns.items():
            for header in column.header:
                if seen.setdefault(header, field) != field or column.header.count(header) > 1:
                    found.append((f"{field}.header", f"{shown(header)} is a header of {seen[header]} too"))
        if found:
            raise wrongs(found)
        return columns
