"""The letters of a batch: their pages, what stands on them, their font, the same bytes for the same input."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pypdf import PdfReader

from tanso.payouts import Batch, batch, issue, propose
from tanso.payouts.files import pdf_files
from tanso.payouts.files.layouts import load_layout
from tanso.settings import PROJECT_ROOT
from tests.payouts.conftest import JP, House

AT = datetime(2019, 4, 16, 1, 0, 0, tzinfo=UTC)
APRIL, MAY, OCTOBER = date(2019, 4, 15), date(2019, 5, 15), date(2019, 10, 1)
LETTERS = "13114/notices.pdf"


def pay(house: House, day: date, roots: list[Path] | None = None) -> Batch:
    (proposal,) = propose(house.publish(), day, roots)
    return issue(house.home, proposal, "Kim", roots, issued_at=AT)


def pages(batch: Batch) -> list[str]:
    """The text of each page, without spaces and line ends."""
    return ["".join(page.extract_text().split()) for page in PdfReader(batch.path / LETTERS).pages]


def changed_pack(tmp_path: Path, file: str, old: str, new: str) -> list[Path]:
    """A copy of the pack's payout declarations with one text replaced."""
    shipped = PROJECT_ROOT / "include" / "programs" / JP
    copy = tmp_path / "packs" / JP
    copy.mkdir(parents=True)
    for name in ("payouts.yml", "notice.typ"):
        shutil.copyfile(shipped / name, copy / name)
    text = (copy / file).read_text("utf-8")
    assert text.count(old) == 1
    (copy / file).write_text(text.replace(old, new), "utf-8")
    return [copy.parent]


def test_a_page_tells_the_points_the_balance_and_the_prize(house: House):
    house.eco("N1", {"co2_reduction": (1_380, APRIL), "action_report": (250, APRIL), "top_performer": (3_000, OCTOBER)},
              opening=640, expired=400, name="中野花子", postal_code="164-8501",
              address="東京都中野区中野4-8-1")  # fmt: skip
    house.opening.append({"program_id": JP, "participant_id": "N1", "certified_on": date(2017, 3, 31), "points": 400})
    house.opening.append({"program_id": JP, "participant_id": "N1", "certified_on": date(2018, 5, 15), "points": 240})
    house.eco("N2", {"co2_reduction": (480, MAY)}, certified_on=MAY, name="東京太郎")
    house.eco("N3", {"eco_mark": (600, APRIL)}, prize_code=None, name="江古田次郎")

    first = pay(house, APRIL)
    one, three = pages(first)
    # available 640 - 400 + 1,630 = 1,870: 1,500 go, 370 stay, of the lot of that day
    for text in (
        "〒164-8501東京都中野区中野4-8-1中野花子様",
        "平成31年4月15日申請番号A-N1参加者番号N1東京都中野区",
        "平成30年度のなかのエコポイント",
        "（認定日平成31年4月15日）",
        "CO2削減ポイント1,380ポイント",
        "行動レポートポイント250ポイント",
        "成績上位者ポイント0ポイント",
        "認定したポイントの合計1,630ポイント",
        "前回からの繰越640ポイント",
        "有効期限が過ぎて失効したポイント400ポイント",
        "今回認定したポイント1,630ポイント",
        "賞品と交換するポイント1,500ポイント",
        "残りのポイント（次回の申請に繰り越します）370ポイント",
        "（最も早いもの）令和3年4月15日",
        "賞品コードP1を1,500ポイントと交換し",
    ):
        assert text in one, text
    assert (
        "江古田次郎様" in three and "賞品が選ばれていません" in three and "それまで500ポイントをお預かりします" in three
    )
    assert "〒" not in three  # the register has no postal code

    (two,) = pages(pay(house, MAY))
    assert "東京太郎様" in two and "（認定日令和元年5月15日）" in two and "令和元年5月15日申請番号A-N2" in two
    assert "今回は交換するポイントがありません" in two and "繰り越します）480ポイント" in two

    # 1 October: 1,500 + 3,000 = 4,500 of 4,870
    (again,) = pages(pay(house, OCTOBER))
    assert "令和元年10月1日申請番号A-N1" in again and "（認定日平成31年4月15日）" in again
    assert "成績上位者ポイント3,000ポイント" in again and "合計4,630ポイント" in again
    assert "交換するポイント4,500ポイント" in again


def test_a_page_without_points_left_has_no_expiry(house: House):
    house.eco("N1", {"co2_reduction": (500, APRIL)})
    (page,) = pages(pay(house, APRIL))
    assert "繰り越します）0ポイント" in page and "（最も早いもの）―" in page


def test_the_font_is_embedded_and_the_paper_is_a4(house: House):
    house.eco("N1", {"co2_reduction": (500, APRIL)})
    reader = PdfReader(pay(house, APRIL).path / LETTERS)
    (page,) = reader.pages
    assert [round(float(side) / 72 * 25.4) for side in page.mediabox[2:]] == [210, 297]
    (font,) = page["/Resources"]["/Font"].values()
    (descendant,) = font.get_object()["/DescendantFonts"]
    descriptor = descendant.get_object()["/FontDescriptor"]
    assert descriptor["/FontName"].endswith("+IPAexGothic") and "/FontFile2" in descriptor


def test_the_manifest_lists_the_letters_which_pay_nothing(house: House):
    for number in range(25):
        house.eco(f"N{number:02}", {"co2_reduction": (500, APRIL)}, name=f"中野{number:02}")
    batch = pay(house, APRIL)
    entries = {entry["path"]: entry for entry in json.loads((batch.path / "manifest.json").read_text("utf-8"))["files"]}
    assert (entries[LETTERS]["rows"], entries[LETTERS]["amount"]) == (25, None)
    assert [f"中野{number:02}様" in page for number, page in enumerate(pages(batch))] == [True] * 25


def test_the_same_input_gives_the_same_bytes(house: House, tmp_path: Path):
    house.eco("N1", {"co2_reduction": (1_380, APRIL)})
    house.eco("N2", {"co2_reduction": (20, APRIL)})
    first = pay(house, APRIL)
    content = (first.path / LETTERS).read_bytes()
    first.path.rename(tmp_path / "kept")
    for record in (house.home.issue_log, house.home.access_log):
        shutil.rmtree(record, ignore_errors=True)
    for table in ("fct_applications", "fct_point_awards", "fct_point_balances"):
        house.rows[f"marts.{table}"].reverse()
    assert (pay(house, APRIL).path / LETTERS).read_bytes() == content


def test_a_letter_shows_more_characters_than_its_csv_file(house: House):
    """鷗 is in the font and not in CP932; 🙂 is in neither."""
    house.eco("N1", {"co2_reduction": (500, APRIL)}, name="鷗田🙂")
    batch = pay(house, APRIL)
    assert "鷗田〓様" in pages(batch)[0]
    lost = {
        lost.path: (lost.row, lost.column, lost.characters) for lost in batch.substitutions if "notices" in lost.path
    }
    assert lost == {"13114/notices.csv": (1, "氏名", 2), LETTERS: (1, "氏名", 1)}
    listed = (house.home.reports / "lost_characters" / JP / "FY2018-001.csv").read_text("utf-8").splitlines()
    assert listed[1:] == [
        "N1,13114/notices.csv,1,氏名,2,〓",
        "N1,13114/notices.pdf,1,氏名,1,〓",
        "N1,13114/prizes.csv,1,氏名,2,〓",
        "N1,13114/review.csv,1,氏名,1,〓",  # of the masked name, 鷗**
    ]


def test_names_are_text_to_the_template(house: House):
    house.eco("N1", {"co2_reduction": (500, APRIL)}, name="#panic() *a* $x$ \\ [b]", address='"#read("/etc/passwd")')
    (page,) = pages(pay(house, APRIL))
    assert "#panic()*a*$x$\\[b]様" in page and '"#read("/etc/passwd")' in page


def test_a_letter_longer_than_a_page_is_found_when_read_back(house: House, tmp_path: Path):
    house.eco("N1", {"co2_reduction": (500, APRIL)})
    roots = changed_pack(tmp_path, "notice.typ", "#heading-line[賞品]", "#v(200mm)")
    with pytest.raises(batch.BatchError, match=r"13114/notices.pdf: pages: 2 instead of 1"):
        pay(house, APRIL, roots)
    assert not list(house.home.exports.glob("*/*/*"))


def test_a_template_that_does_not_compile_is_named(house: House, tmp_path: Path):
    house.eco("N1", {"co2_reduction": (500, APRIL)})
    roots = changed_pack(tmp_path, "notice.typ", "row.賞品コード == none", "row.賞品 == none")
    with pytest.raises(ValueError, match=r"notice.typ does not compile: .*賞品"):
        pay(house, APRIL, roots)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("template: notice.typ", "template: letter.typ", "notices.pdf.template: there is no file .*letter.typ"),
        ("template: notice.typ", "columns: {}", "files.notices.pdf.template: is missing"),
        ("matplotlib-fontja:", "no-such-font:", "the package no-such-font is not installed; run make setup"),
        ("ipaexg.ttf", "ipaexm.ttf", "notices.pdf.font: there is no file"),
        ("format: pdf", "format: pdf\n    incentive_type: prize", "notices.pdf.incentive_type: is for rows: lines"),
    ],
)
def test_a_wrong_declaration_is_named(tmp_path: Path, old: str, new: str, message: str):
    roots = changed_pack(tmp_path, "payouts.yml", old, new)
    with pytest.raises(ValueError, match=message):
        load_layout(JP, roots)


def test_a_thousand_letters(tmp_path: Path):
    layout = next(file for file in load_layout(JP).files if file.format == "pdf")
    row = [7 if "ポイント" in title or len(title) < 3 else "2019-04-15" for title in layout.columns]
    head = {"period_id": "FY2018", "as_of": "2019-04-15", "region_name": "中野区", "awards": []}
    rows = [["P", *row]] * 1_000
    with (tmp_path / "letters.pdf").open("w+b") as file:
        pdf_files.write(file, "letters.pdf", layout.template, layout.font, head, list(layout.columns), rows, AT)
        assert pdf_files.pages(file) == 1_000 and file.tell() < 5_000_000
