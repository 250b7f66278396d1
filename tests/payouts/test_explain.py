"""From a payout back to file and row of every reading."""

from __future__ import annotations

import csv
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tanso import cli
from tanso.explain.explain import explain
from tanso.files import file_sha256
from tanso.settings import Home
from tests import built
from tests.payouts.conftest import KR, House

METER = "0123456789"


def staged(home: Home, source_id: str, sha256: str, rows: str) -> None:
    path = home.lake / "_staged" / source_id / f"{sha256}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = "row_no, utility, meter_key, usage_month, usage"
    duckdb.sql(f"select * from (values {rows}) as t ({columns})").write_parquet(str(path))


def test_a_payout_leads_back_to_rule_months_and_files(house: House):
    house.money("Q1", 10_000)
    home = house.publish()
    with built.changed(home) as marts:
        key = "program_id varchar, period_id varchar, participant_id varchar, utility varchar"
        marts.execute(
            f"""
            create table tanso.marts.fct_payout_lines ({key}, batch_id varchar, line_no integer);
            create table tanso.marts.fct_reductions ({key}, status varchar, reduction decimal(18, 6));
            create table tanso.marts.fct_monthly_comparisons ({key}, usage_month date, status varchar);
            create table tanso.marts.fct_monthly_usage ({key}, usage_month date, usage decimal(18, 3),
                is_estimated boolean, source_file_id varchar);
            create table tanso.marts.dq_files (source_id varchar, file_name varchar, sha256 varchar,
                received_at timestamp, status varchar);
            create table carried.policy.reduction_tiers (rule_id varchar, program_id varchar, points bigint,
                source varchar);
            create schema carried.intermediate;
            create table carried.intermediate.int_metered_units as
                select 1 as unit_key, '{KR}' as program_id, 'Q1' as participant_id, 'electricity' as utility,
                    '{METER}' as meter_key;
            create table carried.intermediate.int_metered_rows as
                select 1 as unit_key, 7 as period_no, 0 as first_month_no, {2018 * 12} as baseline_from_no,
                    {2020 * 12 - 1} as baseline_to_no;
            create table carried.intermediate.int_period_months as
                select 7 as period_no, '{KR}' as program_id, '2020H2' as period_id, {2020 * 12} + calendar_month
                    as month_no, calendar_month, make_date(2020, calendar_month + 1, 1) as usage_month
                from generate_series(6, 11) as t (calendar_month);
            create table carried.intermediate.int_metered_readings as
                select 1 as unit_key, unnest([{2019 * 12 + 6}, {2020 * 12 + 2}, {2020 * 12 + 6}]) as month_no,
                    false as is_tariff_excluded;
            create table carried.intermediate.int_actions (program_id varchar, period_id varchar,
                participant_id varchar,
                acted_on date, action_code varchar, quantity integer, status varchar, points bigint,
                source_file_id varchar, row_no integer);
            insert into tanso.marts.fct_reductions values ('{KR}', '2020H2', 'Q1', 'electricity', 'evaluated', 120);
            insert into tanso.marts.fct_monthly_usage values
                ('{KR}', '2020H2', 'Q1', 'electricity', '2019-07-01', 500, false, '0a'),
                ('{KR}', '2020H2', 'Q1', 'electricity', '2020-03-01', 410, false, 'aa'),
                ('{KR}', '2020H2', 'Q1', 'electricity', '2020-07-01', 380, false, 'aa'),
                ('{KR}', '2020H2', 'Q1', 'electricity', '2021-01-01', 400, false, 'bb');
            insert into tanso.marts.dq_files values ('meters', 'kepco_2019.csv', '0a', null, 'accepted'),
                ('meters', 'kepco_2020.csv', 'aa', null, 'accepted'), ('meters', 'again.csv', 'aa', null, 'duplicate');
            insert into carried.policy.reduction_tiers values ('r1', '{KR}', 10000, 'notice 12'),
                ('r1', 'another', 5, 'n');
            """
        )
    staged(home, "meters", "0a", f"(9, 'electricity', '{METER}', date '2019-07-01', 500)")
    staged(
        home,
        "meters",
        "aa",
        f"""
        (3, 'electricity', '9999999999', date '2020-07-01', 7),
        (4, 'electricity', '{METER}', date '2020-03-01', 410),
        (5, 'electricity', '{METER}', date '2020-07-01', 380)
        """,
    )
    (found,) = explain(home, "Q1", "2020H2")
    assert found["payout"]["amount"] == 20_000 and found["lines"] == []
    (award,) = found["awards"]
    assert award["points"] == 10_000 and award["certified_on"] == date(2021, 6, 1)
    assert award["rule"] == {
        "table": "reduction_tiers",
        "rule_id": "r1",
        "program_id": KR,
        "points": 10_000,
        "source": "notice 12",
    }
    assert [row["reduction"] for row in found["reductions"]] == [Decimal("120.000000")]
    # What was read after the period is no part of it; March 2020 is neither of its months nor of the baseline's.
    shown = ("usage_month", "usage", "is_in_baseline", "is_in_period", "file_name", "row_no")
    assert [tuple(row[name] for name in shown) for row in found["readings"]] == [
        (date(2019, 7, 1), Decimal("500.000"), True, False, "kepco_2019.csv", 9),
        (date(2020, 3, 1), Decimal("410.000"), False, False, "kepco_2020.csv", 4),
        (date(2020, 7, 1), Decimal("380.000"), False, True, "kepco_2020.csv", 5),
    ]
    assert [(file["file_name"], file["state"]) for file in found["files"]] == [
        ("kepco_2019.csv", "missing"),
        ("kepco_2020.csv", "missing"),
    ]


def test_who_is_not_known_is_said_so(house: House):
    home = house.publish()
    with pytest.raises(ValueError, match="Unknown participant 'Q9' or period '2020H2'"):
        explain(home, "Q9", "2020H2")


def first_line(home: Home) -> tuple[str, int]:
    """Participant and amount of the first line of a batch."""
    lines = home.exports / KR / "2021H1" / "2021H1-001" / "lines.parquet"
    with duckdb.connect() as connection:
        found = connection.execute("select participant_id, amount from read_parquet(?) order by line_no", [str(lines)])
        return found.fetchall()[0]


def test_every_figure_stands_in_the_bytes_that_were_received(sample_home: Home, capsys, monkeypatch):
    """One who was paid, chosen from the batch's lines; the row numbers are looked up with the standard library."""
    monkeypatch.setenv("TANSO_HOME", str(sample_home.root))
    participant_id, amount = first_line(sample_home)
    capsys.readouterr()
    assert cli.main(["explain", participant_id, "--period", "2021H1", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)

    assert [line["amount"] for line in found["lines"]] == [amount] == [found["payout"]["amount"]]
    assert sum(award["points"] for award in found["awards"]) == found["payout"]["points"]
    assert all(award["rule"]["source"] for award in found["awards"])
    assert {file["state"] for file in found["files"]} == {"intact"}
    awarded = {award["utility"] for award in found["awards"]}
    actual = {row["utility"]: Decimal(row["actual_usage"]) for row in found["reductions"]}
    for utility in awarded:
        used = [row for row in found["readings"] if row["utility"] == utility and row["is_in_period"]]
        assert sum(Decimal(row["usage"]) for row in used) == actual[utility]
    assert all(row["row_no"] for row in found["readings"])

    files = {file["sha256"]: file for file in found["files"]}
    electricity = [row for row in found["readings"] if row["utility"] == "electricity"]
    assert len(electricity) >= 12
    for row in electricity:
        path: Path = sample_home.root / files[row["source_file_id"]]["landed"]
        assert file_sha256(path) == row["source_file_id"]
        with path.open(encoding="cp949", newline="") as file:
            received = list(csv.DictReader(file))[row["row_no"] - 1]
        assert Decimal(received["사용량"].replace(",", "")) == Decimal(row["usage"])
        assert received["청구년월"].replace("-", "")[:6] == row["usage_month"].replace("-", "")[:6]


def test_as_text_it_reads_from_the_line_to_the_row(sample_home: Home, capsys, monkeypatch):
    monkeypatch.setenv("TANSO_HOME", str(sample_home.root))
    participant_id, _ = first_line(sample_home)
    capsys.readouterr()
    assert cli.main(["explain", participant_id]) == 0
    text = capsys.readouterr().out
    headings = ["## Lines issued", "## Points, by rule", "## Readings of the baseline and of the period", "## Files"]
    places = [text.index(heading) for heading in headings]
    assert places == sorted(places)
    assert f" 2021H1: {participant_id}" in text and "policy/reduction_tiers.csv" in text and "intact" in text


def test_points_for_actions_and_applications_lead_to_their_rows(sample_home: Home):
    (found,) = explain(sample_home, "N0001", "FY2018")
    rules = {award["award_type"]: award["rule"]["table"] for award in found["awards"]}
    assert rules["environmental_action"] == "action_points" and rules["eco_mark"] == "point_rules"
    assert rules["bonus"] == "bonus_tiers" and rules["top_performer"] == "rank_awards"
    accepted = sum(action["points"] for action in found["actions"] if action["status"] == "accepted")
    assert accepted == next(a["points"] for a in found["awards"] if a["award_type"] == "environmental_action")
    rows = [row for part in ("actions", "applications", "opening_points", "register") for row in found[part]]
    assert all(row["row_no"] and row["file_name"] for row in rows) and len(rows) >= 8
