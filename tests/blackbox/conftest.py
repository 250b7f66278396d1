"""One home with every example and every kind of refusal, run once; tests only read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blackbox import cases_japan, cases_korea, cases_payouts, cases_refusals
from tests.blackbox.chain import Published, run, run_and_issue
from tests.blackbox.files import copy_pack, set_all


def make_packs(folder: Path) -> Path:
    """The shipped programmes with more regions, and copies with other policy."""
    copy_pack(folder, "kr_carbon_point", changes={"region_policies": cases_korea.add_regions})

    def period_start(rows):
        next(row for row in rows if row["valid_from"] == "2009H2")["baseline_anchor"] = "period_start"

    copy_pack(
        folder,
        "kr_carbon_point",
        "kr_period_start",
        "p_",
        {"baseline_policies": period_start},
        ["kr_enrolments", "kr_kepco", "kr_waterworks"],
    )
    copy_pack(folder, "jp_nakano_eco_point")
    for name, (prefix, values) in cases_japan.VARIANTS.items():
        sources = ["jp_registrations", "jp_meter_slips", "jp_applications"]
        changes = {"point_rules": set_all(**values)}
        copy_pack(folder, "jp_nakano_eco_point", f"jp_{name}", prefix, changes, sources)
    return folder


@pytest.fixture(scope="session")
def programs(tmp_path_factory) -> Path:
    return make_packs(tmp_path_factory.mktemp("blackbox") / "programs")


@pytest.fixture(scope="session")
def examples(tmp_path_factory, programs, outcomes) -> Published:
    """Everything in one inbox, one run."""
    home = tmp_path_factory.mktemp("blackbox") / "home"
    inbox = home / "inbox"
    members = cases_refusals.enrolments(cases_korea.examples())
    cases_refusals.snapshots(inbox, members)
    members.write(inbox, cases_refusals.NEWEST)
    outcomes.update(cases_refusals.write(inbox))
    cases_korea.other_anchor("p_").write(inbox)
    cases_japan.examples().write(inbox)
    for name in cases_japan.VARIANTS:
        cases_japan.variant(name).write(inbox)
    run(home, programs, "run", "--as-of", "2024-07-01")
    return Published(home)


@pytest.fixture(scope="session")
def outcomes() -> dict[tuple[str, str], cases_refusals.Outcome]:
    """What must come of the files with rows to refuse or to be refused whole; filled by ``examples``."""
    return {}


@pytest.fixture(scope="session")
def korea(examples) -> Published:
    return examples.of("kr_carbon_point")


@pytest.fixture(scope="session")
def japan(examples) -> Published:
    return examples.of("jp_nakano_eco_point")


class Paid(Published):
    """The history of the payout examples: which batches were issued on a day, and what the marts said before."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.issued: dict[str, list[str]] = {}
        self.payouts: dict[str, dict[tuple[str, str], tuple]] = {}


@pytest.fixture(scope="session")
def paid(tmp_path_factory) -> Paid:
    home = tmp_path_factory.mktemp("payouts") / "home"
    packs = tmp_path_factory.mktemp("payouts") / "programs"
    copy_pack(packs, "kr_carbon_point", changes={"region_policies": cases_korea.add_regions})
    copy_pack(packs, "jp_nakano_eco_point")
    paid = Paid(home)
    columns = "period_id, participant_id, amount, status, hold_reason, paid_amount"
    for day, arrivals in cases_payouts.history(home / "inbox"):
        for arrive in arrivals:
            arrive()
        paid.issued[day.isoformat()] = run_and_issue(home, packs, day, "김담당", bool(arrivals))
        found = paid.rows(f"select {columns} from marts.fct_payouts")
        paid.payouts[day.isoformat()] = {(period, who): tuple(rest) for period, who, *rest in found}
    return paid
