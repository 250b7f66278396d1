"""One home with every example and every kind of refusal, run once; tests only read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blackbox import cases_japan, cases_korea
from tests.blackbox.chain import Published, run
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
def examples(tmp_path_factory, programs) -> Published:
    home = tmp_path_factory.mktemp("blackbox") / "home"
    inbox = home / "inbox"
    cases_korea.examples().write(inbox)
    cases_korea.other_anchor("p_").write(inbox)
    cases_japan.examples().write(inbox)
    for name in cases_japan.VARIANTS:
        cases_japan.variant(name).write(inbox)
    run(home, programs, "run", "--as-of", "2024-07-01")
    return Published(home)


@pytest.fixture(scope="session")
def korea(examples) -> Published:
    return examples.of("kr_carbon_point")


@pytest.fixture(scope="session")
def japan(examples) -> Published:
    return examples.of("jp_nakano_eco_point")
