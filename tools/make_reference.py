"""Write what the reference has from the models of declarations: JSON Schemas, and the tables of keys in its pages."""

from __future__ import annotations

from tanso.reports import schemas
from tanso.settings import PROJECT_ROOT

REFERENCE = PROJECT_ROOT / "docs" / "reference"
PAGES = (REFERENCE / "sources.md", REFERENCE / "payout-batches.md")

if __name__ == "__main__":
    schemas.write(REFERENCE / "schemas")
    for page in PAGES:
        page.write_text(schemas.filled_in(page.read_text("utf-8")), "utf-8")
