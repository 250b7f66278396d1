"""Declarations of extracts: one YAML file per source in ``<pack>/sources/``; a new provider is a file, not code."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tanso import settings
from tanso.packs import names, yaml_files

KINDS = ("readings", "participants", "slips", "applications", "activities", "opening_points", "returns")
SETTLED_FOR_S = 5  # unless a source says otherwise
_SCHEMES = ("sftp", "s3", "https", "file")
_KEYS = {
    "source_id",
    "program_id",
    "kind",
    "provider",
    "pull",
    "read",
    "time_zone",
    "max_bad_ratio",
    "forbidden_columns",
    "forbidden_values",
    "feedback_language",
    "columns",
    "options",
}


class SourceError(ValueError):
    """A declaration that cannot be used; the message names the file and the key."""


@dataclass(frozen=True)
class Column:
    """Where a field of the extract is found."""

    headers: tuple[str, ...]  # equivalent headers; the first one the file has is taken
    required: bool = False  # without the column the file is refused (schema_mismatch)
    not_null: bool = False  # a blank cell refuses the row (missing_value)


@dataclass(frozen=True)
class ForbiddenValue:
    """A kind of number that may not be sent, known by its form and its check digit."""

    name: str
    pattern: str  # of the value's letters and digits alone
    weights: tuple[int, ...]  # of the digits before the check digit
    check_digits: str  # by the remainder of the weighted sum; as many as the modulus

    @property
    def length(self) -> int:
        return len(self.weights) + 1

    def fits(self, text: str) -> bool:
        if len(text) != self.length or not text.isascii() or not re.fullmatch(self.pattern, text) or not text.isdigit():
            return False
        total = sum(weight * int(digit) for weight, digit in zip(self.weights, text, strict=False))
        return text[-1] == self.check_digits[total % len(self.check_digits)]


@dataclass(frozen=True)
class Source:
    """One extract: where it comes from, how it is read, what its columns mean."""

    source_id: str
    program_id: str
    kind: str
    pull_url: str  # relative to TANSO_HOME unless it has a scheme
    pattern: str
    format: str  # csv | xlsx | espi
    encoding: str
    dates: str  # plain | japanese (adds era forms) | month_first (adds MM/DD/YYYY)
    columns: Mapping[str, Column]
    provider: str | None = None
    connection: str | None = None  # id of the Airflow connection with the credentials of pull_url
    time_zone: str | None = None  # IANA; of Green Button feeds that do not say theirs
    files: tuple[str, ...] = ()  # https without a list of files: their names
    settled_for: int = SETTLED_FOR_S  # a file that changed within as many seconds may still be on its way
    max_bad_ratio: Decimal = Decimal("0.05")
    forbidden_columns: tuple[str, ...] = ()
    forbidden_values: tuple[ForbiddenValue, ...] = ()
    feedback_language: str = "en"  # of include/tanso/ingest/verdicts/feedback.csv: the one the provider reads
    options: Mapping[str, Any] = None  # type: ignore[assignment]  # set by read_source; what a kind needs beyond the columns
    path: Path = Path()
    fingerprint: str = ""  # SHA-256 of the declaration

    def error(self, key: str, message: str) -> SourceError:
        """An error about ``key`` of this declaration, to be raised."""
        return SourceError(f"{self.path}: {key}: {message}")

    def checked(self, key: str, check: Callable[[Any], Any], value: Any) -> Any:
        """What ``check`` (of ``names``) makes of a value; its ValueError becomes an error about ``key``."""
        try:
            return check(value)
        except ValueError as error:
            raise self.error(key, f"{names.shown(value)} {error}") from None

    def mapping(self, key: str, default: Any = None) -> dict[Any, Any]:
        """``options.<key>``, which must be a mapping."""
        value = self.option(key, default)
        if not isinstance(value, dict):
            raise self.error(f"options.{key}", f"must be a mapping, not {value!r}")
        return value

    def codes(self, key: str) -> list[str]:
        """``options.<key>``, a list of codes; [] if there is none."""
        value = self.options.get(key, [])
        if not isinstance(value, list):
            raise self.error(f"options.{key}", f"must be a list, not {value!r}")
        return [self.checked(f"options.{key}", names.code, item) for item in value]

    def field(self, key: str, value: Any) -> str:
        """A field that ``columns`` declares, named by ``key``."""
        if not isinstance(value, str) or value not in self.columns:
            raise self.error(key, f"{value!r} is not a field of columns")
        return value

    def option(self, key: str, default: Any = None) -> Any:
        """``options.<key>``; without a default a missing key is a SourceError."""
        if key not in self.options and default is None:
            raise self.error(f"options.{key}", f"is missing; kind {self.kind} needs it")
        return self.options.get(key, default)


def load_sources(roots: Iterable[Path] | None = None) -> list[Source]:
    """All sources of all packs, by source_id. Raises SourceError on a bad, repeated or clashing declaration."""
    folders = settings.program_roots() if roots is None else [Path(root) for root in roots]
    paths = [path for folder in folders for path in sorted(folder.glob("*/sources/*.yml"))]
    sources: dict[str, Source] = {}
    for path in paths:
        source = read_source(path)
        if source.source_id in sources:
            raise source.error("source_id", f"{source.source_id!r} is declared in {sources[source.source_id].path} too")
        sources[source.source_id] = source
    _check_providers(sources.values())
    return [sources[source_id] for source_id in sorted(sources)]


def _check_providers(sources: Iterable[Source]) -> None:
    """A reading is known by provider, utility, number and month, so two sources may not speak for the same ones."""
    known: dict[tuple[str, Any, Any], Source] = {}
    for source in sources:
        usages = source.options.get("usages")
        for usage in usages if source.kind == "readings" and isinstance(usages, list) else []:
            utility = usage.get("utility") if isinstance(usage, dict) else None
            other = known.setdefault((source.program_id, source.provider, utility), source)
            if other is not source:
                message = f"{source.provider!r} with utility {utility!r} is declared in {other.path} too"
                raise source.error("provider", message)


def read_source(path: Path) -> Source:
    """Read and check one declaration."""
    text = path.read_bytes()
    try:
        data = yaml_files.load(text)
    except ValueError as error:
        raise SourceError(f"{path}: {error}") from None

    def fail(key: str, message: str) -> SourceError:
        return SourceError(f"{path}: {key}: {message}")

    def checked(key: str, check: Callable[[Any], Any], value: Any) -> Any:
        try:
            return check(value)
        except ValueError as error:
            raise fail(key, f"{names.shown(value)} {error}") from None

    def text_at(mapping: dict, key: str, name: str, default: str | None = None) -> str:
        value = mapping.get(key, default)
        if not isinstance(value, str) or not value:
            raise fail(name, f"must be a text, not {value!r}")
        return value

    def section(key: str, keys: set[str] | None) -> dict:
        value = data.get(key)
        if not isinstance(value, dict) or not value:
            raise fail(key, f"must be a mapping, not {value!r}")
        if keys is not None and (unknown := set(value) - keys):
            raise fail(key, f"unknown key {min(unknown, key=str)!r}; known are {sorted(keys)}")
        return value

    for key, value in yaml_files.texts(data):
        checked(key, lambda text: names.seen(text, lines=True), value)
    if unknown := set(data) - _KEYS:
        raise fail(str(sorted(map(str, unknown))[0]), f"unknown key; known are {sorted(_KEYS)}")
    program_id, kind = text_at(data, "program_id", "program_id"), text_at(data, "kind", "kind")
    if program_id != path.parent.parent.name:
        raise fail("program_id", f"{program_id!r} is not the name of the pack's folder {path.parent.parent.name!r}")
    checked("program_id", names.code, program_id)
    source_id = text_at(data, "source_id", "source_id")
    if source_id != path.stem:
        raise fail("source_id", f"{source_id!r} is not the name of the file")
    checked("source_id", names.code, source_id)
    if kind not in KINDS:
        raise fail("kind", f"{kind!r} is not one of {', '.join(KINDS)}")
    if (kind == "readings") != ("provider" in data):
        raise fail("provider", "is needed for kind readings, and for no other")
    pull, read = (
        section("pull", {"url", "pattern", "connection", "files", "settled_for"}),
        section("read", {"format", "encoding", "dates"}),
    )
    file_format, dates = text_at(read, "format", "read.format"), text_at(read, "dates", "read.dates", "plain")
    if file_format not in ("csv", "xlsx", "espi"):
        raise fail("read.format", f"{file_format!r} is not csv, xlsx or espi")
    if file_format == "espi" and (kind != "readings" or set(read) != {"format"}):
        raise fail("read", "format: espi is for kind readings, and needs neither encoding nor dates")
    if dates not in ("plain", "japanese", "month_first"):
        raise fail("read.dates", f"{dates!r} is not plain, japanese or month_first")
    time_zone = text_at(data, "time_zone", "time_zone") if "time_zone" in data else None
    if time_zone and file_format != "espi":
        raise fail("time_zone", "is for format: espi; days of other formats are those that the file has")
    if time_zone:
        checked("time_zone", names.zone, time_zone)
    encoding = text_at(read, "encoding", "read.encoding", "utf-8")
    try:
        "a".encode(encoding)
    except (LookupError, ValueError):
        raise fail("read.encoding", f"{encoding!r} is no encoding of text that Python knows") from None
    try:
        ratio = Decimal(str(data.get("max_bad_ratio", "0.05")))
        is_fraction = 0 <= ratio <= 1
    except ArithmeticError:
        is_fraction = False
    if not is_fraction:
        raise fail("max_bad_ratio", f"must be a fraction from 0 to 1, not {data['max_bad_ratio']!r}")
    forbidden = data.get("forbidden_columns") or []
    if not isinstance(forbidden, list) or not all(isinstance(name, str) for name in forbidden):
        raise fail("forbidden_columns", "must be a list of headers")
    values = data.get("forbidden_values") or []
    if not isinstance(values, list):
        raise fail("forbidden_values", "must be a list")
    options = data.get("options") or {}
    if not isinstance(options, dict):
        raise fail("options", f"must be a mapping, not {options!r}")
    columns = {}
    seen: dict[str, str] = {}
    for field, spec in section("columns", None).items():
        checked(f"columns.{field}", names.field, field)
        if field == "row_no":
            raise fail(f"columns.{field}", "is the row's own number; choose another name")
        if not isinstance(spec, dict) or (unknown := set(spec) - {"header", "required", "not_null"}):
            raise fail(f"columns.{field}", "must be a mapping with header, and optionally required and not_null")
        headers = spec.get("header")
        headers = [headers] if isinstance(headers, str) else headers
        if not isinstance(headers, list) or not headers or not all(isinstance(name, str) and name for name in headers):
            raise fail(f"columns.{field}.header", "must be a header or a list of equivalent headers")
        for flag in ("required", "not_null"):
            if not isinstance(spec.get(flag, False), bool):
                raise fail(f"columns.{field}.{flag}", f"must be true or false, not {spec[flag]!r}")
        for name in headers:
            if name in seen:
                raise fail(f"columns.{field}.header", f"{name!r} is a header of {seen[name]} too")
            seen[name] = field
        columns[field] = Column(tuple(headers), spec.get("required", False), spec.get("not_null", False))
    return Source(
        source_id=source_id,
        program_id=program_id,
        kind=kind,
        provider=text_at(data, "provider", "provider") if kind == "readings" else None,
        **_place(pull, text_at, fail),
        format=file_format,
        encoding=encoding,
        dates=dates,
        time_zone=time_zone,
        max_bad_ratio=ratio,
        forbidden_columns=tuple(forbidden),
        forbidden_values=tuple(_forbidden_value(value, fail) for value in values),
        feedback_language=text_at(data, "feedback_language", "feedback_language", "en"),
        columns=columns,
        options=options,
        path=path,
        fingerprint=hashlib.sha256(text).hexdigest(),
    )


def _forbidden_value(value: Any, fail: Callable[[str, str], SourceError]) -> ForbiddenValue:
    keys = ("name", "pattern", "weights", "check_digits")
    if not isinstance(value, dict) or set(value) != set(keys):
        raise fail("forbidden_values", f"each must be a mapping with {', '.join(keys)}")
    name, pattern, weights, digits = (value[key] for key in keys)
    if not isinstance(name, str) or not name:
        raise fail("forbidden_values", f"name must be a text, not {name!r}")
    try:
        re.compile(pattern)
    except (re.error, TypeError) as error:
        raise fail("forbidden_values", f"{name}: pattern {pattern!r} is no regular expression: {error}") from None
    if not isinstance(weights, list) or not weights or not all(type(weight) is int for weight in weights):
        raise fail("forbidden_values", f"{name}: weights must be a list of whole numbers, not {weights!r}")
    if not isinstance(digits, str) or not re.fullmatch("[0-9]{2,}", digits):
        raise fail("forbidden_values", f"{name}: check_digits must be a text of digits, one per remainder")
    return ForbiddenValue(name, pattern, tuple(weights), digits)


def _place(pull: dict, text_at: Callable[..., str], fail: Callable[[str, str], SourceError]) -> dict[str, Any]:
    """pull_url, pattern, connection, files, settled_for. No message quotes a URL that may hold a secret."""
    url, pattern = text_at(pull, "url", "pull.url"), text_at(pull, "pattern", "pull.pattern")
    connection = text_at(pull, "connection", "pull.connection") if "connection" in pull else None
    files = pull.get("files", [])
    if not isinstance(files, list) or not all(isinstance(name, str) and fnmatchcase(name, pattern) for name in files):
        raise fail("pull.files", f"must be a list of file names that match pull.pattern {pattern!r}")
    settled_for = pull.get("settled_for", SETTLED_FOR_S)
    if not isinstance(settled_for, int) or isinstance(settled_for, bool) or settled_for < 0:
        raise fail("pull.settled_for", f"must be a whole number of seconds, 0 or more, not {settled_for!r}")
    if "://" in url:
        parts = urlsplit(url)
        if parts.scheme not in _SCHEMES:
            raise fail("pull.url", f"{parts.scheme}:// is none of a folder, {', '.join(f'{s}://' for s in _SCHEMES)}")
        user_is_a_secret = parts.scheme != "sftp" and parts.username is not None
        if parts.password is not None or user_is_a_secret or parts.query or parts.fragment:
            raise fail("pull.url", "holds a password, user or query; put credentials in a connection, pull.connection")
        if files and parts.scheme != "https":
            raise fail("pull.files", f"is for https:// alone; the files of {parts.scheme}:// can be listed")
    elif connection or files:
        raise fail("pull", "a folder takes neither connection nor files")
    return {
        "pull_url": url,
        "pattern": pattern,
        "connection": connection,
        "files": tuple(files),
        "settled_for": settled_for,
    }
