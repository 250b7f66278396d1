"""Lake and packs for the tests here, written row by row: each example is a programme of its own (a copy of the shipped
pack under another id), so that their averages, budgets and rankings do not meet and one build serves all."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
import pyarrow

from tanso import lake, settings
from tanso.packs.policy import load_policy
from tanso.warehouse import run_dbt
from tests import built

SHIPPED = settings.PROJECT_ROOT / "include" / "programs" / "kr_carbon_point" / "policy"
DBT_PROJECT = settings.PROJECT_ROOT / "dbt_project"
ELECTRICITY, WATER, GAS = "한국전력", "수도사업소", "도시가스"
PROVIDERS = {"electricity": ELECTRICITY, "water": WATER, "gas": GAS}
CLASSES = {
    "individual": "individual",
    "individual_minor": "individual",
    "commercial": "business",
    "complex_apartment": "complex",
}


def months(first: str, count: int) -> list[str]:
    """``count`` usage months from ``YYYY-MM`` on, as their first days."""
    number = int(first[:4]) * 12 + int(first[5:]) - 1
    return [f"{(number + step) // 12:04}-{(number + step) % 12 + 1:02}-01" for step in range(count)]


class Programme:
    """Rows of the lake for one programme. Defaults are those of the worked examples: an individual in 48170 with cash
    to a good account, joined 2020-04-08, electricity only, billed by a meter of the participant's own name."""

    def __init__(self, program_id: str):
        self.program_id = program_id
        self.rows: dict[str, list[dict]] = {table: [] for table in lake.TABLES}
        self.changes: dict[str, dict[str, str]] = {}  # policy table -> column -> value, in every row
        self.regions: list[dict[str, str]] = []  # instead of the shipped ones
        self.policy: dict[str, list[dict[str, str]]] = {}  # policy table -> rows instead of the shipped ones

    def _add(self, table: str, **values) -> None:
        row = {"program_id": self.program_id, "source_file_id": "0" * 64, **values}
        self.rows[table].append({column: row.get(column) for column in lake.TABLES[table]})

    def person(self, participant_id: str, utilities: Iterable[str] = ("electricity",), **values) -> Programme:
        """A participant with one own meter per utility; ``values`` are columns of the lake's table."""
        kind = values.get("participant_type", "individual")
        defaults = {
            "participant_type": kind,
            "participant_class": CLASSES[kind],
            "region_code": "48170",
            "joined_on": "2020-04-08",
            "incentive_type": "cash",
            "has_bank_account": True,
            "holder_matches": True,
            "has_card": False,
            "account_key": f"account of {participant_id}",
        }
        self._add("participants", participant_id=participant_id, **(defaults | values))
        for utility in utilities:
            self.meter(participant_id, utility, PROVIDERS[utility], participant_id)
        return self

    def meter(self, participant_id: str, utility: str, provider: str, meter_key: str) -> None:
        self._add(
            "participant_utilities",
            participant_id=participant_id,
            utility=utility,
            provider=provider,
            meter_key=meter_key,
        )

    def use(
        self,
        meter_key: str,
        first: str,
        usages: Sequence,
        utility: str = "electricity",
        provider: str | None = None,
        tariffs: dict[str, str] | None = None,
    ) -> Programme:
        """Readings of consecutive months from ``first`` (YYYY-MM) on; None leaves one out. tariffs: month -> tariff."""
        for month, usage in zip(months(first, len(usages)), usages, strict=True):
            if usage is not None:
                self._add(
                    "readings",
                    source_id="test",
                    provider=provider or PROVIDERS[utility],
                    utility=utility,
                    meter_key=meter_key,
                    usage_month=month,
                    usage=str(usage),
                    tariff=(tariffs or {}).get(month[:7]),
                    is_estimated=False,
                )
        return self

    def region(self, region_code: str, **values: str) -> None:
        row = {
            "program_id": self.program_id,
            "region_code": region_code,
            "region_name": region_code,
            "valid_from": "2018H1",
            "utilities": "electricity water gas",
            "won_per_point": "2",
            "budget_won": "",
            "incentive_types": "cash voucher green_card donation",
            "default_incentive_type": "",
        }
        self.regions.append(row | values)

    def source(self, utility: str, provider: str) -> None:
        """A declared source of readings."""
        self._add("providers", utility=utility, provider=provider, source_id="test")

    def issue(self, period_id: str, line_no: int, participant_id: str, amount: int, **values) -> None:
        """One line of an issued batch."""
        defaults = {
            "batch_id": f"{period_id}-001",
            "region_code": "48170",
            "incentive_type": "cash",
            "currency": "KRW",
            "won_per_point": "2.00",
            "payee_key": f"account of {participant_id}",
            "issued_at": "2021-12-01 00:00:00",
        }
        self._add(
            "ledger",
            period_id=period_id,
            line_no=line_no,
            participant_id=participant_id,
            amount=amount,
            **(defaults | values),
        )

    def send_back(self, batch_id: str, line_no: int, received_at: str = "2021-12-10 00:00:00") -> None:
        self._add("returns", batch_id=batch_id, line_no=line_no, reason="계좌해지", received_at=received_at)


def write_pack(root: Path, programme: Programme) -> None:
    """The shipped policy under the programme's id, with its changes and regions."""
    folder = root / programme.program_id / "policy"
    folder.mkdir(parents=True)
    for path in SHIPPED.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as source:
            rows = list(csv.DictReader(source))
        rows = programme.policy.get(path.stem, rows)
        if path.stem == "region_policies" and programme.regions:
            rows = programme.regions
        with (folder / path.name).open("w", encoding="utf-8", newline="") as target:
            writer = csv.DictWriter(target, dict.fromkeys(["program_id", *rows[0]]))
            writer.writeheader()
            for row in rows:
                writer.writerow(row | {"program_id": programme.program_id} | programme.changes.get(path.stem, {}))


def write_lake(folder: Path, programmes: Sequence[Programme]) -> None:
    with duckdb.connect() as connection:
        for table, columns in lake.TABLES.items():
            rows = [row for programme in programmes for row in programme.rows[table]]
            if not rows:
                continue
            connection.register("rows", pyarrow.Table.from_pylist(rows))
            casts = ", ".join(f'cast("{name}" as {kind}) as "{name}"' for name, kind in columns.items())
            (folder / table).mkdir(parents=True)
            target = folder / table / "data.parquet"
            connection.execute(f"copy (select {casts} from rows) to '{target}' (format parquet)")
            connection.unregister("rows")


def build(folder: Path, programmes: Sequence[Programme]) -> Path:
    """Lake, packs and all models and data tests in two DuckDB files of a folder, which is returned."""
    for programme in programmes:
        write_pack(folder / "packs", programme)
    write_lake(folder / "lake", programmes)
    with built.begin(folder) as connection:
        load_policy([folder / "packs"]).write(connection)
        lake.create_sources(connection, folder / "lake")
    work = folder / "dbt"
    nodes = run_dbt.build(DBT_PROJECT, folder, work, run_dbt.parse(DBT_PROJECT, folder, work))
    bad = [str(node) for node in nodes if not node.good]
    assert not bad, "\n".join(bad)
    return folder
