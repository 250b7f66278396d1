"""Declarations of extracts: one YAML file per source in ``<pack>/sources/``; a new provider is a file, not code.

What a declaration may say stands in the models: ``declaration.py`` and, of its ``options``, ``options.py``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tanso import settings
from tanso.packs import declaration, models, yaml_files
from tanso.packs.declaration import Declaration, ForbiddenValue
from tanso.packs.options import OPTIONS, About

SETTLED_FOR_S = 5  # unless a source says otherwise


class SourceError(ValueError):
    """A declaration that cannot be used; the message names the file and, a line each, the keys."""


@dataclass(frozen=True)
class Column:
    """Where a field of the extract is found."""

    headers: tuple[str, ...]  # equivalent headers; the first one the file has is taken
    required: bool = False  # without the column the file is refused (schema_mismatch)
    not_null: bool = False  # a blank cell refuses the row (missing_value)


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
    options: Mapping[str, Any] = field(default_factory=dict)  # what a kind needs beyond the columns
    path: Path = Path()
    fingerprint: str = ""  # SHA-256 of the declaration

    def error(self, key: str, message: str) -> SourceError:
        """An error about ``key`` of this declaration, to be raised."""
        return SourceError(models.listed(self.path, [(key, message)]))

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
    """Read one declaration. Raises SourceError with every mistake of it.

    Mistakes of ``options`` alone are for ``check``: they stop that source, and no other.
    """
    text = path.read_bytes()
    try:
        data = yaml_files.load(text)
    except ValueError as error:
        raise SourceError(models.listed(path, [("", str(error))])) from None
    found = models.unseen(data)
    odd = {key for key, _ in found}
    found += [mistake for mistake in models.mistakes(Declaration, data, path) if mistake[0] not in odd]
    if found:
        raise SourceError(models.listed(path, [*found, *_of_raw_options(data)]))
    declared = Declaration.model_validate(data, context=path)
    pull, read = declared.pull, declared.read
    return Source(
        source_id=declared.source_id,
        program_id=declared.program_id,
        kind=declared.kind,
        provider=declared.provider,
        pull_url=pull.url,
        pattern=pull.pattern,
        connection=pull.connection,
        files=tuple(pull.files),
        settled_for=SETTLED_FOR_S if pull.settled_for is None else pull.settled_for,
        format=read.format,
        encoding=read.encoding,
        dates=read.dates,
        time_zone=declared.time_zone,
        max_bad_ratio=declared.max_bad_ratio,
        forbidden_columns=tuple(declared.forbidden_columns),
        forbidden_values=tuple(declared.forbidden_values),
        feedback_language=declared.feedback_language,
        columns={name: _column(column) for name, column in declared.columns.items()},
        options=declared.options,
        path=path,
        fingerprint=hashlib.sha256(text).hexdigest(),
    )


def check(source: Source) -> None:
    """Raises SourceError with every mistake of the declaration that makes it unfit for its kind."""
    if found := _of_options(source.kind, source.options, source.columns, source.format):
        raise SourceError(models.listed(source.path, found))


def _of_options(
    kind: str, options: Mapping[str, Any], columns: Mapping[str, Column], file_format: str
) -> list[models.Mistake]:
    about = About(columns, file_format)
    return models.mistakes(OPTIONS[kind], options, about, under="options")


def _of_raw_options(data: Mapping[str, Any]) -> list[models.Mistake]:
    """Mistakes of the options of a declaration that has others, as far as kind and columns can be read."""
    kind, options, columns, read = (data.get(key) for key in ("kind", "options", "columns", "read"))
    if not isinstance(kind, str) or kind not in OPTIONS or not isinstance(options or {}, dict):
        return []
    known = {name: _column(spec) for name, spec in columns.items()} if isinstance(columns, dict) else {}
    return _of_options(kind, options or {}, known, read.get("format", "") if isinstance(read, dict) else "")


def _column(spec: Any) -> Column:
    try:
        column = declaration.Column.model_validate(spec)
    except ValidationError:
        return Column((), required=True)  # nothing more is held against it
    return Column(tuple(column.header), column.required, column.not_null)
