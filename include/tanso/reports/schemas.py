"""What declarations may say, made of their models: JSON Schemas for editors, tables of keys for the documentation."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import Field, TypeAdapter, create_model

from tanso.packs.declaration import Declaration
from tanso.packs.models import Model
from tanso.packs.options import OPTIONS
from tanso.payouts.files.file_models import FIELDS, AnyFile, Column
from tanso.payouts.files.layouts import Payouts
from tanso.shown import json_text

# What stands for the key of a mapping in a table of keys.
_ANY = {"columns": "<field>", "debtors": "<region>"}


def write(folder: Path) -> list[Path]:
    """Write the JSON Schemas of both kinds of declarations into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (folder / name).write_text(json_text(schema) + "\n", "utf-8")
    return [folder / name for name in schemas()]


def schemas() -> dict[str, dict[str, Any]]:
    """File name -> JSON Schema."""
    return {
        "source.schema.json": _schema("A source: sources/<source_id>.yml of a pack", _any_source()),
        "payouts.schema.json": _schema("The payout files of a programme: payouts.yml of its pack", Payouts),
    }


def _any_source() -> Any:
    """A declaration by its kind."""
    return Annotated[reduce(or_, [_source_of(kind) for kind in OPTIONS]), Field(discriminator="kind")]


def _source_of(kind: str) -> Any:
    """The model of a declaration with the options of its kind."""
    described = Declaration.model_fields
    options = OPTIONS[kind]
    is_needed = any(field.is_required() for field in options.model_fields.values())
    given: dict[str, Any] = {} if is_needed else {"default": None}
    provider: Any = (str, Field(description=described["provider"].description))
    return create_model(
        f"{options.__name__}Source",
        __base__=Declaration,
        kind=(Literal[kind], Field(description=described["kind"].description)),
        provider=provider if kind == "readings" else (Literal[None], None),
        options=(options, Field(description=described["options"].description, **given)),
    )


def _schema(title: str, model: Any) -> dict[str, Any]:
    schema = _plain(TypeAdapter(model).json_schema())
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **schema}


def _plain(value: Any, is_named: bool = False) -> Any:
    """A schema without what only repeats names, defaults of None, and keys that are nothing but None.

    ``is_named``: its keys are names of the declaration, not of the schema.
    """
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for key, part in value.items():
        if not is_named and (key in ("title", "discriminator") or (key == "default" and part is None)):
            continue
        if is_named and isinstance(part, dict) and part.get("type") == "null":
            continue
        found[key] = _plain(part, is_named=not is_named and key in ("properties", "$defs"))
    return found


def tables() -> dict[str, str]:
    """Name -> table of keys in Markdown, as the documentation has it."""
    found = {"source": _table(_rows(Declaration))}
    found |= {f"options {kind}": _table(_rows(model, "")) for kind, model in OPTIONS.items() if model.model_fields}
    found["payouts"] = _table(_rows(Payouts))
    found["file"] = _table(_rows(AnyFile))
    found["column"] = _table(_rows(Column))
    found["fields"] = "\n".join(
        ["| rows | fields |", "|---|---|", *(f"| `{rows}` | {', '.join(fields)} |" for rows, fields in FIELDS.items())]
    )
    return found


def _table(rows: Iterator[tuple[str, str, str]]) -> str:
    return "\n".join(
        ["| key | | meaning |", "|---|---|---|", *(f"| `{key}` |{need} | {text} |" for key, need, text in rows)]
    )


def _rows(model: type[Model], under: str = "") -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        key = under + (field.alias or name)
        inner, below = _inside(field.annotation, name)
        if below != "." or not field.is_required():  # else the keys below it say it all
            yield key, " needed" if field.is_required() else "", field.description or ""
        if inner is not None and name != "files":
            yield from _rows(inner, key + below)


def _inside(annotation: Any, name: str) -> tuple[type[Model] | None, str]:
    """The model within a type, and what stands between its key and theirs."""
    origin = get_origin(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation, "."
    if origin is Annotated:
        return _inside(get_args(annotation)[0], name)
    if origin is list:
        return _inside(get_args(annotation)[0], name)[0], "[]."
    if origin is dict:
        return _inside(get_args(annotation)[1], name)[0], f".{_ANY.get(name, '<label>')}."
    return None, ""


def filled_in(page: str) -> str:
    """A page of the documentation with its tables of keys as they are now.

    They stand between ``<!-- keys: <name> -->`` and ``<!-- end of keys -->``.
    """
    for name, table in tables().items():
        head, start, rest = page.partition(f"<!-- keys: {name} -->\n")
        if start:
            _, end, tail = rest.partition("<!-- end of keys -->")
            page = f"{head}{start}\n{table}\n\n{end}{tail}"
    return page
