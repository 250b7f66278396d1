"""What must not change, or only one way, when a world changes: many generated worlds and their changes in one build."""

from __future__ import annotations

import random

import pytest

from tests import built
from tests.dbt_project.metered.world import build
from tests.metamorphic import worlds

WORLDS = 6
MARTS = (
    "dim_participants", "fct_monthly_usage", "fct_reductions", "fct_monthly_comparisons", "fct_point_awards",
    "fct_rankings", "fct_payouts", "agg_region_results", "dq_unmatched_meters", "dq_policy_gaps",
)  # fmt: skip


@pytest.fixture(scope="module")
def query(tmp_path_factory):
    """``query(sql)``: rows of the build. Programmes are called w<number>_<what was done to it>."""
    found = worlds.generated(WORLDS)
    programmes = []
    for number, world in enumerate(found):
        stranger = found[number - 1][0]
        programmes += [
            worlds.programme(f"w{number}_plain", world),
            worlds.programme(f"w{number}_shuffled", world, random.Random(number)),
            worlds.programme(f"w{number}_scaled", worlds.scaled(world)),
            worlds.programme(f"w{number}_saving", worlds.saving_more(world, "0.9")),
            worlds.programme(f"w{number}_halving", worlds.saving_more(world, "0.45")),
            worlds.programme(f"w{number}_joined", worlds.joined_by(world, stranger)),
        ]
    connection = built.connect(build(tmp_path_factory.mktemp("metamorphic"), programmes))
    yield lambda sql: connection.execute(sql).fetchall()
    connection.close()


def of(change: str, sql: str) -> str:
    """The query's rows (of a mart ``m``) of the worlds after a change, with the world in place of the programme."""
    return (
        f"select replace(program_id, '_{change}', '') as world, * exclude (program_id) "
        f"from ({sql}) where ends_with(program_id, '_{change}')"
    )


def differences(query, first: str, second: str, sql: str) -> list[tuple]:
    """Rows that only one of two changes has."""
    one, other = of(first, sql), of(second, sql)
    return query(f"(({one}) except all ({other})) union all (({other}) except all ({one})) limit 5")


def test_the_worlds_reach_the_rules(query):
    """Otherwise what follows proves nothing."""
    statuses = {status for (status,) in query("select distinct status from marts.fct_reductions")}
    assert statuses >= {"evaluated", "withdrawn", "joined_during_period", "tariff_excluded", "usage_missing"}
    kinds = {kind for (kind,) in query("select distinct award_type from marts.fct_point_awards")}
    assert kinds == {"reduction", "maintenance", "standard_usage"}
    assert query("select count(distinct rule_id) > 12 from marts.fct_point_awards") == [(True,)]
    assert query("select count(*) > 0 from marts.fct_payouts where won_per_point < 2 and status = 'payable'") == [
        (True,)
    ]
    ties = "select 1 from marts.fct_rankings group by program_id, period_id, region_code, participant_class, score"
    assert len(query(f"{ties} having count(*) > 1")) > WORLDS
    assert query("select count(distinct program_id) from marts.fct_reductions") == [(6 * WORLDS,)]


@pytest.mark.parametrize("mart", MARTS)
def test_the_order_of_rows_changes_nothing(query, mart):
    assert differences(query, "plain", "shuffled", f"select * from marts.{mart}") == []


def test_scaling_a_members_usage_changes_no_rate(query):
    columns = "program_id, period_id, participant_id, utility, status, months_evaluated, reduction_rate"
    assert differences(query, "plain", "scaled", f"select {columns} from marts.fct_reductions") == []


def test_scaling_a_members_usage_changes_no_award_by_rate(query):
    columns = "program_id, period_id, participant_id, utility, award_type, points, rule_id"
    by_rate = f"select {columns} from marts.fct_point_awards where award_type in ('reduction', 'maintenance')"
    assert differences(query, "plain", "scaled", by_rate) == []


@pytest.mark.parametrize("saving", ["saving", "halving"])
def test_saving_more_in_the_last_period_never_earns_fewer_points(query, saving):
    def points(change: str) -> dict[tuple, int]:
        sql = (
            "select program_id, participant_id, utility, sum(points) as points from marts.fct_point_awards "
            f"where participant_id = 'P1' and period_id = '{worlds.LAST_PERIOD}' group by all"
        )
        return {(world, utility): total for world, _, utility, total in query(of(change, sql))}

    before, after = points("plain"), points(saving)
    assert {key: (total, after.get(key, 0)) for key, total in before.items() if after.get(key, 0) < total} == {}
    assert sum(after.values()) > sum(before.values())
    earlier = f"select * from marts.fct_reductions where period_id < '{worlds.LAST_PERIOD}'"
    assert differences(query, "plain", saving, earlier) == []


def test_a_higher_rate_never_has_a_lower_tier(query):
    """Within a class, utility and period; of all worlds, since tiers do not depend on anybody else."""
    inversions = query(
        """
        with rates as (
            select reductions.*, coalesce(awards.points, 0) as points
            from marts.fct_reductions as reductions
            left join (from marts.fct_point_awards where award_type = 'reduction') as awards
                using (program_id, period_id, participant_id, utility)
            where reductions.status = 'evaluated'
        )
        select lower.participant_id, lower.points, higher.points
        from rates as lower
        join rates as higher using (period_id, participant_class, utility)
        where lower.reduction_rate < higher.reduction_rate and lower.points > higher.points
        limit 5
        """
    )
    assert inversions == []


@pytest.mark.parametrize("mart", ["fct_reductions", "fct_monthly_comparisons", "fct_monthly_usage"])
def test_another_member_changes_nobody_elses_figures(query, mart):
    assert differences(query, "plain", "joined", f"select * from marts.{mart} where participant_id <> 'P0'") == []


def test_another_member_changes_nobody_elses_awards_by_rate(query):
    by_rate = "select * from marts.fct_point_awards where award_type in ('reduction', 'maintenance')"
    assert differences(query, "plain", "joined", f"{by_rate} and participant_id <> 'P0'") == []


def test_another_member_changes_the_order_of_nobody_else(query):
    """Ranks move by at most the one place that the new member takes."""
    moved = query(
        f"""
        select plain.world, plain.participant_id, plain.rank, joined.rank
        from ({of("plain", "select * from marts.fct_rankings")}) as plain
        join ({of("joined", "select * from marts.fct_rankings")}) as joined
            using (world, period_id, region_code, ranking_id, participant_class, participant_id)
        where joined.rank - plain.rank not in (0, 1)
        """
    )
    assert moved == []


def test_threads_change_no_figure(tmp_path, monkeypatch):
    found = []
    for threads in ("1", "4"):
        monkeypatch.setenv("TANSO_DUCKDB_THREADS", threads)
        folder = tmp_path / threads
        folder.mkdir()
        programmes = [worlds.programme(f"w{n}_plain", world) for n, world in enumerate(worlds.generated(2))]
        with built.connect(build(folder, programmes)) as connection:
            found.append({mart: connection.execute(f"from marts.{mart} order by all").fetchall() for mart in MARTS})
    assert found[0]["fct_payouts"] != []
    assert found[0] == found[1]
