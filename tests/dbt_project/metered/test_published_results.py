"""What the programme and municipalities have published comes out of the shipped policy and the rules."""

from __future__ import annotations

from decimal import Decimal

import pytest


@pytest.mark.parametrize(
    ("period", "region", "kg", "tonnes"),
    [
        # 272,000 x 0.4781 + 196 x 0.237 + 443 x 2.176; published 131 t
        ("2023H2", "48170", "131053.62", 131),
        # 17,822,000 x 0.424 + 928,000 x 0.332; published 7,887 t with gas, which is not itemised: 22 t or 0.3 % are gas
        ("2018H1", "43110", "7864624", 7865),
    ],
)
def test_co2_of_a_municipality(query, period, region, kg, tonnes):
    sql = (
        "select co2_reduction_kg, cast(round(co2_reduction_kg / 1000) as integer) from marts.agg_region_results "
        "where program_id = 'published' and utility = 'all' and period_id = ? and region_code = ?"
    )
    assert query(sql, period, region) == [(Decimal(kg), tonnes)]


@pytest.mark.parametrize(
    ("who", "year", "won"),
    [
        ("individual", "2018", 70_000),  # (10,000 + 1,500 + 6,000) x 2 x 2
        ("individual", "2021", 100_000),  # (15,000 + 2,000 + 8,000) x 2 x 2
        ("individual", "2023", 100_000),
        ("commercial", "2018", 70_000),
        ("commercial", "2021", 100_000),
        ("commercial", "2023", 400_000),
    ],
)
def test_yearly_cap(query, who, year, won):
    sql = (
        "select cast(sum(amount) as bigint), count(*) from marts.fct_payouts "
        "where program_id = 'caps' and participant_id = ? and left(period_id, 4) = ?"
    )
    assert query(sql, who, year) == [(won, 2)]
