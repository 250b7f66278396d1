"""The payout examples P1 to P3 as one history: what arrives when, and what is issued on which day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.blackbox.files import write_csv
from tests.blackbox.japan import Japan
from tests.blackbox.korea import RETURNS, Korea

ACCOUNT = {"은행코드": "004", "계좌번호": "123-456-789012"}


def japan(inbox: Path) -> None:
    """P3 is N1. N2 has chosen no prize; N3 saved nothing, has a nickname and a long road."""
    j = Japan()
    j.person("N1", "2016-05-10", name="中野 花子").opening("N1", "2018-05-15", 240)
    j.slips("N1", 2018, 300, [249, *[300] * 5]).apply("N1", reports=4)
    j.person("N2", name="@杉並 太郎").slips("N2", 2018, 300, [260, *[300] * 5]).apply("N2", reports=1, prize="")
    j.person("N3", nickname="みどり").slips("N3", 2018, 300, 300).apply("N3", marks=50)
    j.write(inbox)


class Members:
    """The Korean register and readings as they change."""

    def __init__(self, inbox: Path) -> None:
        self.inbox, self.k = inbox, Korea()

    def begin(self) -> None:
        """P1 is Q1 and Q2, P2 is Q3; the others take what else can be paid."""
        k = self.k
        k.person("Q1").use("Q1", "2019-07", [200] * 6).use("Q1", "2020-07", [178] * 6)
        k.person("Q2", 계좌번호="").use("Q2", "2019-07", [200] * 6).use("Q2", "2020-07", [188] * 6)
        for who, values in {
            "L1": {"행정구역코드": "43110"},
            "L2": {"행정구역코드": "43110", "인센티브유형": "기부", "상세주소": "뒷집"},
            "L3": {"행정구역코드": "43110", "인센티브유형": "그린카드", "그린카드번호": "1234-5678-9012-3456"},
            "L4": {
                "행정구역코드": "43110",
                "인센티브유형": "상품권",
                "참여자명": "吉𠮷동",
                "도로명주소": "=청주로 1",
                "동": "101",
                "호": "1203",
                "상세주소": "행복아파트",
            },
            "L5": {"참여자명": "김영희", "예금주": "김영희"},
            "L6": {},
            "Q3": {},
            "H1": {"인센티브유형": ""},
            "H2": {"행정구역코드": "48051", "은행코드": "88"},
        }.items():
            k.person(who, **values).use(who, "2019-01", [200] * 6).use(who, "2021-01", [178] * 6)
        k.write(self.inbox, "20210101")

    def correct(self, who: str, month: str, usage: int, name: str) -> None:
        """A later file with one reading."""
        self.k.readings["electricity"].clear()
        self.k.use(who, month, [usage])
        later = Korea()
        later.readings = self.k.readings
        later.write(self.inbox, readings=name)

    def account(self, who: str, snapshot: str) -> None:
        """A newer register with another account."""
        self.k.members[who] |= ACCOUNT
        Korea.write(self._register(), self.inbox, snapshot)

    def _register(self) -> Korea:
        only = Korea()
        only.members = self.k.members
        return only

    def returned(self, batch_id: str, line_no: int) -> None:
        path = self.inbox / "kr_returns" / "returns_202201.csv"
        write_csv(path, RETURNS, [[batch_id, line_no, "계좌해지"]], "cp949")


def history(inbox: Path) -> list[tuple[date, list]]:
    """(day, what arrives before it); day after day."""
    members = Members(inbox)
    return [
        (date(2019, 4, 14), [lambda: japan(inbox), members.begin]),
        (date(2019, 4, 15), []),
        (date(2019, 5, 31), []),
        (date(2019, 10, 1), []),
        (date(2021, 5, 31), []),
        (date(2021, 6, 1), []),
        (
            date(2021, 7, 10),
            [
                lambda: members.correct("Q1", "2020-12", 238, "_corrected_a"),
                lambda: members.account("Q2", "20210701"),
            ],
        ),
        (
            date(2021, 8, 10),
            [lambda: members.correct("Q1", "2020-12", 118, "_corrected_a")],
        ),  # the same name, other bytes,
        (date(2021, 8, 11), []),
        (date(2021, 12, 1), []),
        (date(2022, 1, 10), [lambda: members.correct("Q3", "2021-06", 118, "_corrected_c")]),
        (date(2022, 2, 1), [lambda: members.returned("2021H1-001", 7)]),
        (date(2022, 3, 1), [lambda: members.account("Q3", "20220215")]),
        (date(2022, 3, 2), [lambda: None]),  # evaluated once more
    ]
