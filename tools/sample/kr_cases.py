"""Single members of the Korean sample made to show one rule each, and enrolments that must be refused."""

from __future__ import annotations

from collections.abc import Iterator

from tools.sample.kr_members import Member, add_meter, household, month_no


def apply(members: dict[str, Member]) -> None:
    """Change the members named below, by number; who is not named stays as drawn."""
    for number in [f"JJ{serial:04d}" for serial in range(5, 13)] + ["CJ0005", "CJ0006"]:
        members[number].shape = "strong"
        members[number].row["가입일자"] = "2019-03-11"
    _payees(members)
    _movers(members)
    _meters(members)
    for serial in range(40, 46):  # earlier than whoever repeats their id, address, meter or number
        members[f"JJ{serial:04d}"].row["가입일자"] = "2019-02-14"
    members["JJ0035"].row["면적"] = "약 30평"
    foreigner = members["JJ0017"]
    # A name that CP949 cannot hold.
    foreigner.row.update(참여자명="NGUYỄN THỊ MẪU", 세대주명="NGUYỄN THỊ MẪU", 가입일자="2019-11-05")
    _payee(foreigner, "상품권")
    foreigner.shape = "strong"


def _payee(member: Member, incentive: str, bank: str = "", account: str = "", holder: str = "", card: str = "") -> None:
    member.row.update(인센티브유형=incentive, 은행코드=bank, 계좌번호=account, 예금주=holder, 그린카드번호=card)


def _payees(members: dict[str, Member]) -> None:
    name = {number: member.row["참여자명"] for number, member in members.items()}
    _payee(members["JJ0005"], "")  # none chosen, and the region has no default
    _payee(members["CJ0005"], "")  # none chosen: the region's default
    _payee(members["JJ0006"], "지역화폐")  # not a type of the programme
    _payee(members["JJ0007"], "현금")
    _payee(members["JJ0008"], "현금", "88", "999-000-000008", name["JJ0008"])
    _payee(members["JJ0009"], "현금", "088", "123-456-789", name["JJ0009"])
    _payee(members["JJ0010"], "현금", "088", "999-000-000010", "한누리")
    _payee(members["JJ0011"], "그린카드")
    _payee(members["JJ0012"], "현금", "088", "999-000-000012", " ".join(name["JJ0012"]))
    _payee(members["CJ0006"], "현금", "011", "９９９-０００-００１００６", name["CJ0006"])


def _movers(members: dict[str, Member]) -> None:
    members["JJ0013"].row.update(가입일자="2019-05-08", 전입일자="2019-02-10")  # under 12 months before joining
    members["JJ0014"].row.update(가입일자="2019-10-21", 전입일자="2017-11-20")
    members["JJ0016"].row.update(가입일자="2020-03-02", 전입일자="2020/01/01")
    members["CJ0013"].row.update(가입일자="2020-09-15", 전입일자="2019-06-30")
    members["JJ0015"].row.update(가입일자="2019-01-15", 탈퇴일자="2021-09-30")
    members["JJ0018"].row.update(가입일자="2019-04-09", 탈퇴일자="2022-06-30")
    members["CJ0015"].row.update(가입일자="2019-07-02", 탈퇴일자="2020-12-31")
    members["CJ0016"].row.update(가입일자="2019-07-02", 탈퇴일자="2022.04.12")


def _meters(members: dict[str, Member]) -> None:
    for number in ("JJ0020", "JJ0021", "JJ0024", "JJ0026", "JJ0027", "JJ0028"):
        members[number].row["가입일자"] = "2019-09-17"
    members["JJ0020"].meter("electricity").tariff = "농사용(갑)"
    members["JJ0021"].meter("electricity").tariff = "심야전력 (을)"
    for number in ("JJ0022", "JJ0024", "CJ0022"):
        member = members[number]
        if all(meter.utility != "gas" for meter in member.meters):
            add_meter(member, "gas", 30_000, int(number[2:]), "취사용")
    members["JJ0022"].meter("gas").tariff = "취사용"
    members["CJ0022"].meter("gas").tariff = "취사용"
    members["JJ0024"].meter("gas").zero_until = month_no(2020, 3)  # heated otherwise before
    members["JJ0026"].meter("electricity").first_month = month_no(2019, 7)  # two months before joining
    members["JJ0027"].meter("electricity").first_month = month_no(2019, 4)  # five: the others are filled
    members["JJ0028"].meter("electricity").missing = frozenset({month_no(2020, 10), month_no(2022, 2)})
    members["JJ0029"].row["전기고객번호"] = "0199999999"  # a slip of the pen: no such meter
    members["JJ0030"].row.update(도시가스업체="가상에너지", 도시가스납부방식="개별납부", 도시가스고객번호="7199000030")


def refused() -> Iterator[tuple[str, dict[str, str]]]:
    """(reason, row) of enrolments that are refused in every snapshot; JJ0040 … JJ0044 are whom they repeat."""

    def row(serial: int, **changes: str) -> dict[str, str]:
        member = household("JJ", serial, "개인(만14세이상)")
        return member.row | {"가입일자": "2020-06-15"} | changes

    yield "region_excluded", row(901, 행정구역코드="11680", 시도="서울특별시", 시군구="강남구")
    yield "consent_missing", row(902, 필수동의="N")
    yield "electricity_missing", row(903, 전기업체="", 전기납부방식="사용안함", 전기고객번호="")
    yield "electricity_missing", row(904, 전기고객번호="")
    yield "customer_no_missing", row(905, 상수도업체="수도사업소", 상수도납부방식="개별납부", 상수도고객번호="")
    flat = {"전기업체": "이지스", "전기납부방식": "관리비합산", "전기고객번호": "", "단지코드": "K305", "동": "104"}
    yield "complex_unit_missing", row(906, **flat)
    yield "duplicate_login_id", row(907, 아이디="jjgreen0040")
    first = household("JJ", 41, "개인(만14세이상)").row
    same_home = {column: first[column] for column in ("도로명주소", "상세주소", "동", "호")}
    yield "duplicate_household", row(908, **same_home)
    yield "duplicate_customer_no", row(909, 전기고객번호="01-0000-0042")
    yield "bad_value", row(910, 참여유형="개인")
    yield "bad_value", row(911, 가입일자="2020-02-30")
    yield "bad_value", row(912, 아이디="초록누리")
    yield "duplicate_participant", household("JJ", 43, "개인(만14세이상)").row | {"휴대전화": "010-0000-9043"}
