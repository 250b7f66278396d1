"""A house to pay from: published marts, lake and vault of two made-up programmes, written directly."""

from __future__ import annotations

import csv
import functools
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tanso import lake
from tanso.files import file_sha256
from tanso.lake import TABLES
from tanso.packs import tables as policy_tables
from tanso.privacy import vault
from tanso.settings import PROJECT_ROOT, Home
from tests import built

KR, JP = "kr_carbon_point", "jp_nakano_eco_point"
SNAPSHOT = "ab" * 32

# table -> what a row of ``House.rows`` holds of it; types, and the columns that stay null, are those of the marts'
# contracts and of the policy tables, so that a mart that changes is noticed here.
ROWS = {
    "marts.dim_programs": "program_id name_en name_local country currency",
    "marts.dim_periods": "program_id period_id starts_on ends_on months payable_from",
    "marts.dim_participants": "program_id participant_id participant_class region_code nickname",
    "marts.fct_point_awards": "program_id period_id participant_id region_code award_type utility points "
    "certified_on rule_id explanation",
    "marts.fct_payouts": "program_id period_id participant_id region_code incentive_type points won_per_point "
    "amount currency status hold_reason paid_amount",
    "marts.fct_point_balances": "program_id period_id participant_id opening_points earned_points expired_points "
    "redeemed_points closing_points",
    "marts.fct_applications": "program_id period_id application_id participant_id received_on status certified_on",
    "marts.fct_rankings": "program_id period_id region_code ranking_id participant_class rank participant_id "
    "nickname score co2_reduction_kg reduction_rate is_top_performer is_commended",
    "marts.fct_lottery_entries": "program_id period_id participant_id nickname draw_key draw_order is_winner",
    "policy.programs": "program_id time_zone",
    "policy.point_rules": "program_id valid_from_on redemption_unit lot_validity_years",
    "policy.ranking_rules": "program_id valid_from_on ranking_id certified_month certified_day",
    "policy.lottery_policies": "program_id period_id final_month final_day",
    "policy.labels": "program_id kind code name_local",
    "policy.region_policies": "program_id region_code region_name valid_from_on",
    "policy.approval_rules": "program_id valid_from_on valid_to_on amount_from approvers",
    "meta.build_info": "fingerprint built_at code_version policy_sha256",
}
META = {"fingerprint": "varchar", "built_at": "timestamp", "code_version": "varchar", "policy_sha256": "varchar"}


@functools.cache
def columns_of(table: str) -> dict[str, str]:
    """Every column of a mart, a policy table or ``meta.build_info`` with its type."""
    schema, name = table.split(".")
    if schema == "policy":
        return policy_tables.TABLES[name].types
    if schema == "meta":
        return META
    (path,) = (PROJECT_ROOT / "dbt_project" / "models" / "marts").rglob(f"{name}.yml")
    (model,) = yaml.safe_load(path.read_text("utf-8"))["models"]
    return {column["name"]: column["data_type"] for column in model["columns"]}


class House:
    """Marts, lake and vault in memory; ``publish`` writes them under ``home``."""

    def __init__(self, home: Home):
        self.home = home
        self.rows: dict[str, list[tuple]] = {table: [] for table in ROWS}
        self.people: dict[tuple[str, str], dict[str, str | None]] = {}
        self.register: dict[tuple[str, str], dict] = {}
        self.applications: list[dict] = []
        self.opening: list[dict] = []
        self.returns: list[dict] = []
        self.meters: list[dict] = []
        self.rows["marts.dim_programs"] = [
            (KR, "Carbon", "탄소", "KR", "KRW"),
            (JP, "Eco", "エコ", "JP", "JPY"),
        ]
        for year in (2020, 2021):
            self.rows["marts.dim_periods"] += [
                (KR, f"{year}H1", date(year, 1, 1), date(year, 6, 30), 6, date(year, 12, 1)),
                (KR, f"{year}H2", date(year, 7, 1), date(year, 12, 31), 6, date(year + 1, 6, 1)),
            ]
        for year in (2018, 2019):
            self.rows["marts.dim_periods"].append((JP, f"FY{year}", date(year, 4, 1), date(year + 1, 3, 31), 6, None))
        self.rows["policy.point_rules"] = [(JP, date(2018, 4, 1), 500, 2)]
        self.rows["policy.ranking_rules"] = [
            (KR, date(2009, 7, 1), "co2_reduction", None, None),
            (JP, date(2018, 4, 1), "co2_reduction", 22, 1),
        ]
        self.rows["policy.lottery_policies"] = [(JP, "FY2018", 18, 1)]
        for program_id in (KR, JP):
            path = PROJECT_ROOT / "include" / "programs" / program_id / "policy" / "labels.csv"
            with path.open(encoding="utf-8", newline="") as file:
                labels = [(program_id, r["kind"], r["code"], r["name_local"]) for r in csv.DictReader(file)]
            self.rows["policy.labels"] += labels
        self.rows["policy.region_policies"] = [
            (KR, "48170", "경상남도 진주시", date(2018, 1, 1)),
            (JP, "13114", "東京都中野区", date(2018, 4, 1)),
        ]
        self.rows["policy.programs"] = [(KR, "Asia/Seoul"), (JP, "Asia/Tokyo")]
        self.rows["meta.build_info"] = [("f" * 64, None, "v1", "a" * 64)]

    def meter(
        self, participant_id: str, meter_key: str, utility: str = "electricity", provider: str = "한국전력"
    ) -> None:
        row = {"program_id": KR, "participant_id": participant_id, "utility": utility}
        self.meters.append(row | {"provider": provider, "meter_key": meter_key})

    def person(
        self,
        program_id: str,
        participant_id: str,
        region: str,
        nickname: str | None = None,
        joined_on: date = date(2019, 1, 1),
        **data,
    ) -> None:
        """Register somebody (again); ``data`` are the vault's columns."""
        self.people[program_id, participant_id] = {"name": "김철수", **data}
        key = vault.key(self.home)
        account, card = data.get("account_no"), data.get("card_no")
        self.register[program_id, participant_id] = {
            "region_code": region,
            "joined_on": joined_on,
            "account_key": account and vault.keyed_hash(key, f"{data.get('bank_code')} {account}"),
            "card_key": card and vault.keyed_hash(key, card),
            "address_key": vault.keyed_hash(key, data["address"]) if "address" in data else None,
        }
        dim = self.rows["marts.dim_participants"]
        dim[:] = [row for row in dim if row[:2] != (program_id, participant_id)]
        dim.append((program_id, participant_id, "individual", region, nickname))

    def money(
        self,
        participant_id: str,
        points: int,
        period_id: str = "2020H2",
        certified_on: date = date(2021, 6, 1),
        incentive_type: str = "cash",
        region: str = "48170",
        won: str = "2",
        hold_reason: str | None = None,
        register: bool = True,
        **data,
    ) -> None:
        """Somebody's points and payout of a metered programme, in place of what was there; ``data``: vault columns."""
        if register:
            payee = {
                "cash": {"bank_code": "088", "account_no": "110222333333", "account_holder": "김철수"},
                "green_card": {"card_no": "9430001122223333"},
            }.get(incentive_type, {})
            self.person(KR, participant_id, region, **{**payee, **data})
        self.forget(KR, period_id, participant_id)
        if not points:
            return
        self.rows["marts.fct_point_awards"].append(
            (KR, period_id, participant_id, region, "reduction", "electricity", points, certified_on, "r1", "")
        )
        amount = int(points * float(won)) if won in ("1", "2") else None
        self.rows["marts.fct_payouts"].append(
            (KR, period_id, participant_id, region, incentive_type, points, won, amount, "KRW")
            + ("held" if hold_reason else "payable", hold_reason, 0)
        )

    def eco(
        self,
        participant_id: str,
        awards: dict[str, tuple[int, date]],
        opening: int = 0,
        expired: int = 0,
        certified_on: date = date(2019, 4, 15),
        prize_code: str | None = "P1",
        nickname: str | None = None,
        **data,
    ) -> None:
        """Somebody's accepted application of FY2018 with its awards (type -> points, certified_on)."""
        self.person(JP, participant_id, "13114", nickname, **{"name": "中野花子", "address": "中野4-8-1", **data})
        self.forget(JP, "FY2018", participant_id)
        application_id = f"A-{participant_id}"
        self.applications.append(
            {
                "program_id": JP,
                "application_id": application_id,
                "participant_id": participant_id,
                "prize_code": prize_code,
            }
        )
        self.rows["marts.fct_applications"].append(
            (JP, "FY2018", application_id, participant_id, date(2019, 3, 18), "accepted", certified_on)
        )
        for award_type, (points, on) in awards.items():
            self.rows["marts.fct_point_awards"].append(
                (JP, "FY2018", participant_id, "13114", award_type, None, points, on, award_type, "")
            )
        earned = sum(points for points, _ in awards.values())
        available = opening - expired + earned
        redeemed = available // 500 * 500
        self.rows["marts.fct_point_balances"].append(
            (JP, "FY2018", participant_id, opening, earned, expired, redeemed, available - redeemed)
        )
        if redeemed:
            hold = None if prize_code else "prize_missing"
            self.rows["marts.fct_payouts"].append(
                (JP, "FY2018", participant_id, "13114", "prize", redeemed, None, redeemed, "JPY")
                + ("held" if hold else "payable", hold, 0)
            )

    def forget(self, program_id: str, period_id: str, participant_id: str) -> None:
        for table in ("fct_point_awards", "fct_payouts", "fct_point_balances"):
            rows = self.rows[f"marts.{table}"]
            rows[:] = [row for row in rows if row[:3] != (program_id, period_id, participant_id)]

    def returned(self, batch_id: str, line_no: int, reason: str = "계좌해지", program_id: str = KR) -> None:
        """A return that comes now."""
        row = {"program_id": program_id, "batch_id": batch_id, "line_no": line_no, "reason": reason}
        self.returns.append(row | {"received_at": datetime.now(UTC).replace(tzinfo=None)})

    def publish(self) -> Home:
        home = self.home
        for path in (home.database, home.carried):
            path.unlink(missing_ok=True)
        with built.changed(home) as connection:
            # A transaction writes to one database.
            connection.execute("create schema tanso.marts")
            for schema in ("policy", "meta"):
                connection.execute(f"create schema carried.{schema}")
            for name, given in ROWS.items():
                table = f"{'tanso' if name.startswith('marts.') else 'carried'}.{name}"
                columns = ", ".join(f"{column} {kind}" for column, kind in columns_of(name).items())
                connection.execute(f"create table {table} ({columns})")
                rows, names = self.rows[name], ", ".join(given.split())
                if rows:
                    marks = ", ".join([f"({', '.join('?' * len(rows[0]))})"] * len(rows))
                    values = [value for row in rows for value in row]
                    connection.execute(f"insert into {table} ({names}) values {marks}", values)
        people = [
            {**dict.fromkeys(vault.COLUMNS), "program_id": p, "participant_id": i, **data}
            for (p, i), data in self.people.items()
        ]
        with duckdb.connect() as connection:
            table = pa.Table.from_pylist(people, schema=vault.SCHEMA)
            vault.write(home, "register", SNAPSHOT, connection.from_arrow(table))
        participants = [
            {"program_id": p, "participant_id": i, "source_file_id": SNAPSHOT, **facts}
            for (p, i), facts in self.register.items()
        ]
        self._lake("participants", participants)
        self._lake("applications", self.applications)
        self._lake("opening_points", self.opening)
        self._lake("returns", self.returns)
        self._lake("participant_utilities", self.meters)
        return home

    def _lake(self, table: str, rows: list[dict]) -> None:
        path = self.home.lake / table / "data.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = {name: [row.get(name) for row in rows] for name in TABLES[table]}
        pq.write_table(pa.table(columns), path)
        lake.note(path, file_sha256(path))


@pytest.fixture(autouse=True, scope="session")
def _own_settings():
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TANSO_PROGRAMS", raising=False)
        patch.delenv("TANSO_VAULT_KEY", raising=False)
        yield


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(Home(tmp_path / "home"))
