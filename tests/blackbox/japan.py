"""Japanese extracts from compact cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.blackbox.files import write_csv

REGISTRATIONS = [
    *["参加者番号", "氏名", "ニックネーム", "郵便番号", "住所"],
    *["登録日", "転出日", "旧制度申請日", "ガス使用", "登録前年度CO2排出量"],
]
SLIPS = ["参加者番号", "種別", "対象年月", "今年使用量", "前年使用量"]
REPORTS = ["7月", "8月", "9月", "12月", "1月", "2月"]
APPLICATIONS = [
    *["申請番号", "参加者番号", "年度", "受付日", "電気台紙", "ガス台紙", "希望賞品コード", "エコマーク枚数"],
    *[f"行動レポート_{month}" for month in REPORTS],
]
ACTIONS = ["参加者番号", "実施日", "行動コード", "数量"]
OPENING = ["参加者番号", "認定日", "ポイント"]
YEAR_NAMES = {2018: "平成30年度", 2019: "2019", 2020: "R2", 2021: "令和3年度", 2022: "2022"}
MONTH_FORMS = ["{}{}", "{}-{}", "{}/{}", "{}.{}"]


def fiscal_months(year: int) -> list[str]:
    return [f"{year}-07", f"{year}-08", f"{year}-09", f"{year}-12", f"{year + 1}-01", f"{year + 1}-02"]


class Japan:
    """Participants, slips, applications … of one inbox; ``write`` puts the files there."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.people: list[list[str]] = []
        self.slip_rows: list[list[Any]] = []
        self.application_rows: list[list[Any]] = []
        self.action_rows: list[list[Any]] = []
        self.opening_rows: list[list[Any]] = []

    def person(
        self,
        who: str,
        joined: str = "2018-04-10",
        *,
        moved_out: str = "",
        former: str = "",
        gas: str = "無",
        nickname: str = "",
        name: str = "中野 花子",
    ) -> Japan:
        self.people.append([who, name, nickname, "164-8501", "中野四丁目８番１号", joined, moved_out, former, gas, ""])
        return self

    def slips(self, who: str, year: int, last: Any, this: Any, kind: str = "電気") -> Japan:
        """Six months; one value for all, or a list. None: blank."""
        lasts, thises = (value if isinstance(value, list) else [value] * 6 for value in (last, this))
        for n, month in enumerate(fiscal_months(year)):
            form = MONTH_FORMS[(len(self.slip_rows)) % 4].format(*month.split("-"))
            self.slip_rows.append([who, kind, form, thises[n], lasts[n]])
        return self

    def apply(
        self,
        who: str,
        year: int = 2018,
        on: str | None = None,
        *,
        reports: int = 0,
        marks: Any = "",
        electricity: str = "有",
        gas: str = "",
        prize: str = "QUO500",
    ) -> Japan:
        """``reports``: of the first so many months."""
        number = f"A-{len(self.application_rows):04}"
        ticks = ["○" if n < reports else "" for n in range(6)]
        row = [number, who, YEAR_NAMES[year], on or f"{year + 1}-03-18", electricity, gas, prize, marks, *ticks]
        self.application_rows.append(row)
        return self

    def act(self, who: str, on: str, code: str, quantity: Any = 1) -> Japan:
        self.action_rows.append([who, on, code, quantity])
        return self

    def opening(self, who: str, certified_on: str, points: Any) -> Japan:
        self.opening_rows.append([who, certified_on, points])
        return self

    def write(self, inbox: Path, name: str = "20230401") -> None:
        for source, pattern, header, rows in [
            ("jp_registrations", "registrations", REGISTRATIONS, self.people),
            ("jp_meter_slips", "slips", SLIPS, self.slip_rows),
            ("jp_applications", "applications", APPLICATIONS, self.application_rows),
            ("jp_actions", "actions", ACTIONS, self.action_rows),
            ("jp_opening_points", "opening", OPENING, self.opening_rows),
        ]:
            if rows:
                write_csv(inbox / f"{self.prefix}{source}" / f"{pattern}_{name}.csv", header, rows, "cp932")
