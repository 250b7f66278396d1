"""Three snapshots of the Korean sample's register: members come, leave, change accounts; one goes missing."""

from __future__ import annotations

from tools.sample.files import Extract, Sample
from tools.sample.kr_cases import refused
from tools.sample.kr_members import HEADER, Member

SNAPSHOTS = ("2020-12-31", "2022-03-31", "2023-01-31")
FIRST, SECOND, THIRD = SNAPSHOTS


def _row_on(member: Member, day: str) -> dict[str, str]:
    """The member's row as the register had it on a day."""
    row = dict(member.row)
    if row["탈퇴일자"].replace(".", "-") > day:
        row["탈퇴일자"] = ""
    if member.number == "JJ0031":  # cash; the account came later
        known = day > FIRST
        row.update(인센티브유형="현금", 은행코드="090" if known else "", 그린카드번호="")
        row.update(계좌번호="999-000-000031" if known else "", 예금주=row["참여자명"])
    if member.number == "JJ0032":  # another account since
        row.update(인센티브유형="현금", 은행코드="011", 예금주=row["참여자명"], 그린카드번호="")
        row["계좌번호"] = "999-000-900032" if day == THIRD else "999-000-000032"
    return row


def enrolments(sample: Sample, members: list[Member]) -> None:
    for day in SNAPSHOTS:
        extract = Extract("kr_enrolments", f"enrolments_{day.replace('-', '')}.csv", HEADER)
        for member in members:
            if member.row["가입일자"] > day or (member.number == "JJ0033" and day > FIRST):
                continue  # JJ0033's line was lost: kept, as withdrawn on the second snapshot's day
            row = _row_on(member, day)
            if member.number == "JJ0034" and day == THIRD:
                moved = {"행정구역코드": "11680", "시도": "서울특별시", "시군구": "강남구"}
                extract.bad("region_excluded", *(row | moved).values())
            elif member.number == "JJ0036" and day == THIRD:
                extract.bad("bad_value", *(row | {"가입일자": "작년 봄"}).values())
            else:
                extract.add(*row.values())
        for reason, row in refused():
            extract.bad(reason, *row.values())
        repeated = next(member for member in members if member.number == "JJ0044")
        extract.duplicate(*_row_on(repeated, day).values())
        sample.write(extract, extract.csv_bytes("utf-8-sig" if day == SECOND else "utf-8", "\n"))
