"""Write the bundled sample extracts: ``python -m tools.make_sample [folder]`` (default ``include/programs``).

Made by rule from fixed seeds, without the clock: writing them again gives the same bytes. All in them is invented.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tools.sample import jp_forms, jp_years, kr_cases, kr_enrolments, kr_members, kr_readings
from tools.sample.files import Planted, Sample

PROGRAMS = Path(__file__).resolve().parent.parent / "include" / "programs"


def generate(programs: Path) -> list[Planted]:
    """Write ``<programs>/<program_id>/sample/<source_id>/<file>``; returns what ingest must find in each file."""
    korea = Sample(programs / "kr_carbon_point" / "sample")
    members = kr_members.members()
    kr_cases.apply({member.number: member for member in members})
    kr_enrolments.enrolments(korea, members)
    kr_readings.kepco(korea, members)
    kr_readings.waterworks(korea, members)
    kr_readings.citygas(korea, members)
    kr_readings.apartments(korea, members)
    nakano = Sample(programs / "jp_nakano_eco_point" / "sample")
    jp_forms.write(nakano)
    jp_years.write(nakano)
    return korea.planted + nakano.planted


if __name__ == "__main__":
    for planted in generate(Path(sys.argv[1]) if len(sys.argv) > 1 else PROGRAMS):
        counts = f"{planted.rows_read} rows, {planted.rows_quarantined} bad, {planted.rows_duplicate} repeated"
        print(planted.source_id, planted.file_name, planted.status, planted.reason or "", counts)
