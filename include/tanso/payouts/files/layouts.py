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
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo, WrapValidator

from tanso import settings
from tanso.files import file_sha256
from tanso.packs import models, yaml_files
from tanso.packs.layout_files import layout_files
from tanso.packs.models import Label, Mistake, Model, OrAbsent, OrEmptyMapping, shown, whole, wrong, wrongs
from tanso.payouts.files import declared_files, zengin
from tanso.payouts.files.declared_files import LISTS, TABLES, File, read_files
from tanso.payouts.files.file_models import AnyDeclared, Encoding
from tanso.payouts.files.seal import Seal, recipient
from tanso.shown import escaped

DEFAULT = Path(__file__).with_name("default.yml")

_MOST_DAYS = 60  # from issue to transfer


def _quoted(value: Any) -> str:
    if not isinstance(value, str):
        raise wrong(f"put {shown(value)} in quotes, or its zeros may be lost")
    return value


def _keys(value: Any) -> list[str]:
    found = []
    for number, key in enumerate(value if isinstance(value, list) else [value]):
        try:
            recipient(key)
        except ValueError as error:
            found.append((f"[{number}]" if isinstance(value, list) else "", str(error)))
    if found:
        raise wrongs(found)
    if not value:
        raise wrong("has no key; nobody could open its files")
    return value if isinstance(value, list) else [value]


def _files(value: Any, handler: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, dict):
        raise wrong(f"must be a mapping, not {shown(value)}")
    encoding = info.data.get("encoding")
    folder = info.context
    assert isinstance(folder, Path)  # what load_layout gives
    found = [
        mistake
        for name, declared in value.items()
        for mistake in declared_files.mistakes(name, declared, folder, encoding)
    ]
    if found:
        raise wrongs(found)
    return value


_Quoted = Annotated[str, BeforeValidator(_quoted)]


class Debtor(Model):
    """The account that pays, of a region."""

    bank_code: OrAbsent[_Quoted] = Field(
        default=None, description="its bank; `NOTPROVIDED` stands in pain.001 without it"
    )
    account_no: OrAbsent[_Quoted] = Field(
        default=None, description="its number; `NOTPROVIDED` stands in pain.001 without it"
    )
    consignor_code: OrAbsent[_Quoted] = Field(default=None, description="`zengin`, where it is needed: 10 digits")
    consignor_name: OrAbsent[_Quoted] = Field(default=None, description="`zengin`, where it is needed: kana")
    branch_code: OrAbsent[_Quoted] = Field(default=None, description="`zengin`, where it is needed: 3 digits")
    account_type: OrAbsent[_Quoted] = Field(
        default=None, description="`zengin`, where it is needed: `1` ordinary, `2` current, `9` other"
    )
    bank_name: OrAbsent[_Quoted] = Field(default=None, description="`zengin`: kana")
    branch_name: OrAbsent[_Quoted] = Field(default=None, description="`zengin`: kana")


class Payouts(Model):
    """``payouts.yml``."""

    encoding: Encoding = Field(
        description="of the CSV files: `cp949`, `cp932`, `utf-8`, `utf-8-sig` (with the mark that spreadsheets "
        "look for) …"
    )
    transfer_note: Label = Field(description="the field `transfer_note`; `{period_id}` stands for the period")
    transfer_days: whole(f" up to {_MOST_DAYS}", 0, _MOST_DAYS) = Field(  # type: ignore[valid-type]
        default=0,
        description="working days (Monday to Friday) from the day of issue (in the programme's time zone) to "
        "`transfer_on`; 0 unless set",
    )
    debtors: Annotated[dict[Label, Debtor], OrEmptyMapping] = Field(
        default={}, description="region → the account that pays"
    )
    recipients: Annotated[dict[Label, Annotated[list[str], BeforeValidator(_keys)]], OrEmptyMapping] = Field(
        default={}, description="region → public key of age, or a list of them"
    )
    files: Annotated[dict[str, AnyDeclared], WrapValidator(_files)] = Field(  # type: ignore[valid-type]  # made at run time
        description="file name → declaration; `{ranking_id}` in a name makes a file per ranking. A plain name of "
        "letters, digits, `-`, `_`, and `.`, `( )` and spaces within: no folder, none of a batch's own files, each "
        "once per region"
    )

    @classmethod
    def across(cls, sound: Mapping[Any, Any], given: Set[Any], context: Path) -> Iterator[Mistake]:
        if "files" not in sound or "encoding" not in sound:
            return
        files = _read(sound, context)
        regions = {str(region) for key in ("debtors", "recipients") for region in sound.get(key) or {}}
        yield from _repeated(files, regions | {region for file in files for region in file.only})
        for region, account in (sound.get("debtors") or {}).items():
            if any(file.format == "zengin" and file.is_for(str(region)) for file in files):
                for key, message in zengin.mistakes(account):
                    yield f"debtors.{escaped(str(region))}.{key}", message


def _read(declared: Mapping[Any, Any], folder: Path) -> tuple[File, ...]:
    encoding = declared["encoding"]
    return tuple(file for name, spec in declared["files"].items() for file in read_files(name, spec, folder, encoding))


def _repeated(files: Iterable[File], regions: Iterable[str]) -> Iterator[Mistake]:
    """A region's files lie in one folder."""
    for region in ("", *sorted(regions)):  # "" for all that are not named
        known: set[str] = set()
        for file in files:
            if file.is_for(region) and file.name.casefold() in known:
                yield "files", f"{file.name} is there twice{f' for {region}' if region else ''}; rename one"
            if file.is_for(region):
                known.add(file.name.casefold())


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
    except ValueError as error:
        raise ValueError(models.listed(path, [("", str(error))])) from None
    found = models.unseen(declared)
    odd = {key for key, _ in found}
    found += [mistake for mistake in models.mistakes(Payouts, declared, path.parent) if mistake[0] not in odd]
    if found:
        raise ValueError(models.listed(path, found))
    files = _read(declared, path.parent)
    recipients = declared.get("recipients") or {}
    return Layout(
        program_id,
        declared["encoding"],
        str(declared["transfer_note"]),
        {str(region): account for region, account in (declared.get("debtors") or {}).items()},
        files,
        declared.get("transfer_days", 0),
        Seal({str(region): keys if isinstance(keys, list) else [keys] for region, keys in recipients.items()}),
        _sha256(path, files),
    )


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
