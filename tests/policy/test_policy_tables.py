"""Typed values, derived columns, the fingerprint and the tables in DuckDB."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import duckdb
import pytest

from tanso.packs.policy import load_policy
from tanso.packs.tables import TABLES
from tanso.packs.values import add_months
from tanso.settings import PROJECT_ROOT

KR = "kr_carbon_point"
JP = "jp_nakano_eco_point"


def test_tables_and_columns_are_those_of_the_reference():
    text = (PROJECT_ROOT / "docs" / "reference" / "policy.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `([a-z_]+)` \| [^|]+ \| ([^|]+) \|$", text, re.MULTILINE)
    assert {name: columns.replace(",", "").split() for name, columns in lines} == {
        name: table.column_names for name, table in TABLES.items()
    }


@pytest.mark.parametrize(
    ("year", "offset", "first_day"),
    [
        (2021, 1, date(2021, 1, 1)),
        (2021, 12, date(2021, 12, 1)),
        (2021, 13, date(2022, 1, 1)),
        (2021, 18, date(2022, 6, 1)),
        (2021, 0, date(2020, 12, 1)),
        (2021, -5, date(2020, 7, 1)),
    ],
)
def test_offsets_from_january(year, offset, first_day):
    assert add_months(year, offset) == first_day


def test_types_and_derived_columns(packs):
    packs.add("region_policies", 5, valid_from="2021C", won_per_point="1.5", budget_won="1000")
    policy = packs.load()
    row = next(row for row in policy.rows("region_policies", KR) if row["valid_from"] == "2021C")
    assert row["won_per_point"] == Decimal("1.50")
    assert row["budget_won"] == 1000
    assert row["default_incentive_type"] is None
    assert (row["valid_from_on"], row["valid_from_kind"]) == (date(2020, 7, 1), "C")

    tier = next(row for row in policy.rows("reduction_tiers", KR) if row["rule_id"] == "individual-gas-2009-05")
    assert (tier["rate_from"], tier["rate_to"], tier["points"]) == (Decimal("0.05"), Decimal("0.10"), 3000)
    assert (tier["valid_from_on"], tier["valid_to_on"]) == (date(2009, 7, 1), date(2019, 7, 1))

    factor = next(row for row in policy.rows("emission_factors", JP) if row["utility"] == "gas")
    assert (factor["kg_co2_per_unit"], factor["valid_from_on"]) == (Decimal("2.21"), date(2018, 4, 1))
    assert "valid_from_kind" not in factor
    assert policy.rows("point_rules", JP)[0]["valid_from_on"] == date(2018, 4, 1)
    assert policy.rows("transition_rules", JP)[0]["registered_until"] == date(2018, 3, 31)
    assert policy.programs == [JP, KR]


def test_every_table_is_in_duckdb_typed_and_without_floating_point(packs):
    packs.file("reduction_tiers").unlink()
    connection = duckdb.connect()
    policy = packs.load()
    policy.write(connection)
    policy.write(connection)  # again: replaces, does not add
    found = dict(
        connection.execute(
            "select table_name, list(column_name || ' ' || data_type order by column_index) "
            "from duckdb_columns() where schema_name = 'policy' group by all"
        ).fetchall()
    )
    assert found == {name: [f"{c} {kind}" for c, kind in table.types.items()] for name, table in TABLES.items()}
    assert not any("DOUBLE" in column or "FLOAT" in column for columns in found.values() for column in columns)
    assert connection.execute("select count(*) from policy.reduction_tiers").fetchone() == (0,)
    assert connection.execute(
        "select name_local, retention_years from policy.programs order by program_id"
    ).fetchall() == [("なかのエコポイント CO2削減コース", 5), ("탄소포인트제", 5)]
    assert connection.execute(
        "select kg_co2_per_unit from policy.emission_factors "
        "where program_id = 'kr_carbon_point' and utility = 'electricity' order by valid_from_on"
    ).fetchall() == [(Decimal("0.424000"),), (Decimal("0.478100"),)]


def test_fingerprint_is_of_the_contents(packs):
    before = packs.load().fingerprint
    rows = packs.rows("reduction_tiers")
    packs.save("reduction_tiers", rows[::-1])  # another order
    text = packs.file("labels").read_text(encoding="utf-8")
    packs.file("labels").write_text(text.replace("\n", "\r\n"), encoding="utf-8-sig", newline="")  # as Excel saves it
    packs.change("region_policies", 5, won_per_point="2.00", utilities=" electricity  water gas ")
    assert packs.load().fingerprint == before
    packs.change("region_policies", 5, won_per_point="1.99")
    assert packs.load().fingerprint != before


def test_tariffs_are_compared_as_those_of_readings_are(packs):
    packs.change("excluded_tariffs", 3, tariff="심야 전력（을）")  # folded, without spaces
    assert packs.load().rows("excluded_tariffs", KR)[1]["tariff"] == "심야전력(을)"


def test_the_order_of_classes_in_a_list_means_nothing(packs):
    packs.change("period_rules", 2, participant_classes="business individual")
    rules = {row["period_kind"]: row["participant_classes"] for row in packs.load().rows("period_rules", KR)}
    assert rules["H1"] == rules["H2"]  # baseline_policies hold for all kinds of the same classes


def test_a_removed_row_changes_the_fingerprint(packs):
    before = packs.load().fingerprint
    packs.save("excluded_tariffs", packs.rows("excluded_tariffs")[:-1])
    assert packs.load().fingerprint != before


def test_a_folder_without_policy_or_sources_is_no_pack(packs):
    (packs.root / "drafts").mkdir()
    (packs.root / "other" / "sources").mkdir(parents=True)
    assert packs.load().programs == [JP, KR]
    assert packs.load().fingerprint == load_policy([packs.root]).fingerprint


def test_the_examples_of_the_packs_readmes_load(packs):
    """What the READMEs tell a municipality to add can be added as it stands."""
    for program, table in ((KR, "region_policies"), (JP, "point_rules")):
        readme = (PROJECT_ROOT / "include" / "programs" / program / "README.md").read_text(encoding="utf-8")
        (line,) = re.findall(rf"^{program},.*$", readme, re.MULTILINE)
        with packs.file(table, program).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    policy = packs.load()
    jinju = [row for row in policy.rows("region_policies", KR) if row["region_code"] == "48170"]
    assert [row["won_per_point"] for row in jinju] == [Decimal("2.00"), Decimal("1.50")]
    assert [row["points_per_kg"] for row in policy.rows("point_rules", JP)] == [20, 25]
