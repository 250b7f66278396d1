"""docs/how-to/add-a-provider.md, followed to the letter: its files, its command, its output."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import yaml

from tanso.ingest.pull import connections, filesystems
from tanso.packs.sources import read_source
from tanso.settings import PROJECT_ROOT, Home

HOW_TO = (PROJECT_ROOT / "docs" / "how-to" / "add-a-provider.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", HOW_TO, re.MULTILINE | re.DOTALL)


DECLARATION, *PLACES = blocks("yaml")
SAMPLE, REFUSED = blocks("csv")
EXPORTS = [block for block in blocks("bash") if block.startswith("export AIRFLOW_CONN_")]
[COMMAND] = [block for block in blocks("bash") if "tanso.cli" in block]
[OUTPUT] = blocks("text")


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A copy of the pack that the how-to changes, with the declaration where its first line says."""
    path = Path(DECLARATION.splitlines()[0].removeprefix("# include/programs/"))
    shutil.copytree(PROJECT_ROOT / "include" / "programs" / path.parts[0], tmp_path / "packs" / path.parts[0])
    (tmp_path / "packs" / path).write_text(DECLARATION, encoding="utf-8")
    return tmp_path / "packs" / path


def test_the_readings_arrive(pack: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    source = read_source(pack)
    [sample] = re.findall(r"here `(inbox/[^`]+)` below `TANSO_HOME`", HOW_TO)
    (home.root / sample).parent.mkdir(parents=True)
    (home.root / sample).write_text(SAMPLE, encoding=source.encoding)
    os.utime(home.root / sample, (0, 0))  # it rested
    monkeypatch.setenv("TANSO_PROGRAMS", str(pack.parent.parent.parent))

    python, *arguments = shlex.split(COMMAND)
    assert python == ".venv/bin/python"
    run = subprocess.run([sys.executable, *arguments], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, OUTPUT), run.stderr

    found = duckdb.sql(
        f"""
        select provider, utility, meter_key, usage_month::varchar, usage::varchar, is_estimated
        from read_parquet('{home.lake}/readings/**/*.parquet', hive_partitioning = false)
        order by meter_key, usage_month
        """
    ).fetchall()
    assert found == [
        (source.provider, "gas", "00123456", "2024-01-01", "1234.500", False),
        (source.provider, "gas", "00123456", "2024-02-01", "87.000", True),
        (source.provider, "gas", "00123457", "2024-01-01", "100.000", False),  # 4350 MJ / 43.5
    ]
    [quarantined] = (home.quarantine / source.source_id).iterdir()
    assert re.fullmatch(r"hangang_202401-[0-9a-f]{8}\.csv", quarantined.name)
    assert quarantined.read_text("utf-8-sig").splitlines() == REFUSED.splitlines()


@pytest.mark.parametrize("place", PLACES)
def test_every_place_can_be_declared(pack: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """… and its connection is one that the file system takes."""
    for block in EXPORTS:
        name, _, value = shlex.split(block)[1].partition("=")
        monkeypatch.setenv(name, value)
    pack.write_text(re.sub(r"^pull: .*\n", place, DECLARATION, flags=re.MULTILINE), encoding="utf-8")
    source = read_source(pack)
    assert source.pull_url == yaml.safe_load(place)["pull"]["url"]
    if source.connection:
        connection = connections.find(source.connection)
        if "key_file" in connection.extra:
            key_file = pack.parent / "key"
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key_file)], check=True)
            connection.extra["key_file"] = str(key_file)
        assert callable(filesystems.connector(source.pull_url, connection))


def test_there_is_an_example_of_every_place_and_every_key() -> None:
    urls = [yaml.safe_load(place)["pull"]["url"] for place in PLACES]
    assert {url.split("://")[0] if "://" in url else "folder" for url in urls} == {"folder", "sftp", "s3", "https"}
    for key in ("source_id", "pull.url", "pull.files", "pull.connection", "options.usages", "forbidden_columns"):
        assert f"| `{key}` |" in HOW_TO
