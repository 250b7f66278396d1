"""A small history: read, evaluated, paid; then a reading is corrected, the policy changed, and evaluated again."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tanso import cli
from tanso.settings import Home
from tanso.warehouse import marts_files
from tests.blackbox.chain import environment
from tests.blackbox.files import copy_pack
from tests.blackbox.korea import Korea


def digests(folder: Path, apart: tuple[str, ...] = ()) -> dict[str, str]:
    """The files of a folder: path -> SHA-256; links are followed, hidden files left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and name.parts[0] not in apart and not path.name.startswith("."):
            found[name.as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@dataclass
class History:
    home: Home
    packs: Path
    began: datetime  # before anything was received
    paid: datetime  # the batch is issued and in the marts
    then: dict[str, str]  # what was published at ``paid``, written out: path -> SHA-256


def write(home: Home, june: int, correction: bool = False) -> None:
    """One member: 200 kWh in each of the 24 months before joining, 178 from January to May 2021, and ``june``.

    July's row cannot be read.
    """
    world = Korea().person("K1")
    if not correction:
        world.use("K1", "2018-04", [200] * 24).use("K1", "2021-01", [178] * 5).use("K1", "2021-07", ["unread"])
    world.use("K1", "2021-06", [june])
    world.write(home.inbox, readings="_corrected" if correction else "")


def change_policy(packs: Path, old: str, new: str) -> None:
    path = packs / "kr_carbon_point" / "policy" / "reduction_tiers.csv"
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    folder = tmp_path_factory.mktemp("history")
    home, packs, began = Home(folder / "home"), folder / "packs", datetime.now(UTC)
    copy_pack(packs, "kr_carbon_point")
    with environment(TANSO_HOME=home.root, TANSO_PROGRAMS=packs):
        write(home, 178)
        assert cli.main(["run", "--as-of", "2021-12-01", "--by", "Treasurer"]) == 0
        paid = datetime.now(UTC)
        marts_files.write(home.database, folder / "then")
        # June was 238, and a reduction rate from 5 % earns 6,000 points instead of 5,000.
        write(home, 238, correction=True)
        assert cli.main(["ingest"]) == 0
        change_policy(packs, "electricity,2020H1,,0.05,0.10,5000", "electricity,2020H1,,0.05,0.10,6000")
        assert cli.main(["evaluate"]) == 0
        yield History(home, packs, began, paid, digests(folder / "then"))
    shutil.rmtree(folder)
