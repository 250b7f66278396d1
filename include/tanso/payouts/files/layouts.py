"""How a programme's payout files look: ``payouts.yml`` of its pack, or ``default.yml`` here for a pack without one.

```yaml
encoding: cp949                    # of the CSV files
transfer_note: 포인트 {period_id}      # what the recipient's bank book shows
transfer_days: 2                   # optional: working days (Monday to Friday) from issue to transfer; 0 unless set
debtors:                           # optional: the account that pays, per region; for format zengin more, see zengin.py
  "12345": {bank_code: "011", account_no: "12345678901"}
recipients:                        # optional: regions whose files are encrypted, and their public keys (age)
  "12345": [age1...]
files:
  cash.csv:                        # {ranking_id} in a name makes one file per ranking
    rows: lines                    # lines | held | rankings | notices | winners
    incentive_type: cash           # only these lines; such a file pays
    format: csv                    # csv (default) | xlsx | pdf | pain.001.001.09 | zengin
    columns: {순번: line_no, ...}   # header: field, or header: a map, in the order of the file
    by_region:                     # optional: what differs for a region, for instance because of its bank
      "12345":
        name: bulk.csv
        encoding: utf-8-sig
        header: false              # no header row
        columns:
          은행: {field: bank_code, pad: 4}            # filled up with zeros
          이체일: {field: transfer_on, date: "%Y%m%d"}
          적요: {text: 포인트}                          # always the same
  letters.pdf:                     # a page per row
    rows: notices
    format: pdf
    template: letter.typ           # in the pack's folder; see pdf_files.py for what it gets
    font: a-package:its/font.ttf   # a file of an installed package, or (without a colon) of the pack's folder
    columns: {...}
```
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from tanso import settings
from tanso.files import file_sha256
from tanso.packs import names, yaml_files
from tanso.packs.layout_files import layout_files
from tanso.payouts.files import zengin
from tanso.payouts.files.declared_files import LISTS, TABLES, File, count_of, encoding_of, named, read_files
from tanso.payouts.files.seal import Seal

DEFAULT = Path(__file__).with_name("default.yml")

_MOST_DAYS = 60  # from issue to transfer
_KEYS = {"encoding", "transfer_note", "transfer_days", "debtors", "recipients", "files"}


@dataclass(frozen=True)
class Layout:
    """A programme's payout files; ``lists`` are those it has a file for: notices, lottery, ranking."""

    program_id: str
    encoding: str
    transfer_note: str
    debtors: dict[str, dict[str, str]]
    files: tuple[File, ...]
    transfer_days: int = 0
    seal: Seal = field(default_factory=lambda: Seal({}))
    sha256: str = ""  # of all bytes that it is made of, fonts too

    @property
    def lists(self) -> set[str]:
        return {LISTS[file.rows] for file in self.files if file.rows in LISTS}

    @property
    def regions(self) -> set[str]:
        """The regions that the layout names."""
        return {*self.debtors, *self.seal.regions, *(region for file in self.files for region in file.only)}

    def file(self, region: str, name: str) -> File | None:
        """The declaration of a region's file."""
        return next((file for file in self.files if file.is_for(region) and file.is_named(name)), None)


def _sha256(path: Path, files: Iterable[File]) -> str:
    beside = layout_files(path.parent) if path != DEFAULT else {"default.yml": path}
    fonts = {f"font {file.font.name}": file.font for file in files if file.font}
    listed = [f"{name} {file_sha256(found)}" for name, found in sorted({**beside, **fonts}.items())]
    return hashlib.sha256("\n".join(listed).encode()).hexdigest()


def load_layout(program_id: str, roots: list[Path] | None = None) -> Layout:
    """The layout of a programme's pack. Raises ValueError naming the file and the key that is wrong."""
    packs = [root / program_id / "payouts.yml" for root in roots or settings.program_roots()]
    path = next((pack for pack in packs if pack.exists()), DEFAULT)
    try:
        declared = yaml_files.load(path.read_bytes())
        for key, text in yaml_files.texts(declared):
            named(key, names.seen, text)
        unknown = set(declared) - _KEYS
        if unknown:
            raise ValueError(f"unknown key {', '.join(sorted(unknown))}")
        encoding, keys = declared["encoding"], declared.get("recipients") or {}
        files = tuple(
            file for name, spec in declared["files"].items() for file in read_files(name, spec, path.parent, encoding)
        )
        layout = Layout(
            program_id,
            encoding_of(encoding),
            str(declared["transfer_note"]),
            {str(region): account for region, account in (declared.get("debtors") or {}).items()},
            files,
            count_of("transfer_days", declared.get("transfer_days", 0), _MOST_DAYS),
            Seal({str(region): key if isinstance(key, list) else [key] for region, key in keys.items()}),
            _sha256(path, files),
        )
        _check_names(layout)
        _check_debtors(layout)
    except KeyError as missing:
        raise ValueError(f"{path}: {missing} is missing") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: {error}") from None
    return layout


def _check_names(layout: Layout) -> None:
    """A region's files lie in one folder."""
    for region in ("", *sorted(layout.regions)):  # "" for all that are not named
        told: set[str] = set()
        for file in layout.files:
            if file.is_for(region) and file.name.casefold() in told:
                raise ValueError(f"files: {file.name} is there twice{f' for {region}' if region else ''}; rename one")
            if file.is_for(region):
                told.add(file.name.casefold())


def _check_debtors(layout: Layout) -> None:
    for region, account in layout.debtors.items():
        for key, value in account.items():
            if not isinstance(value, str):
                raise ValueError(f"debtors: {region}: {key}: put {value!r} in quotes, or its zeros may be lost")
        for file in layout.files:
            if file.format == "zengin" and file.is_for(region):
                try:
                    zengin.header(account, date.min)
                except ValueError as error:
                    raise ValueError(f"debtors: {region}: {error}") from None


def check(layout: Layout, paid: Iterable[tuple[str, str]], regions: Iterable[str]) -> None:
    """Raises ValueError when the layout does not suit what is paid (region, incentive type) or policy's regions."""
    where = f"payouts.yml of {layout.program_id}"
    unknown = layout.regions - set(regions)
    if unknown:
        raise ValueError(
            f"{where}: {', '.join(sorted(unknown))} is no region of region_policies.csv; correct the code under "
            "debtors, recipients or by_region"
        )
    for region, incentive_type in sorted(paid):
        found = [f for f in layout.files if f.incentive_type == incentive_type and f.is_for(region)]
        tables = [file.name for file in found if file.format in TABLES]
        if not tables:
            raise ValueError(f"{where}: no CSV or XLSX file pays incentive_type {incentive_type} in {region}; add one")
        if len(tables) > 1:
            raise ValueError(
                f"{where}: {' and '.join(tables)} both pay incentive_type {incentive_type} in {region}, whose bank "
                "gets one; declare the other by_region"
            )
        if region not in layout.debtors and any(file.format == "zengin" for file in found):
            raise ValueError(
                f"{where}: debtors: lacks {region}, the account that pays, which format zengin needs; add it"
            )
