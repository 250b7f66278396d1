"""What every shipped declaration of a programme must say."""

from __future__ import annotations

from tanso.packs.sources import load_sources
from tanso.settings import PROJECT_ROOT

KR = "kr_carbon_point"
NEVER_KEPT = {"주민등록번호", "주민번호", "외국인등록번호", "외국인번호", "비밀번호"}


def korean():
    found = [source for source in load_sources([PROJECT_ROOT / "include" / "programs"]) if source.program_id == KR]
    assert len(found) >= 6
    return found


def test_no_korean_file_with_a_resident_number_or_password_is_landed():
    assert {source.source_id: set(source.forbidden_columns) for source in korean()} == {
        source.source_id: NEVER_KEPT for source in korean()
    }


def test_every_reading_says_whether_it_was_estimated_if_the_extract_does():
    kinds = {
        source.source_id: source.options.get("estimated_values") for source in korean() if source.kind == "readings"
    }
    assert kinds == {
        "kr_kepco": ["인정"], "kr_waterworks": ["인정"], "kr_citygas": ["인정"],
        "kr_apartments": None,  # its extract does not say
    }  # fmt: skip
