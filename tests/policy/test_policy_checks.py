"""A row that cannot hold stops loading, with file, row, column, value and what is allowed."""

from __future__ import annotations

import shutil

import pytest

from tanso.packs.policy import PolicyError, load_policy

KR = "kr_carbon_point"
JP = "jp_nakano_eco_point"


@pytest.mark.parametrize(
    ("table", "program", "line", "change", "expected"),
    [
        (
            "region_policies", KR, 5, {"won_per_point": "2.01"},
            "won_per_point '2.01': is out of range; allowed: above 0, at most 2 won per point",
        ),
        (
            "region_policies", KR, 5, {"won_per_point": "0"},
            "won_per_point '0': is out of range; allowed: above 0, at most 2 won per point",
        ),
        (
            "region_policies", KR, 5, {"won_per_point": "1.999"},
            "won_per_point '1.999': has too many decimals; allowed: 2",
        ),
        (
            "region_policies", KR, 5, {"won_per_point": ""},
            "won_per_point: is blank; allowed: above 0, at most 2 won per point",
        ),
        (
            "region_policies", KR, 5, {"utilities": "electricity heat"},
            "utilities 'electricity heat': is not allowed; allowed declared in utilities.csv: electricity, gas, water",
        ),
        (
            "region_policies", KR, 5, {"budget_won": "1,000"},
            "budget_won '1,000': is no whole number; allowed: digits without separators",
        ),
        (
            "region_policies", KR, 5, {"incentive_types": "cash", "default_incentive_type": "voucher"},
            "default_incentive_type 'voucher': is not offered; allowed: cash",
        ),
        (
            "region_policies", KR, 5, {"valid_from": "FY2018"},
            "valid_from 'FY2018': is no period of this programme; allowed: YYYYH1, YYYYH2, YYYYC",
        ),
        (
            "reduction_tiers", KR, 2, {"program_id": "kr_carbon"},
            "program_id 'kr_carbon': is not the pack's folder; allowed: kr_carbon_point",
        ),
        (
            "reduction_tiers", KR, 2, {"utility": "heat"},
            "utility 'heat': is not allowed; allowed declared in utilities.csv: electricity, gas, water",
        ),
        (
            "reduction_tiers", KR, 2, {"participant_class": "household"},
            "participant_class 'household': is not allowed; allowed named in period_rules.csv: business, complex,",
        ),
        (
            "reduction_tiers", KR, 2, {"rate_from": "5"},
            "rate_from '5': is out of range; allowed: a fraction from 0 to 1 (5 % is 0.05)",
        ),
        ("reduction_tiers", KR, 2, {"rate_from": "5%"}, "rate_from '5%': is no number; allowed: digits"),
        ("reduction_tiers", KR, 2, {"points": "-1"}, "points '-1': is too small; allowed: 0 or more"),
        ("reduction_tiers", KR, 2, {"points": ""}, "points: is blank; a value is needed"),
        ("reduction_tiers", KR, 2, {"valid_to": "2009H1"}, "valid_to '2009H1': is before valid_from 2009H2"),
        (
            "baseline_policies", KR, 2, {"baseline_anchor": "joining"},
            "baseline_anchor 'joining': is not allowed; allowed: enrolment, period_start",
        ),
        (
            "baseline_policies", KR, 2, {"gap_fill": "mean"},
            "gap_fill 'mean': is not allowed; allowed: mean_of_present, none",
        ),
        (
            "emission_factors", KR, 3, {"valid_from": "2022H2"},
            "valid_from '2022H2': is no month; allowed: YYYY-MM",
        ),
        ("excluded_tariffs", KR, 2, {"match": "regex"}, "match 'regex': is not allowed; allowed: exact, prefix"),
        (
            "enrolment_policies", KR, 2, {"login_id_pattern": "[a-z"},
            "login_id_pattern '[a-z': is no regular expression",
        ),
        ("unit_conversions", KR, 2, {"divide_by": "0"}, "divide_by '0': is out of range; allowed: above 0"),
        (
            "period_rules", KR, 2, {"months": "1 2 3 4 5 6 7"},
            "months '1 2 3 4 5 6 7': (7) outside the period; allowed: 1 to 6",
        ),
        ("period_rules", KR, 3, {"label": "YYYYH1"}, "label 'YYYYH1': is the label of"),
        ("period_rules", KR, 2, {"label": "H1"}, "label 'H1': has no year; allowed: a text with YYYY in it"),
        ("point_rules", JP, 2, {"netting": "sum"}, "netting 'sum': is not allowed; allowed: per_utility, total"),
        (
            "point_rules", JP, 2, {"kg_rounding": "half_even"},
            "kg_rounding 'half_even': is not allowed; allowed: floor, half_up, none",
        ),
        ("action_points", JP, 2, {"unit": "kg"}, "unit 'kg': is not allowed; allowed: hand_in, household, person"),
        (
            "action_points", JP, 2, {"days": "sunday"},
            "days 'sunday': is not allowed; allowed: fourth_tuesday, weekday",
        ),
        ("rank_awards", JP, 2, {"is_commended": "yes"}, "is_commended 'yes': is not allowed; allowed: false, true"),
        ("rank_awards", JP, 3, {"rank_from": "5"}, "rank_from '5': overlaps"),
        ("transition_rules", JP, 2, {"registered_until": "2018-03-32"}, "registered_until '2018-03-32': is no date"),
        (
            "explanations", KR, 2, {"template_en": "{points} points, {name}"},
            "template_en '{points} points, {name}': has unknown placeholders (name); allowed: actual,",
        ),
        ("programs", KR, 2, {"time_zone": "Asia/Seul"}, "time_zone 'Asia/Seul': is no time zone; allowed: an IANA"),
        ("programs", KR, 2, {"time_zone": ""}, "time_zone: is blank"),
        ("labels", KR, 2, {"kind": "meter"}, "kind 'meter': is not allowed; allowed: award_type,"),
    ],
)  # fmt: skip
def test_bad_values(packs, table, program, line, change, expected):
    packs.change(table, line, program, **change)
    wanted = f"{program}/policy/{table}.csv:{line} {expected}"
    assert any(problem.startswith(wanted) for problem in packs.problems()), packs.problems()


def test_every_problem_is_listed_in_file_and_row_order(packs):
    packs.change("reduction_tiers", 10, points="many")
    packs.change("reduction_tiers", 9, utility="heat")
    packs.change("region_policies", 2, won_per_point="3")
    with pytest.raises(PolicyError) as caught:
        packs.load()
    where = [problem.split(" ")[0] for problem in caught.value.problems]
    tiers = "kr_carbon_point/policy/reduction_tiers.csv"
    assert where == [f"{tiers}:9", f"{tiers}:10", "kr_carbon_point/policy/region_policies.csv:2"]
    assert str(caught.value).startswith("policy has 3 problem(s):\n  kr_carbon_point/policy/reduction_tiers.csv:9 ")


def test_overlapping_tiers(packs):
    """business-electricity-2009-05 is 5 to 10 %; made 5 to 11 % it overlaps the tier from 10 %."""
    packs.change("reduction_tiers", 23, rate_to="0.11")
    row = packs.rows("reduction_tiers")[23 - 2]
    assert (row["participant_class"], row["rate_from"]) == ("business", "0.05")
    expected = "reduction_tiers.csv:24 rate_from '0.100000': overlaps kr_carbon_point/policy/reduction_tiers.csv:23"
    assert any(expected in problem for problem in packs.problems()), packs.problems()


def test_tiers_that_hold_on_while_new_ones_begin(packs):
    """Without an end to the two-tier table, both tables would pay from 2020H1."""
    packs.change("reduction_tiers", 2, valid_to="")
    assert any("overlaps" in problem and "in the same periods" in problem for problem in packs.problems())


def test_gap_between_tiers(packs):
    packs.change("reduction_tiers", 2, rate_to="0.09")
    expected = (
        "kr_carbon_point/policy/reduction_tiers.csv:3 rate_from '0.100000': "
        "leaves a gap after kr_carbon_point/policy/reduction_tiers.csv:2, whose rate_to is 0.090000"
    )
    assert expected in packs.problems()


def test_overlapping_bands_of_complexes(packs):
    packs.change("complex_award_bands", 3, score_from="39")
    assert any("complex_award_bands.csv:3 score_from '39.000000': overlaps" in line for line in packs.problems())


def test_two_maintenance_rules_at_once(packs):
    line = packs.add("maintenance_rules", 2, rule_id="another", points="1")
    assert any(f"maintenance_rules.csv:{line} valid_from" in line_ for line_ in packs.problems()), packs.problems()


def test_duplicate_key(packs):
    line = packs.add("emission_factors", 2, kg_co2_per_unit="0.5")
    expected = (
        f"kr_carbon_point/policy/emission_factors.csv:{line} program_id utility valid_from "
        "'kr_carbon_point electricity 2000-01': is there twice; "
        "it stands at kr_carbon_point/policy/emission_factors.csv:2 too"
    )
    assert packs.problems() == [expected]


def test_duplicate_rule_id(packs):
    packs.change("standard_usage_rules", 3, rule_id=packs.rows("standard_usage_rules")[0]["rule_id"])
    assert any("standard_usage_rules.csv:3 program_id rule_id" in line for line in packs.problems())


def test_region_rows_of_two_kinds_must_not_begin_on_one_day(packs):
    """2019H2 and 2020C both begin in July 2019: which of them holds would be chance."""
    packs.add("region_policies", 5, valid_from="2019H2")
    packs.add("region_policies", 5, valid_from="2020C", won_per_point="1")
    assert any("region_policies.csv:7" in line and "is there twice" in line for line in packs.problems())


def test_baseline_series_are_per_class(packs):
    """A complex year and a half-year may begin on one day; two half-year rows of the same day may not."""
    packs.add("baseline_policies", 2, valid_from="2019H2", baseline_anchor="period_start")
    packs.add("baseline_policies", 3, valid_from="2020C", baseline_anchor="period_start")
    packs.load()
    packs.add("baseline_policies", 2, valid_from="2019H2", baseline_anchor="enrolment")
    assert any("baseline_policies.csv:6" in line and "is there twice" in line for line in packs.problems())


def test_unknown_table(packs):
    packs.file("reduction_tier").write_text("program_id\n", encoding="utf-8")
    (problem,) = packs.problems()
    assert problem.startswith("kr_carbon_point/policy/reduction_tier.csv: unknown policy table; allowed: programs.csv")


def test_missing_and_unknown_column(packs):
    text = packs.file("region_policies").read_text(encoding="utf-8")
    packs.file("region_policies").write_text(text.replace("region_name", "zone"), encoding="utf-8")
    missing, unknown = packs.problems()
    assert missing == "kr_carbon_point/policy/region_policies.csv:1 region_name: column is missing"
    assert unknown.startswith(
        "kr_carbon_point/policy/region_policies.csv:1 zone: unknown or repeated column; allowed: "
    )


def test_row_with_too_few_cells(packs):
    with packs.file("utilities").open("a", encoding="utf-8") as file:
        file.write("kr_carbon_point,heat\n")
    assert "kr_carbon_point/policy/utilities.csv:5: has 2 cells; allowed: 3, as in the header" in packs.problems()


def test_not_utf8(packs):
    packs.file("labels").write_bytes(packs.file("labels").read_text(encoding="utf-8").encode("cp949", "replace"))
    assert packs.problems() == ["kr_carbon_point/policy/labels.csv: is not UTF-8; save it as CSV UTF-8"]


def test_same_programme_in_two_folders(packs, tmp_path_factory):
    other = tmp_path_factory.mktemp("municipality")
    shutil.copytree(packs.root / KR, other / KR)
    with pytest.raises(PolicyError, match=f"{KR}: programme is in .* too; allowed: one folder each"):
        load_policy([packs.root, other])


def test_missing_root(tmp_path):
    with pytest.raises(PolicyError, match="nowhere: is no folder; allowed: a folder that holds packs"):
        load_policy([tmp_path / "nowhere"])


def test_columns_that_may_be_left_out(packs):
    """Files with the columns that every programme has, and no more, mean the shipped figures."""
    for table, names, program in (
        ("lottery_policies", ["program_id", "period_id", "seed", "winners"], JP),
        ("rank_awards", [name for name in packs.rows("rank_awards", JP)[0] if name != "award_type"], JP),
        ("maintenance_rules", [name for name in packs.rows("maintenance_rules")[0] if name != "streak_rate"], KR),
    ):
        packs.save(table, [{name: row[name] for name in names} for row in packs.rows(table, program)], program)
    assert packs.load().fingerprint == load_policy().fingerprint
