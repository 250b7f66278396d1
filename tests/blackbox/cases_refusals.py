"""Files with rows to refuse and files to refuse whole, each with what must come of it; registers in several snapshots.

A row is written with its outcome behind it: None (accepted), ``DUPLICATE``, or the reason of its refusal.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tests.blackbox import japan
from tests.blackbox.files import csv_bytes, write_csv, write_xlsx
from tests.blackbox.korea import APARTMENTS, CITYGAS, ENROLMENTS, KEPCO, RETURNS, WATERWORKS, Korea, aggregated

DUPLICATE = "duplicate"
FORBIDDEN_VALUE = "900101-1234567"


@dataclasses.dataclass
class Outcome:
    """What ``dq_files`` and ``dq_quarantine`` must say of a file."""

    status: str = "accepted"
    reason: str | None = None
    rows: tuple[int, int, int, int] | None = None  # read, accepted, quarantined, duplicate
    refused: dict[int, str] = dataclasses.field(default_factory=dict)  # row_no -> reason


class Refusals:
    """The files of ``inbox`` and their outcomes by (source_id, file_name)."""

    def __init__(self, inbox: Path) -> None:
        self.inbox = inbox
        self.outcomes: dict[tuple[str, str], Outcome] = {}

    def rows(self, source: str, name: str, header: list[str], rows: list[tuple], encoding: str | None) -> None:
        *cells, outcomes = zip(*rows, strict=True)
        table = list(zip(*cells, strict=True))
        if encoding:
            write_csv(self.inbox / source / name, header, table, encoding)
        else:
            write_xlsx(self.inbox / source / name, header, table)
        refused = {n: reason for n, reason in enumerate(outcomes, 1) if reason not in (None, DUPLICATE)}
        counts = (len(rows), outcomes.count(None), len(refused), outcomes.count(DUPLICATE))
        self.outcomes[source, name] = Outcome(rows=counts, refused=refused)

    def whole(self, source: str, name: str, content: bytes, reason: str | None, status: str = "rejected") -> None:
        path = self.inbox / source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        if status != "ignored":
            self.outcomes[source, name] = Outcome(status, reason)


def write(inbox: Path) -> dict[tuple[str, str], Outcome]:
    refusals = Refusals(inbox)
    for part in (_electricity, _water, _gas, _apartments, _returns, _slips, _applications, _actions, _opening, _whole):
        part(refusals)
    return refusals.outcomes


def _electricity(r: Refusals) -> None:
    def row(customer, month, usage, reason, starts="2021-01-01", ends="2021-01-31"):
        return (customer, month, starts, ends, usage, "주택용전력", "실측", reason)

    rows = [
        row("0000099001", "202101", "100", None),
        row("", "202199", "x", "missing_value"),
        row("0000099002", " 　", "1", "missing_value"),
        row("0000099002", "202101", "", "missing_value"),
        row("000099002", "202113", "-1", "bad_customer_no"),
        row("- --", "202101", "1", "bad_customer_no"),
        row("0000099003", "202113", "1e3", "bad_month"),
        row("0000099003", "2021-13", "1", "bad_month"),
        row("0000099004", "202101", "1,00", "bad_number"),
        row("0000099004", "202102", "1e3", "bad_number"),
        row("0000099004", "202103", "-5", "negative_usage"),
        row("0000099004", "202104", "100,000.001", "usage_out_of_range", "2021-02-01", "2021-01-31"),
        row("0000099004", "202105", "100,000", None),
        row("0000099004", "202106", "7", "period_reversed", "2021.02.01", "20210131"),
        row("0000099004", "202106", "8", None, "unreadable", "2021-01-31"),
        row("0000099005", "202101", "10", "conflicting_duplicate"),
        row("00-0009-9005", "2021.01", "10.001", "conflicting_duplicate"),
        row("００００-099001", "2021/01", "100.000", DUPLICATE, "", ""),
    ]
    r.rows("kr_kepco", "kepco_rows.csv", KEPCO, rows, "cp949")
    # 1 of 20 is not more than 5 %.
    good = [row("0000099006", f"20{n:02}01", n, None) for n in range(7, 26)]
    r.rows("kr_kepco", "kepco_one_bad.csv", KEPCO, [*good, row("0000099006", "2031", 1, "bad_month")], "cp949")


def _water(r: Refusals) -> None:
    rows = [
        ("000123", 202101, 12, "실측", None),
        ("000124", 202101, 12.5, "인정", None),
        (125, "2021-02", "10,000", "실측", None),
        ("--", 202101, 1, "실측", "bad_customer_no"),
        ("000126", 202100, 1, "실측", "bad_month"),
        ("000126", 202101, "열둘", "실측", "bad_number"),
        ("000126", 202102, -0.5, "실측", "negative_usage"),
        ("000126", 202103, 10000.001, "실측", "usage_out_of_range"),
        ("000126", None, 1, "실측", "missing_value"),
        ("000-123", 202101, "12.000", "실측", DUPLICATE),
    ]
    r.rows("kr_waterworks", "water_rows.xlsx", WATERWORKS, rows, None)


def _gas(r: Refusals) -> None:
    rows = [
        ("G99001", "202101", "43.5", "ＭＪ", "난방용", "실측", None),
        ("G99001", "202102", "435,000", "MJ", "난방용", "실측", None),
        ("G99001", "202103", "435,001", "MJ", "난방용", "실측", "usage_out_of_range"),
        ("G99001", "202104", "1", "kg", "난방용", "실측", "unknown_unit"),
        ("G99001", "202105", "1", "", "난방용", "실측", "missing_value"),
        ("G99001", "202101", "1", "㎥", "취사용", "실측", DUPLICATE),
    ]
    r.rows("kr_citygas", "gas_rows.csv", CITYGAS, rows, "utf-8")


def _apartments(r: Refusals) -> None:
    rows = [
        ("K900", "1", "1", "202101", "10", "1", "", None),
        ("K900", "1", "1", "202101", "10", "1", "5", None),  # brings the gas
        ("K900", "1", "1", "202101", "10", "1", "5", DUPLICATE),
        ("K900", "1", "2", "202101", "10", "-1", "", "negative_usage"),
        ("K900", "", "2", "202101", "10", "1", "", "missing_value"),
        ("K900", "1", "3", "202101", "10", "1", "", "conflicting_duplicate"),
        ("K900", "1", "3", "202101", "11", "1", "", "conflicting_duplicate"),
        ("K900", "1", "4", "2021", "10", "1", "", "bad_month"),
    ]
    r.rows("kr_apartments", "apt_rows.csv", APARTMENTS, rows, "cp949")


def _returns(r: Refusals) -> None:
    rows = [("2010H1-001", "", "계좌해지", "missing_value"), ("2010H1-001", "x", "계좌해지", "bad_value")]
    r.rows("kr_returns", "returns_rows.csv", RETURNS, rows, "cp949")


def _slips(r: Refusals) -> None:
    rows = [
        ("X1", "電気", "2018-07", "10", "12", None),
        ("X1", "電気", "201807", "10.0", "１２", DUPLICATE),
        ("X1", "ガス", "2018-07", "10", "", None),
        ("X1", "水道", "2018-07", "10", "12", "unknown_unit"),
        ("X1", "電気", "2018-08", "", "12", "missing_value"),
        ("X1", "電気", "2018-09", "10", "12", "conflicting_duplicate"),
        ("X1", "電気", "2018-09", "10", "13", "conflicting_duplicate"),
        ("X1", "電気", "2018-12", "-1", "13", "negative_usage"),
        ("X1", "ガス", "2018-12", "10000.5", "13", "usage_out_of_range"),
        ("X1", "電気", "18-12", "1", "13", "bad_month"),
        ("X1", "電気", "2019-01", "1", "多い", "bad_number"),
    ]
    r.rows("jp_meter_slips", "slips_rows.csv", japan.SLIPS, rows, "cp932")


def _applications(r: Refusals) -> None:
    def row(number, who="X1", year="2018", on="2019-03-18", electricity="有", reason=None):
        return (number, who, year, on, electricity, "", "P", "", *[""] * 6, reason)

    rows = [
        row("X-1"),
        row("X-1", year="2019", reason="duplicate_application_no"),
        row("X-1", reason=DUPLICATE),
        row("", reason="missing_value"),
        row("X-2", on="", reason="missing_value"),
        row("X-3", year="昨年", reason="bad_value"),
        row("X-4", electricity="はい", reason="bad_value"),
        row("X-5", on="2019-02-29", reason="bad_value"),
    ]
    r.rows("jp_applications", "applications_rows.csv", japan.APPLICATIONS, rows, "cp932")


def _actions(r: Refusals) -> None:
    rows = [
        ("X1", "H30.6.15", "oil_ward_office", "1", None),
        ("X1", "H30.6.15", "oil_ward_office", "1", DUPLICATE),
        ("X1", "H30.6.15", "oil_ward_office", "一", "bad_value"),
        ("X1", "H30.6.31", "oil_ward_office", "1", "bad_value"),
        ("X1", "H30.6.15", "", "1", "missing_value"),
    ]
    r.rows("jp_actions", "actions_rows.csv", japan.ACTIONS, rows, "cp932")


def _opening(r: Refusals) -> None:
    rows = [
        ("X1", "平成30年5月15日", "1,200", None),
        ("X1", "平成30年5月15日", "多い", "bad_value"),
        ("", "平成30年5月15日", "1", "missing_value"),
    ]
    r.rows("jp_opening_points", "opening_rows.csv", japan.OPENING, rows, "cp932")


def _whole(r: Refusals) -> None:
    reading = ["0000099009", "202101", "", "", "1", "주택용전력", "실측"]
    one = csv_bytes(KEPCO, [reading], "cp949")
    r.whole("kr_kepco", "kepco_w_empty.csv", b"", "empty")
    r.whole("kr_kepco", "kepco_w_header_only.csv", csv_bytes(KEPCO, [], "cp949"), "empty")
    r.whole("kr_kepco", "kepco_w_encoding.csv", one + b"\xff\xff\xff", "not_decodable")
    without = [name for name in KEPCO if name != "사용량"]
    r.whole("kr_kepco", "kepco_w_schema.csv", csv_bytes(without, [reading[:6]], "cp949"), "schema_mismatch")
    bad = [["0000099009", f"20{n:02}01", "", "", n if n > 11 else "?", "", ""] for n in range(10, 30)]
    r.whole("kr_kepco", "kepco_w_too_many.csv", csv_bytes(KEPCO, bad, "cp949"), "too_many_bad_rows")
    r.whole("kr_waterworks", "water_w_broken.xlsx", b"PK\x03\x04 no workbook", "not_readable")
    r.whole("kr_kepco", "readme.txt", b"not an extract", None, "ignored")
    r.rows("kr_kepco", "kepco_u.csv", KEPCO, [(*reading, None)], "cp949")
    r.whole("kr_kepco", "kepco_v_again.csv", (r.inbox / "kr_kepco" / "kepco_u.csv").read_bytes(), None, "duplicate")
    header = [*ENROLMENTS, "주민 등록번호"]
    row = dict.fromkeys(header, "") | {"주민 등록번호": FORBIDDEN_VALUE}
    content = csv_bytes(header, [list(row.values())], "utf-8")
    r.whole("kr_enrolments", "enrolments_20240701.csv", content, "forbidden_column")
    r.whole("kr_enrolments", "enrolments_20240702.csv", csv_bytes(["참여자번호"], [["1"]], "utf-8"), "schema_mismatch")
    r.whole("kr_enrolments", "enrolments_latest.csv", content, None, "ignored")


# Enrolments that are refused: participant -> reason
ENROLMENT_REASONS: dict[str, str] = {}


def enrolments(newest: Korea) -> Korea:
    """Rows of the newest register, in region 48051; members that they repeat come first."""

    def member(who: str, reason: str | None = None, utilities: str = "electricity", **values: str) -> None:
        newest.person(who, utilities, **({"행정구역코드": "48051"} | values))
        if reason:
            ENROLMENT_REASONS[who] = reason

    member("R-seoul", "region_excluded", 행정구역코드="11110", 필수동의="N")
    member("R-consent", "consent_missing", 필수동의="N", 전기납부방식="사용안함")
    member("R-no-electricity", "electricity_missing", 전기납부방식="사용안함")
    member("R-no-number", "electricity_missing", 전기고객번호="")
    member("R-no-company", "electricity_missing", 전기업체="")
    member("R-water", "customer_no_missing", "electricity water", 상수도고객번호="")
    member("R-gas", "customer_no_missing", "electricity gas", 도시가스업체="")
    member("R-unit", "complex_unit_missing", 단지코드="K1", 동="1", **aggregated("electricity"))
    member("R-type", "bad_value", 참여유형="개인")
    member("R-joined", "bad_value", 가입일자="2020-02-30", 행정구역코드="11110")
    member("R-region", "bad_value", 행정구역코드="4817")
    member("R-login", "bad_value", 아이디="Green1")
    flat = {"단지코드": "K1", "동": "1", "호": "1"}
    member("R-complex", "bad_value", 참여유형="단지(학교)", **flat, **aggregated("electricity"))
    # D2 is refused for D1's id and protects nobody: D3 lives at D2's address.
    member("R-D1", 아이디="twice01", 가입일자="2020-01-01")
    member("R-D2", "duplicate_login_id", 아이디="ｔｗｉｃｅ01", 가입일자="2020-01-02", 도로명주소="긴길 1")
    member("R-D3", 도로명주소="긴길 1", 가입일자="2020-01-03")
    member("R-D4", "duplicate_household", 도로명주소="긴 길 1(긴동, 긴아파트)", 가입일자="2020-01-04")
    member("R-D5", 도로명주소="긴길 1", 참여유형="상업시설", 가입일자="2020-01-05")
    member("R-D6", "duplicate_customer_no", 전기고객번호="99-0000-7001", 가입일자="2020-01-07")
    member("R-D7", 전기고객번호="9900007001", 가입일자="2020-01-06")
    member("R-gone", 탈퇴일자="2021-01-01", 아이디="gone0001", 가입일자="2020-01-01")
    member("R-after", 아이디="gone0001", 가입일자="2021-02-01")
    # Meters that no reading matches; a region without policy; labels the document writes in two ways.
    member("R-company", 전기업체="우리전력")
    member("R-nowhere", 행정구역코드="99999")
    member(
        "R-blank",
        도로명주소="",
        참여유형=" 개인 (만14세이상) ",
        인센티브유형="그린카드 포인트",
        면적="84.97",
        선택동의="Y",
    )
    member("R-area", 면적="넓음", 인센티브유형="", 선택동의="Y")
    member("R-private", 면적="84.97", 인센티브유형="기부")
    return newest


enrolments(Korea())

# Snapshots: participant -> expected (withdrawn_on) after all of them
OLD = "20230101"
MIDDLE = "20230630"
NEWEST = "20240630"


def snapshots(inbox: Path, newest: Korea) -> None:
    """Two older registers, and what the newest says of the same people."""
    old = Korea(first_meter=7001)
    for who in ("missing", "missing-withdrawn", "back", "refused", "unreadable", "refused-twice", "stays"):
        withdrawn = "2022-05-05" if who == "missing-withdrawn" else ""
        old.person(f"S-{who}", 행정구역코드="48051", 탈퇴일자=withdrawn)
    old.write(inbox, OLD)
    middle = Korea()
    for who in ("refused", "unreadable", "refused-twice", "stays"):
        middle.members[f"S-{who}"] = dict(old.members[f"S-{who}"])
    middle.members["S-refused-twice"]["필수동의"] = "N"
    middle.members["S-new"] = old.members["S-stays"] | {
        "참여자번호": "S-new", "아이디": "snew001", "전기고객번호": "9900008001", "도로명주소": "새길 1",
    }  # fmt: skip
    middle.members["S-bad"] = middle.members["S-new"] | {"참여자번호": "S-bad", "가입일자": "어제"}
    middle.write(inbox, MIDDLE)
    for who in ("back", "refused", "unreadable", "refused-twice", "stays", "new"):
        newest.members[f"S-{who}"] = dict((old.members | middle.members)[f"S-{who}"])
    newest.members["S-refused"]["필수동의"] = "N"
    newest.members["S-refused-twice"]["필수동의"] = "N"
    newest.members["S-unreadable"]["가입일자"] = "2020-13-01"
