"""``reports/dbt_docs.html``: every model and column of the published marts with its description and lineage, one page
that needs no server."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tanso import command, settings
from tanso.files import keep_to_owner, private_folder
from tanso.settings import Home
from tanso.warehouse import published, run_dbt
from tanso.warehouse.build import lock
from tanso.warehouse.fingerprint import DBT_PROJECT


def write(home: Home, project: Path = DBT_PROJECT) -> Path:
    """Make the page and return its path. Raises FileNotFoundError when nothing is published yet, DbtError when dbt
    cannot read the project."""
    published.check(home)
    page = home.reports / "dbt_docs.html"
    private_folder(page.parent)
    with lock(home), tempfile.TemporaryDirectory(dir=home.warehouse, prefix=".docs-") as aside:
        # Copies: dbt opens what it looks at for writing, and the published file belongs to its readers.
        for path in (home.database, home.carried):
            shutil.copyfile(path, Path(aside) / path.name)
        made = run_dbt.docs(project, Path(aside), Path(aside) / "dbt")
        keep_to_owner(made).replace(page)
    return page


def main() -> int:
    """Make the page and say where it is."""
    print(write(settings.home()))
    return 0


if __name__ == "__main__":
    sys.exit(command.exit_code(main))
