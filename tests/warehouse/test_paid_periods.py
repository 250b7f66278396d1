"""Periods that were paid must stay known to policy: renamed, they would be paid again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tanso.packs import load_policy
from tanso.settings import PROJECT_ROOT, Home
from tanso.warehouse import paid_periods
from tests import built

KR = "kr_carbon_point"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Batches of 2021H1 and 2021C, told by their folders; published marts that know one of them."""
    home = Home(tmp_path / "home")
    for period_id in ("2021H1", "2021C"):
        (home.exports / KR / period_id / f"{period_id}-001").mkdir(parents=True)
    with built.changed(home) as connection:
        connection.execute("create schema tanso.marts")
        connection.execute(
            "create table tanso.marts.dim_periods (program_id varchar, period_id varchar, starts_on date)"
        )
        connection.execute("insert into tanso.marts.dim_periods values (?, '2021H1', '2021-01-01')", [KR])
    return home


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    shipped = PROJECT_ROOT / "include" / "programs" / KR
    shutil.copytree(shipped, tmp_path / "packs" / KR, ignore=shutil.ignore_patterns("sample"))
    return tmp_path / "packs"


def test_shipped_policy_knows_its_periods(home, packs):
    paid_periods.check(home, load_policy([packs]))


def test_a_renamed_period_is_named_with_the_labels(home, packs):
    rules = packs / KR / "policy" / "period_rules.csv"
    rules.write_text(rules.read_text("utf-8").replace("YYYYH1", "YYYYS1"), "utf-8")
    for path in (packs / KR / "policy").glob("*.csv"):
        path.write_text(path.read_text("utf-8").replace("H1,", "S1,"), "utf-8")
    with pytest.raises(paid_periods.PeriodUnknown, match="periods 2021H1 of kr_carbon_point, .* YYYYC, YYYYH2, YYYYS1"):
        paid_periods.check(home, load_policy([packs]))


def test_a_label_that_now_means_other_months_is_named(home, packs):
    policy = load_policy([packs])
    other = {"YYYYH1": "YYYYH2", "YYYYH2": "YYYYH1"}
    swapped = [row | {"label": other.get(row["label"], row["label"])} for row in policy.rows("period_rules")]
    policy = replace(policy, tables=policy.tables | {"period_rules": swapped})
    with pytest.raises(paid_periods.PeriodUnknown, match="2021H1 .* began on 2021-01-01 when .* begins on 2021-07-01"):
        paid_periods.check(home, policy)


def test_a_programme_of_the_ledger_without_a_pack_is_named(home, packs):
    (packs / KR).rename(packs / "kr_carbon")
    for path in (packs / "kr_carbon" / "policy").glob("*.csv"):
        path.write_text(path.read_text("utf-8").replace(KR, "kr_carbon"), "utf-8")
    with pytest.raises(paid_periods.PeriodUnknown, match="kr_carbon_point, periods 2021C, 2021H1, .* kr_carbon:"):
        paid_periods.check(home, load_policy([packs]))
