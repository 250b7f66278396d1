"""The reference of declarations is made of their models, and the schemas take what the models take."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tanso import cli
from tanso.packs.options import OPTIONS
from tanso.reports import schemas
from tanso.settings import PROJECT_ROOT
from tools.make_reference import PAGES, REFERENCE

PACKS = (PROJECT_ROOT / "include" / "programs", PROJECT_ROOT / "tests" / "packs")
SOURCES = [path for packs in PACKS for path in sorted(packs.glob("*/sources/*.yml"))]
LAYOUTS = [path for packs in PACKS for path in sorted(packs.glob("*/payouts.yml"))]


def as_json(path: Path) -> Any:
    return json.loads(json.dumps(yaml.safe_load(path.read_text("utf-8")), default=str))


def wrong(name: str, declared: Any) -> list[str]:
    schema = schemas.schemas()[name]
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(declared)]


def test_the_schemas_are_current(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """`.venv/bin/python -m tools.make_reference` makes them again."""
    assert cli.main(["schema", str(tmp_path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    for path in tmp_path.iterdir():
        jsonschema.Draft202012Validator.check_schema(json.loads(path.read_bytes()))
        assert path.read_bytes() == (REFERENCE / "schemas" / path.name).read_bytes()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_of_keys_are_current(page: Path) -> None:
    assert schemas.filled_in(page.read_text("utf-8")) == page.read_text("utf-8")


def test_every_table_is_on_a_page_and_every_key_says_what_it_is() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    for name, table in schemas.tables().items():
        assert f"<!-- keys: {name} -->\n\n{table}\n" in text
        assert not [line for line in table.splitlines() if line.endswith("|  |")]
    assert {name.removeprefix("options ") for name in schemas.tables()} >= {
        kind for kind, model in OPTIONS.items() if model.model_fields
    }


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_schema_takes_the_sources_and_no_slip(path: Path) -> None:
    declared = as_json(path)
    assert wrong("source.schema.json", declared) == []
    for where, value in ((("colour",), 1), (("read", "encodng"), "x"), (("kind",), "x"), (("options", "colour"), 1)):
        slip = copy.deepcopy(declared)
        place = slip
        for part in where[:-1]:
            place = place.setdefault(part, {})
        place[where[-1]] = value
        assert wrong("source.schema.json", slip), where


@pytest.mark.parametrize("path", LAYOUTS, ids=lambda path: path.parent.name)
def test_the_schema_takes_the_layouts_and_no_slip(path: Path) -> None:
    declared = as_json(path)
    assert wrong("payouts.schema.json", declared) == []
    name = next(iter(declared["files"]))
    for key, value in (("rows", "x"), ("colums", {}), ("template", "x"), ("columns", {"a": "no_such_field"})):
        slip = copy.deepcopy(declared)
        slip["files"][name][key] = value
        assert wrong("payouts.schema.json", slip), key
