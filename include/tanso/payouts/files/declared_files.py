"""Declarations of payout files in ``payouts.yml``: what each shows, for which regions; see ``layouts.py``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tanso.packs import models, names
from tanso.packs.models import Mistake, shown
from tanso.payouts.files.file_models import Column, model_of
from tanso.shown import escaped

# rows of a file -> the list that it brings
LISTS = {"notices": "notices", "winners": "lottery", "rankings": "ranking"}
# Formats that a payout's sums are read back from.
TABLES = ("csv", "xlsx")
# Keys that a region may leave out with a blank, for a format that takes none.
_BLANKABLE = ("incentive_type", "columns", "template", "font")


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


@dataclass(frozen=True)
class _Variant:
    """A file as most regions get it, or as those ``only`` do, who want the same."""

    key: str  # below ``files``
    name: Any
    spec: dict[str, Any]
    only: frozenset[str] = frozenset()
    but: frozenset[str] = frozenset()


def _variants(name: Any, declared: Mapping[str, Any], encoding: str | None) -> Iterator[_Variant]:
    spec = {"encoding": encoding, **declared} if encoding else dict(declared)
    by_region = spec.pop("by_region", None) or {}
    changes = {str(region): change for region, change in by_region.items()} if isinstance(by_region, dict) else {}
    key = escaped(str(name))
    yield _Variant(key, name, _filled(spec), but=frozenset(changes))
    alike: dict[str, list[str]] = {}
    for region, change in changes.items():
        if isinstance(change, dict):
            alike.setdefault(repr(change), []).append(region)
    for regions in alike.values():
        changed = {**spec, **changes[regions[0]]}
        where = f"{key}.by_region.{escaped(regions[0])}"
        yield _Variant(where, changed.pop("name", name), _filled(changed), only=frozenset(regions))


def _filled(spec: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in spec.items() if value or key not in _BLANKABLE}


def read_files(name: str, declared: Mapping[str, Any], folder: Path, encoding: str) -> Iterator[File]:
    """The file of most regions, and those of the regions that want it otherwise, each with all that want the same;
    of a declaration without ``mistakes``."""
    for variant in _variants(name, declared, encoding):
        spec: Any = model_of(variant.spec).model_validate(variant.spec, context=folder)
        yield File(
            variant.name,
            spec.rows,
            getattr(spec, "incentive_type", None),
            spec.format,
            dict(getattr(spec, "columns", {})),
            spec.encoding,
            spec.header,
            spec.line_ends,
            getattr(spec, "template", None),
            getattr(spec, "font", None),
            variant.only,
            variant.but,
        )


def mistakes(name: Any, declared: Any, folder: Path, encoding: str | None) -> Iterator[Mistake]:
    """Every mistake of a file's declaration, by the key below ``files``; those of all regions once."""
    if not isinstance(declared, dict):
        yield escaped(str(name)), f"must be a mapping, not {shown(declared)}"
        return
    known: set[Mistake] = set()
    for variant in _variants(name, declared, encoding):
        if not variant.only:
            variant.spec["by_region"] = declared.get("by_region")
        elif "by_region" in variant.spec:
            yield f"{variant.key}.by_region", "is for files, not for regions"
            continue
        found = [*models.mistakes(model_of(variant.spec), variant.spec, folder), *_of_name(variant)]
        for key, message in found:
            if (key, message) not in known:
                # A file's name is its key; that of a region stands at one.
                yield models.joined(variant.key, "" if key == "name" and not variant.only else key), message
        known.update(found)


def _of_name(variant: _Variant) -> Iterator[Mistake]:
    try:
        name = names.file_name(variant.name)
    except ValueError as error:
        yield "name", f"{shown(variant.name)} {error}"
        return
    if (names.RANKING in name) != (variant.spec.get("rows") == "rankings"):
        yield "name", f"{names.RANKING} must be in the name where rows are rankings, and nowhere else"
