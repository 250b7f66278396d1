"""Declarations of payout files in ``payouts.yml``: what each shows, for which regions; see ``layouts.py``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import duckdb

from tanso.cells import GETA, cell
from tanso.packs import names
from tanso.payouts.files.csv_files import is_encodable
from tanso.shown import escaped

_PERSON = {"participant_id", "name", "postal_code", "address", "address_detail", "masked_name"}
# rows -> the fields a column may show; notices also have award.<award_type>
FIELDS: dict[str, set[str]] = {
    "lines": _PERSON
    | {"line_no", "amount", "incentive_type", "incentive_type_label", "transfer_note", "transfer_on", "prize_code"}
    | {"bank_code", "branch_code", "account_type", "account_no", "account_holder", "card_no", "masked_payee"},
    "held": {"participant_id", "amount", "hold_reason", "hold_reason_label"},
    "rankings": {"rank", "participant_id", "public_name", "score", "participant_class"},
    "notices": _PERSON
    | {"application_id", "carried_points", "expired_points", "redeemed_points", "closing_points", "closing_expires_on"}
    | {"certified_on", "prize_code"},
    "winners": _PERSON | {"draw_order", "public_name"},
}
_DAYS = {"transfer_on", "certified_on", "closing_expires_on"}
# rows of a file -> the list that it brings
LISTS = {"notices": "notices", "winners": "lottery", "rankings": "ranking"}
# Those with columns; of them, tables are what a payout's sums are read back from.
TABLES = ("csv", "xlsx")
FORMATS = (*TABLES, "pdf", "pain.001.001.09", "zengin")
_MOST_PAD = 100
_FILE_KEYS = {"rows", "incentive_type", "format", "columns", "template", "font", "encoding", "header", "line_ends"}


@dataclass(frozen=True)
class Column:
    """A column shows a ``field`` or always the same ``text``. ``pad``: as many characters at least, filled up with
    zeros from the left; ``date``: a day's form (strftime)."""

    field: str | None
    text: str | None = None
    pad: int | None = None
    date: str | None = None


@dataclass(frozen=True)
class File:
    """One file per region that has such rows: of ``only`` these regions where any are named, of none of ``but``.
    ``columns``: header -> column; ``template`` and ``font`` of a PDF; ``line_ends`` (or none) of format zengin."""

    name: str
    rows: str
    incentive_type: str | None
    format: str
    columns: dict[str, Column]
    encoding: str
    header: bool = True
    line_ends: bool = True
    template: Path | None = None
    font: Path | None = None
    only: frozenset[str] = frozenset()
    but: frozenset[str] = frozenset()

    @property
    def pays(self) -> bool:
        return self.incentive_type is not None

    @property
    def awards(self) -> dict[str, str]:
        """header -> field of the columns that show awards."""
        shown = {header: column.field or "" for header, column in self.columns.items()}
        return {header: name for header, name in shown.items() if name.startswith("award.")}

    def is_for(self, region: str) -> bool:
        return region not in self.but and (not self.only or region in self.only)

    def is_named(self, name: str) -> bool:
        """Whether a region's file of that name is this one."""
        return bool(re.fullmatch(r"[\w-]*".join(map(re.escape, self.name.split("{ranking_id}"))), name))


def read_files(name: str, spec: dict[str, Any], folder: Path, encoding: str) -> Iterator[File]:
    """The file of most regions, and those of the regions that want it otherwise, each with all that want the same."""
    spec = {"encoding": encoding, **spec}
    changes = {str(region): change for region, change in (spec.pop("by_region", None) or {}).items()}
    yield _file(name, spec, folder, but=frozenset(changes))
    alike: dict[str, list[str]] = {}
    for region, change in changes.items():
        alike.setdefault(repr(change), []).append(region)
    for regions in alike.values():
        changed = {**spec, **changes[regions[0]]}
        yield _file(str(changed.pop("name", name)), changed, folder, only=frozenset(regions))


def named(key: str, check: Callable[[Any], Any], value: Any) -> Any:
    """What ``check`` (of ``names``) makes of a value; its ValueError names ``key``."""
    try:
        return check(value)
    except ValueError as error:
        raise ValueError(f"{key}: {names.shown(value)} {error}") from None


def _file(
    name: str, spec: dict[str, Any], folder: Path, only: frozenset[str] = frozenset(), but: frozenset[str] = frozenset()
) -> File:
    named("files", names.file_name, name)
    unknown = set(spec) - _FILE_KEYS
    if unknown:
        raise ValueError(f"{name}: unknown key {', '.join(sorted(map(str, unknown)))}")
    source, file_format, columns = spec["rows"], spec.get("format", "csv"), spec.get("columns") or {}
    if source not in FIELDS:
        raise ValueError(f"{name}: rows must be one of {', '.join(FIELDS)}, not {source!r}")
    if file_format not in FORMATS:
        raise ValueError(f"{name}: format must be one of {', '.join(FORMATS)}, not {file_format!r}")
    if (file_format in (*TABLES, "pdf")) != bool(columns):
        raise ValueError(f"{name}: a CSV, XLSX or PDF file needs columns, another format takes none")
    if (file_format == "pdf") != bool(spec.get("template") and spec.get("font")):
        raise ValueError(f"{name}: a PDF file needs template and font, another format takes none")
    if file_format == "pdf" and spec.get("incentive_type"):
        raise ValueError(f"{name}: a PDF file pays nothing; leave out incentive_type")
    if file_format in ("pain.001.001.09", "zengin") and not spec.get("incentive_type"):
        raise ValueError(f"{name}: {file_format} needs an incentive_type")
    if spec.get("incentive_type"):
        named(f"{name}: incentive_type", names.code, spec["incentive_type"])
        if source != "lines":
            raise ValueError(f"{name}: only lines have an incentive_type")
    if (names.RANKING in name) != (source == "rankings"):
        raise ValueError(f"{name}: {names.RANKING} must be in the name where rows are rankings, and nowhere else")
    shown = {str(header): _column(name, header, column, source) for header, column in columns.items()}
    encoding = encoding_of(spec["encoding"])
    for header in shown:
        if file_format == "csv" and not is_encodable(encoding, cell(header)):
            raise ValueError(f"{name}: column {header}: encoding {encoding} lacks a character of it; name it otherwise")
    if spec.get("incentive_type") and columns and "amount" not in [column.field for column in shown.values()]:
        raise ValueError(f"{name}: a file that pays needs a column with the field amount")
    for key in ("header", "line_ends"):
        if not isinstance(spec.get(key, True), bool):
            raise ValueError(f"{name}: {key} must be true or false, not {spec[key]!r}")
    return File(
        name,
        source,
        spec.get("incentive_type"),
        file_format,
        shown,
        encoding,
        spec.get("header", True),
        spec.get("line_ends", True),
        _existing(name, "template", folder, spec["template"]) if file_format == "pdf" else None,
        _font(name, spec["font"], folder) if file_format == "pdf" else None,
        only,
        but,
    )


def _column(name: str, header: str, spec: Any, source: str) -> Column:
    spec = spec if isinstance(spec, dict) else {"field": spec}
    where = f"{name}: column {header}"
    unknown = set(spec) - {"field", "text", "pad", "date"}
    if unknown:
        raise ValueError(f"{where}: unknown key {', '.join(sorted(unknown))}")
    if ("field" in spec) == ("text" in spec):
        raise ValueError(f"{where}: needs either a field or a text")
    if "text" in spec:
        return Column(None, str(spec["text"]))
    shown = str(spec["field"])
    if shown not in FIELDS[source] and not (source == "notices" and shown.startswith("award.")):
        raise ValueError(f"{where}: {source} have no field {shown!r}, but {', '.join(sorted(FIELDS[source]))}")
    if "date" in spec and shown not in _DAYS:
        raise ValueError(f"{where}: date is for {', '.join(sorted(_DAYS & FIELDS[source]))}, not {shown}")
    if "date" in spec:
        named(f"{where}: date", _day_format, spec["date"])
    pad = count_of(f"{where}: pad", spec["pad"], _MOST_PAD) if "pad" in spec else None
    return Column(shown, pad=pad, date=spec.get("date"))


def _font(name: str, declared: str, folder: Path) -> Path:
    package, colon, file = str(declared).partition(":")
    if not colon:
        return _existing(name, "font", folder, declared)
    try:
        installed = metadata.distribution(package).locate_file("")
    except (metadata.PackageNotFoundError, ValueError):
        raise ValueError(f"{name}: font: the package {package} is not installed; run make setup") from None
    return _existing(name, "font", Path(str(installed)), file)


def _day_format(value: Any) -> str:
    try:
        with duckdb.connect() as con:
            con.execute("select strftime(date '2024-01-31', ?)", [names.seen(value)]).fetchall()
    except duckdb.Error as error:
        raise ValueError(f"is no form of a day, such as %Y%m%d: {escaped(str(error).splitlines()[0])}") from None
    return value


def _existing(name: str, key: str, folder: Path, declared: Any) -> Path:
    path = named(f"{name}: {key}", partial(names.within, folder), declared)
    if not path.is_file():
        raise ValueError(f"{name}: {key}: there is no file {path}")
    return path


def encoding_of(name: str) -> str:
    try:
        GETA.encode(name)
    except UnicodeEncodeError:
        raise ValueError(f"encoding {name!r} lacks {GETA}, which stands for what it lacks; declare utf-8") from None
    except (LookupError, ValueError, TypeError):
        raise ValueError(f"encoding {name!r} is unknown") from None
    return name


def count_of(key: str, value: Any, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError(f"{key} must be a whole number up to {most}, not {value!r}")
    return value
