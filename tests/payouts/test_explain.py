"""From a payout back to the file that a reading came in."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import duckdb
import pytest

from include.payouts.explain import explain
from tests.payouts.conftest import KR, House


def test_a_payout_leads_back_to_rule_months_and_files(house: House):
    house.money("Q1", 10_000)
    home = house.publish()
    with duckdb.connect(str(home.database)) as marts:
        key = "program_id varchar, period_id varchar, participant_id varchar, utility varchar"
        marts.execute(
            f"""
            create table marts.fct_payout_lines ({key}, batch_id varchar, line_no integer);
            create table marts.fct_reductions ({key}, status varchar, reduction decimal(18, 6));
            create table marts.fct_monthly_comparisons ({key}, usage_month date, status varchar);
            create table marts.fct_monthly_usage ({key}, usage_month date, usage decimal(18, 3), is_estimated boolean,
                source_file_id varchar);
            create table marts.dq_files (file_name varchar, sha256 varchar, status varchar);
            create table policy.reduction_tiers (rule_id varchar, program_id varchar, points bigint);
            insert into marts.fct_reductions values ('{KR}', '2020H2', 'Q1', 'electricity', 'evaluated', 120);
            insert into marts.fct_monthly_usage values
                ('{KR}', '2020H2', 'Q1', 'electricity', '2020-07-01', 380, false, 'aa'),
                ('{KR}', '2020H2', 'Q1', 'electricity', '2021-01-01', 400, false, 'bb');
            insert into marts.dq_files values ('kepco_2020.csv', 'aa', 'accepted'), ('again.csv', 'aa', 'duplicate');
            insert into policy.reduction_tiers values ('r1', '{KR}', 10000), ('r1', 'another', 5);
            """
        )
    (found,) = explain(home, "Q1", "2020H2")
    assert found["payout"]["amount"] == 20_000 and found["lines"] == []
    (award,) = found["awards"]
    assert award["points"] == 10_000 and award["certified_on"] == date(2021, 6, 1)
    assert award["rule"] == {"table": "reduction_tiers", "rule_id": "r1", "program_id": KR, "points": 10_000}
    assert [row["reduction"] for row in found["reductions"]] == [Decimal("120.000000")]
    # What was read after the period is no part of it.
    assert [(row["usage"], row["file_name"]) for row in found["readings"]] == [(Decimal("380.000"), "kepco_2020.csv")]


def test_who_is_not_known_is_said_so(house: House):
    home = house.publish()
    with pytest.raises(ValueError, match="Nothing is known of participant 'Q9' in period '2020H2'"):
        explain(home, "Q9", "2020H2")
