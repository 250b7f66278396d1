"""One home with the bundled sample, ingested once; and what the generator planted in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tanso.ingest import ingest
from tanso.local import sample
from tanso.settings import Home
from tools.make_sample import generate
from tools.sample.files import Planted


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Planted]]:
    """A folder of programmes with the sample written anew, and the record of each file."""
    folder = tmp_path_factory.mktemp("programs")
    return folder, generate(folder)


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A fresh home into which the bundled sample was ingested."""
    home = Home(tmp_path_factory.mktemp("home"))
    sample.copy_to_inbox(home)
    ingest(home)
    return home
