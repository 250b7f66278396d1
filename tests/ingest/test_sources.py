"""Declarations: what a good one says, and that a bad one is told where it is wrong."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tanso.ingest import ingest_source
from tanso.packs.sources import Column, SourceError, check, load_sources, read_source
from tanso.settings import PROJECT_ROOT, Home

GOOD: dict[str, Any] = {
    "source_id": "meters",
    "program_id": "a_town",
    "kind": "readings",
    "provider": "works",
    "pull": {"url": "inbox/meters", "pattern": "m_*.csv"},
    "read": {"format": "csv", "encoding": "cp949"},
    "columns": {
        "number": {"header": ["No", "Nr"], "required": True, "not_null": True},
        "usage_month": {"header": "Month", "required": True},
        "used": {"header": "Used"},
    },
    "options": {"meter": ["number"], "usages": [{"field": "used", "utility": "water", "unit": "m3", "max": 10}]},
}


def write(root: Path, declaration: Any, name: str = "meters", pack: str = "a_town") -> Path:
    path = root / pack / "sources" / f"{name}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(declaration if isinstance(declaration, str) else yaml.safe_dump(declaration), encoding="utf-8")
    return path


def with_key(key: str, value: Any) -> dict[str, Any]:
    """``GOOD`` with the value at a dotted key; ``...`` removes it."""
    declaration = yaml.safe_load(yaml.safe_dump(GOOD))
    *parents, last = key.split(".")
    place = declaration
    for parent in parents:
        place = place[parent]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return declaration


def test_a_declaration_is_read(tmp_path: Path) -> None:
    source = read_source(write(tmp_path, with_key("max_bad_ratio", 0.1)))
    assert (source.source_id, source.program_id, source.kind, source.provider) == (
        "meters",
        "a_town",
        "readings",
        "works",
    )
    assert (source.pull_url, source.pattern) == ("inbox/meters", "m_*.csv")
    assert (source.format, source.encoding, source.dates) == ("csv", "cp949", "plain")
    assert source.max_bad_ratio == Decimal("0.1")
    assert source.columns["number"] == Column(("No", "Nr"), required=True, not_null=True)
    assert source.columns["used"] == Column(("Used",))
    assert len(source.fingerprint) == 64


BAD = {
    "not YAML": ("a: [", ": is not YAML"),
    "a list": ("- a", ": must be a mapping"),
    "unknown key": (with_key("colour", "red"), ": colour: unknown key"),
    "unknown kind": (
        with_key("kind", "meters"),
        ": kind: must be readings, participants, slips, ",
    ),
    "another file": (with_key("source_id", "metres"), ": source_id: 'metres' is not the name of the file"),
    "another pack": (with_key("program_id", "b_town"), ": program_id: 'b_town' is not the name of the pack"),
    "no provider": (with_key("provider", ...), ": provider: is needed for kind readings"),
    "no place": (with_key("pull", ...), ": pull: is missing"),
    "no pattern": (with_key("pull.pattern", ...), ": pull.pattern: is missing"),
    "misspelt": (
        with_key("read.encodng", "x"),
        ": read.encodng: unknown key; did you mean encoding? Known are dates, ",
    ),
    "format": (with_key("read.format", "xls"), ": read.format: must be csv, xlsx or espi, not 'xls'"),
    "encoding": (with_key("read.encoding", "cp94x"), ": read.encoding: 'cp94x' is no encoding"),
    "dates": (with_key("read.dates", "era"), ": read.dates: must be plain, japanese or month_first, not 'era'"),
    "ratio": (with_key("max_bad_ratio", 5), ": max_bad_ratio: must be a fraction from 0 to 1, not 5"),
    "forbidden": (with_key("forbidden_columns", "x"), ": forbidden_columns: must be a list"),
    "field": (with_key("columns.row_no", {"header": "x"}), ": columns.row_no: is the row's own number"),
    "field of SQL": (
        with_key('columns.a", 1 as "b', {"header": "x"}),
        ': columns.a", 1 as "b: \'a", 1 as "b\' is not allowed',
    ),
    "no header": (with_key("columns.used", {"required": True}), ": columns.used.header: is missing"),
    "column's key": (
        with_key("columns.used.type", "x"),
        ": columns.used.type: unknown key; known are header, ",
    ),
    "flag": (with_key("columns.used.required", "yes"), ": columns.used.required: must be true or false"),
    "header twice": (with_key("columns.used.header", "Nr"), ": columns.used.header: 'Nr' is a header of number too"),
    "options": (with_key("options", "x"), ": options: must be a mapping"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_declaration_names_file_and_key(tmp_path: Path, case: str) -> None:
    declaration, message = BAD[case]
    path = write(tmp_path, declaration)
    with pytest.raises(SourceError) as raised:
        read_source(path)
    assert str(raised.value).startswith(f"{path}{message}")


OPTIONS = {
    "unknown": ("options.colour", 1, "options.colour: unknown key; known are customer_no_pattern, "),
    "no meter": ("options.meter", ..., "options.meter: is missing"),
    "meter": ("options.meter", ["nr"], "options.meter[0]: 'nr' is not a field of columns"),
    "no month": ("columns.usage_month", ..., "columns.usage_month: is missing"),
    "pattern": ("options.customer_no_pattern", "[", "options.customer_no_pattern: '[' is no regular expression"),
    "no usages": ("options.usages", [], "options.usages: must have at least one entry"),
    "usage": ("options.usages", [{"field": "used"}], "options.usages[0].utility: is missing"),
    "usage's field": (
        "options.usages",
        [{"field": "x", "utility": "water", "unit": "m3", "max": 1}],
        "options.usages[0].field: 'x' is not a field",
    ),
    "maximum": (
        "options.usages",
        [{"field": "used", "utility": "water", "unit": "m3", "max": "1"}],
        "options.usages[0].max: must be a whole number from 1 to 99,999,999, not '1'",
    ),
    "too large a maximum": (
        "options.usages",
        [{"field": "used", "utility": "water", "unit": "m3", "max": 100_000_000}],
        "options.usages[0].max: must be a whole number from 1 to 99,999,999, not 100000000",
    ),
    "twice": (
        "options.usages",
        [{"field": "used", "utility": "water", "unit": "m3", "max": 1}] * 2,
        "options.usages: a utility may be there once only",
    ),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_options_of_readings(tmp_path: Path, case: str) -> None:
    key, value, message = OPTIONS[case]
    path = write(tmp_path, with_key(key, value))
    source = read_source(path)
    with pytest.raises(SourceError) as raised:
        ingest_source(source, Home(tmp_path / "home"))
    assert str(raised.value).startswith(f"{path}: {message}")


def test_every_mistake_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    bad = with_key("read.encoding", "cp94x") | {"max_bad_raito": 0.1, "feedback_language": "e\u200bn"}
    bad["columns"]["used"] = {"header": "No", "not_null": 1}
    bad["columns"]["Used"] = 5
    bad["options"] = {"meter": ["numbr"], "usage": 1, "usages": [{"field": "used", "max": 0, "given_in": "L"}, 7]}
    path = write(tmp_path, bad)
    with pytest.raises(SourceError) as raised:
        read_source(path)
    assert [line.removeprefix(f"{path}: ") for line in str(raised.value).splitlines()] == [
        "feedback_language: 'e\\u200bn' has a character that is not seen, \\u200b; leave it out",
        "read.encoding: 'cp94x' is no encoding of text that Python knows",
        "columns.Used: 'Used' is not allowed; allowed: small letters, digits and _, at most 63 and a letter first",
        "columns.Used: must be a mapping, not 5",
        "columns.used.not_null: must be true or false, not 1",
        "max_bad_raito: unknown key; did you mean max_bad_ratio? Known are columns, feedback_language, "
        "forbidden_columns, forbidden_values, kind, max_bad_ratio, options, program_id, provider, pull, read, "
        "source_id, time_zone",
        "options.meter[0]: 'numbr' is not a field of columns; did you mean number?",
        "options.usages[0].utility: is missing",
        "options.usages[0].unit: is missing",
        "options.usages[0].max: must be a whole number from 1 to 99,999,999, not 0",
        "options.usages[1]: must be a mapping, not 7",
        "options.usage: unknown key; did you mean usages? Known are customer_no_pattern, estimated_values, max_days, "
        "meter, month_basis, period_end, usage_jump, usages, zero_is_missing",
    ]


def test_mistakes_of_options_stop_their_source_alone(tmp_path: Path) -> None:
    path = write(tmp_path, with_key("options.usages", []))
    (source,) = load_sources([tmp_path])
    with pytest.raises(SourceError, match=f"^{path}: options.usages: must have at least one entry$"):
        check(source)


def test_no_message_shows_what_stands_where_a_url_belongs(tmp_path: Path) -> None:
    for place in (["https://me:secret@a.example"], {"url": ["https://me:secret@a.example"], "pattern": "*"}):
        with pytest.raises(SourceError, match="pull.*: must be a (mapping|text)") as raised:
            read_source(write(tmp_path, with_key("pull", place)))
        assert "secret" not in str(raised.value)


KINDS = {
    "participants": (
        {"missing_rows": "gone", "metered_utilities": ["gas"], "slip_utilities": {"water": "used_watr"}},
        [
            "options.slip_utilities.water: 'used_watr' is not a field of columns; did you mean used_water?",
            "options.missing_rows: must be withdrawn or kept, not 'gone'",
            "options: needs participant_types (label -> type, class), or participant_type and participant_class",
            "options.payment_methods: is missing; metered_utilities need it",
            "columns.gas_provider: is missing; options.metered_utilities has gas",
            "columns.gas_method: is missing; options.metered_utilities has gas",
            "columns.gas_customer_no: is missing; options.metered_utilities has gas",
        ],
    ),
    "slips": (
        {"utilities": {"전기": {"utility": "a b", "max": True}}},
        [
            "options.utilities.전기.utility: 'a b' is not allowed; allowed: letters, digits, - and _, at most 64 and no"
            " sign first",
            "options.utilities.전기.max: must be a whole number above 0, not True",
            *(f"columns.{field}: is missing" for field in ("previous_usage", "usage", "usage_month", "utility")),
            "columns.used_water: is none of participant_id, previous_usage, usage, usage_month, utility",
        ],
    ),
    "applications": (
        {"sheets": {"gas": "x"}, "reports": {13: "used_water"}, "yes_no": {"Y": "yes"}},
        [
            "options.sheets.gas: 'x' is not a field of columns",
            "options.reports[13]: 13 is no month; a key must be a number from 1 to 12",
            "options.yes_no.Y: must be true or false, not 'yes'",
            "options.report_marks: is missing",
            *(f"columns.{field}: is missing" for field in ("application_id", "eco_marks", "fiscal_year", "prize_code")),
            "columns.received_on: is missing",
        ],
    ),
    "activities": (
        {"anything": 1},
        [
            "options.anything: unknown key; known are none",
            *(f"columns.{field}: is missing" for field in ("acted_on", "action_code", "quantity")),
        ],
    ),
    "returns": (
        {},
        ["options.blank_reason: is missing"]
        + [f"columns.{field}: is missing" for field in ("batch_id", "line_no", "reason")],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_options_of_other_kinds(tmp_path: Path, kind: str) -> None:
    options, messages = KINDS[kind]
    declared = with_key("kind", kind) | {"options": options}
    del declared["provider"]
    declared["columns"] = {"participant_id": {"header": "No"}, "used_water": {"header": "Used"}}
    path = write(tmp_path, declared)
    with pytest.raises(SourceError) as raised:
        check(read_source(path))
    assert [line.removeprefix(f"{path}: ") for line in str(raised.value).splitlines()] == messages


def test_sources_are_unique_over_packs(tmp_path: Path) -> None:
    write(tmp_path / "one", GOOD)
    write(tmp_path / "two", with_key("program_id", "b_town"), pack="b_town")
    assert [source.program_id for source in load_sources([tmp_path / "one"])] == ["a_town"]
    with pytest.raises(SourceError, match="source_id: 'meters' is declared in .*/a_town/sources/meters.yml too"):
        load_sources([tmp_path / "one", tmp_path / "two"])


def test_one_source_per_provider_and_utility(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, with_key("source_id", "more_meters"), name="more_meters")
    with pytest.raises(SourceError, match="meters.yml: provider: 'works' with utility 'water' is declared in"):
        load_sources([tmp_path])


def test_the_shipped_sources_suit_their_kinds() -> None:
    sources = load_sources([PROJECT_ROOT / "include" / "programs"])
    assert [source.source_id for source in sources] == [
        *("jp_actions", "jp_applications", "jp_meter_slips", "jp_opening_points", "jp_registrations"),
        *("kr_apartments", "kr_citygas", "kr_enrolments", "kr_kepco", "kr_returns", "kr_waterworks"),
    ]
    for source in sources:
        check(source)
