"""How a programme's payout files look: ``payouts.yml`` of its pack, or ``default.yml`` here for a pack without one.

```yaml
encoding: cp949                    # of the CSV files
transfer_note: 포인트 {period_id}      # what the recipient's bank book shows
debtors:                           # optional: the account that pays, per region, for pain.001
  "48170": {bank_code: "011", account_no: "12345678901"}
files:
  cash.csv:                        # {ranking_id} in a name makes one file per ranking
    rows: lines                    # lines | held | rankings | notices | winners
    incentive_type: cash           # only these lines; such a file pays
    format: csv                    # csv (default) | pain.001.001.09 | pdf
    columns: {순번: line_no, ...}   # header: field, in the order of the file
  letters.pdf:                     # a page per row
    rows: notices
    format: pdf
    template: letter.typ           # in the pack's folder; see pdf_files.py for what it gets
    font: a-package:its/font.ttf   # a file of an installed package, or (without a colon) of the pack's folder
    columns: {...}
```
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from include import settings

DEFAULT = Path(__file__).with_name("default.yml")

_PERSON = {"participant_id", "name", "postal_code", "address", "address_detail", "masked_name"}
# rows -> the fields a column may show; notices also have award.<award_type>
FIELDS: dict[str, set[str]] = {
    "lines": _PERSON
    | {"line_no", "amount", "incentive_type", "incentive_type_label", "transfer_note", "prize_code"}
    | {"bank_code", "account_no", "account_holder", "card_no", "masked_payee"},
    "held": {"participant_id", "amount", "hold_reason", "hold_reason_label"},
    "rankings": {"rank", "participant_id", "public_name", "score", "participant_class"},
    "notices": _PERSON
    | {"application_id", "carried_points", "expired_points", "redeemed_points", "closing_points", "closing_expires_on"}
    | {"certified_on", "prize_code"},
    "winners": _PERSON | {"draw_order", "public_name"},
}
# rows of a file -> the list that it brings
LISTS = {"notices": "notices", "winners": "lottery", "rankings": "ranking"}
FORMATS = ("csv", "pain.001.001.09", "pdf")


@dataclass(frozen=True)
class File:
    """One file per region that has such rows. ``columns``: header -> field; ``template`` and ``font`` of a PDF."""

    name: str
    rows: str
    incentive_type: str | None
    format: str
    columns: dict[str, str]
    template: Path | None = None
    font: Path | None = None

    @property
    def pays(self) -> bool:
        return self.incentive_type is not None


@dataclass(frozen=True)
class Layout:
    """A programme's payout files; ``lists`` are those it has a file for: notices, lottery, ranking."""

    program_id: str
    encoding: str
    transfer_note: str
    debtors: dict[str, dict[str, str]]
    files: tuple[File, ...]

    @property
    def lists(self) -> set[str]:
        return {LISTS[file.rows] for file in self.files if file.rows in LISTS}


def load_layout(program_id: str, roots: list[Path] | None = None) -> Layout:
    """The layout of a programme's pack. Raises ValueError naming the file and the key that is wrong."""
    packs = [root / program_id / "payouts.yml" for root in roots or settings.program_roots()]
    path = next((pack for pack in packs if pack.exists()), DEFAULT)
    declared = yaml.safe_load(path.read_text("utf-8"))
    try:
        return Layout(
            program_id,
            _encoding(declared["encoding"]),
            str(declared["transfer_note"]),
            {str(region): account for region, account in (declared.get("debtors") or {}).items()},
            tuple(_file(name, spec, path.parent) for name, spec in declared["files"].items()),
        )
    except KeyError as missing:
        raise ValueError(f"{path}: {missing} is missing") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: {error}") from None


def _encoding(name: str) -> str:
    try:
        "".encode(name)
    except LookupError:
        raise ValueError(f"encoding {name!r} is unknown") from None
    return name


def _file(name: str, spec: dict[str, Any], folder: Path) -> File:
    unknown = set(spec) - {"rows", "incentive_type", "format", "columns", "template", "font"}
    if unknown:
        raise ValueError(f"{name}: unknown key {', '.join(sorted(unknown))}")
    source, file_format, columns = spec["rows"], spec.get("format", "csv"), spec.get("columns") or {}
    if source not in FIELDS:
        raise ValueError(f"{name}: rows must be one of {', '.join(FIELDS)}, not {source!r}")
    if file_format not in FORMATS:
        raise ValueError(f"{name}: format must be one of {', '.join(FORMATS)}, not {file_format!r}")
    if (file_format != "pain.001.001.09") != bool(columns):
        raise ValueError(f"{name}: a CSV or PDF file needs columns, another format takes none")
    if (file_format == "pdf") != bool(spec.get("template") and spec.get("font")):
        raise ValueError(f"{name}: a PDF file needs template and font, another format takes none")
    if file_format == "pdf" and spec.get("incentive_type"):
        raise ValueError(f"{name}: a PDF file pays nothing; leave out incentive_type")
    if file_format == "pain.001.001.09" and not spec.get("incentive_type"):
        raise ValueError(f"{name}: {file_format} needs an incentive_type")
    if spec.get("incentive_type") and source != "lines":
        raise ValueError(f"{name}: only lines have an incentive_type")
    if spec.get("incentive_type") and file_format == "csv" and "amount" not in columns.values():
        raise ValueError(f"{name}: a file that pays needs a column with the field amount")
    for header, field in columns.items():
        if field not in FIELDS[source] and not (source == "notices" and str(field).startswith("award.")):
            known = ", ".join(sorted(FIELDS[source]))
            raise ValueError(f"{name}: column {header}: {source} have no field {field!r}, but {known}")
    return File(
        name,
        source,
        spec.get("incentive_type"),
        file_format,
        {str(h): str(f) for h, f in columns.items()},
        _existing(name, "template", folder / spec["template"]) if file_format == "pdf" else None,
        _existing(name, "font", _font(name, spec["font"], folder)) if file_format == "pdf" else None,
    )


def _font(name: str, declared: str, folder: Path) -> Path:
    package, colon, file = declared.partition(":")
    if not colon:
        return folder / declared
    try:
        return Path(str(metadata.distribution(package).locate_file(file)))
    except metadata.PackageNotFoundError:
        raise ValueError(f"{name}: font: the package {package} is not installed; run make setup") from None


def _existing(name: str, key: str, path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"{name}: {key}: there is no file {path}")
    return path
