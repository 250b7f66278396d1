"""``reports/dbt_docs.html``: every model and column of the published marts with its description and lineage, one page
that needs no server."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from include import on_disk, settings
from include.operate import command
from include.settings import Home
from include.warehouse import published, run_dbt
from include.warehouse.build import lock
from include.warehouse.fingerprint import DBT_PROJECT


def write(home: Home, project: Path = DBT_PROJECT) -> Path:
    """Make the page and return its path. Raises FileNotFoundError when nothing is published yet, DbtError when dbt
    cannot read the project."""
    published.check(home)
    page = home.reports / "dbt_docs.html"
    on_disk.private_folder(page.parent)
    with lock(home), tempfile.TemporaryDirectory(dir=home.warehouse, prefix=".docs-") as aside:
        # Copies: dbt opens what it looks at for writing, and the published file belongs to its readers.
        for path in (home.database, home.carried):
            shutil.copyfile(path, Path(aside) / path.name)
        made = run_dbt.docs(project, Path(aside), Path(aside) / "dbt")
        on_disk.keep_to_owner(made).replace(page)
    return page


def main() -> int:
    """Make the page and say where it is."""
    print(write(settings.home()))
    return 0


if __name__ == "__main__":
    sys.exit(command.exit_code(main))
