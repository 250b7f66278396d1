"""The register over several snapshots: who is kept, and as what."""

from __future__ import annotations

from datetime import date

import duckdb

from tanso.lake import TABLES, create_sources


def korean(number: int, **changes: str) -> dict[str, str]:
    return {
        "participant_id": f"P{number}",
        "name": f"이름{number}",
        "login_id": f"member{number}",
        "participant_type": "개인(만14세이상)",
        "region_code": "48170",
        "joined_on": "20200408",
        "required_consent": "Y",
        "electricity_provider": "한국전력",
        "electricity_method": "개별납부",
        "electricity_customer_no": f"{number:010d}",
    } | changes


NO_CONSENT = {"required_consent": "N"}
UNREADABLE = {"region_code": "4817"}

# case, a member's row in the snapshots of 2021-01-01, 02-01 and 03-01 (None: no row), withdrawn_on, why kept, last file
CASES = [
    ("there all the time", [{}, {}, {}], None, None, None),
    ("missing in the newest", [{}, {}, None], "2021-03-01", "missing", "0201"),
    ("missing since the second: the first file counts", [{}, None, None], "2021-02-01", "missing", "0101"),
    ("back again", [{}, None, {}], None, None, None),
    ("refused in the newest", [{}, {}, NO_CONSENT], "2021-03-01", "consent_missing", "0201"),
    ("refused since the second", [{}, NO_CONSENT, NO_CONSENT], "2021-02-01", "consent_missing", "0101"),
    ("refused, then missing: the date never moves", [{}, NO_CONSENT, None], "2021-02-01", "missing", "0101"),
    ("unreadable in the newest: unchanged", [{}, {}, UNREADABLE], None, "bad_value", "0201"),
    ("unreadable, then missing", [{}, UNREADABLE, None], "2021-03-01", "missing", "0101"),
    ("missing, then unreadable: stays so", [{}, None, UNREADABLE], "2021-02-01", "bad_value", "0101"),
    ("refused, then unreadable: stays so", [{}, NO_CONSENT, UNREADABLE], "2021-02-01", "bad_value", "0101"),
    ("a date of its own is kept", [{}, {"withdrawn_on": "20210115"}, None], "2021-01-15", "missing", "0201"),
    ("never accepted", [NO_CONSENT, NO_CONSENT, NO_CONSENT], "no row", None, None),
    ("first accepted in the newest", [NO_CONSENT, None, {}], None, None, None),
]


def test_withdrawn_where_missing_rows_withdraw(extracts):
    register = extracts("kr_enrolments")
    for month in (1, 2, 3):
        rows = [
            korean(number, **history[month - 1])
            for number, (_, history, *_) in enumerate(CASES, start=1)
            if history[month - 1] is not None
        ]
        register.accept(rows, f"enrolments_20210{month}01.csv")
    report = register.publish()
    in_force = dict(register.lake("participants", "participant_id, withdrawn_on"))
    kept = {entry.pop("participant_id"): entry for entry in report["kept"]}
    for number, (case, _, withdrawn_on, reason, last_file) in enumerate(CASES, start=1):
        member = f"P{number}"
        if withdrawn_on == "no row":
            assert member not in in_force, case
        else:
            assert in_force[member] == (withdrawn_on and date.fromisoformat(withdrawn_on)), case
        entry = {"reason": reason, "last_file": f"enrolments_2021{last_file}.csv", "withdrawn_on": withdrawn_on}
        assert kept.get(member) == (entry if reason else None), case


def test_repeated_number_is_one_outcome(extracts):
    """Refused for consent, and repeated: the first row decides. Repeated after an unreadable row: nothing was read."""
    register = extracts("kr_enrolments")
    register.accept([korean(1), korean(2)], "enrolments_20210101.csv")
    register.accept(
        [
            korean(1, **NO_CONSENT),
            korean(1),
            korean(2, **UNREADABLE),
            korean(2, **UNREADABLE, phone="010"),
        ],
        "enrolments_20210201.csv",
    )
    report = register.publish()
    assert [(kept["participant_id"], kept["reason"], kept["withdrawn_on"]) for kept in report["kept"]] == [
        ("P1", "consent_missing", "2021-02-01"),
        ("P2", "bad_value", None),
    ]


def test_row_in_force_is_of_the_last_file(extracts):
    register = extracts("kr_enrolments")
    register.accept([korean(1, region_code="43110"), korean(2)], "enrolments_20210301.csv")
    earlier = korean(1, gas_method="관리비합산", gas_provider="이지스", complex_code="K1", dong="1", ho="2")
    register.accept([earlier], "enrolments_20210101.csv")
    # The same name again, other bytes: the later received wins.
    register.accept([korean(1, region_code="43111"), korean(2)], "enrolments_20210301.csv")
    register.publish()
    assert register.lake("participants", "participant_id, region_code, source_file_id") == [
        ("P1", "43111", f"{3:064x}"),
        ("P2", "48170", f"{3:064x}"),
    ]
    assert register.lake("participant_utilities") == [
        ("kr_carbon_point", "P1", "electricity", "한국전력", "0000000001"),
        ("kr_carbon_point", "P2", "electricity", "한국전력", "0000000002"),
    ]


def test_kept_rows_take_no_part_in_duplicate_checks(extracts):
    register = extracts("kr_enrolments")
    register.accept([korean(1, electricity_customer_no="77")], "enrolments_20210101.csv")
    register.accept([korean(2, electricity_customer_no="77", joined_on="20210115")], "enrolments_20210201.csv")
    register.publish()
    assert register.lake("participants", "participant_id, withdrawn_on") == [("P1", date(2021, 2, 1)), ("P2", None)]


def test_kept_unchanged_where_missing_rows_are_kept(extracts):
    register = extracts("jp_registrations")
    register.accept(
        [{"participant_id": "N1", "joined_on": "H30.4.10"}, {"participant_id": "N2", "joined_on": "H30.4.10"}],
        "registrations_20190301.csv",
    )
    register.accept([{"participant_id": "N2", "joined_on": "H30.4.31"}], "registrations_20190401.csv")
    report = register.publish()
    assert register.lake("participants", "participant_id, withdrawn_on") == [("N1", None), ("N2", None)]
    assert [(kept["participant_id"], kept["reason"], kept["withdrawn_on"]) for kept in report["kept"]] == [
        ("N1", "missing", None),
        ("N2", "bad_value", None),
    ]


def test_notes_are_those_of_the_newest_snapshot(extracts):
    register = extracts("jp_registrations")
    former = {"participant_id": "N1", "joined_on": "2018-03-31"}
    register.accept([former], "registrations_20190301.csv")
    assert register.publish()["notes"] == [{"participant_id": "N1", "note": "former_scheme_date_missing"}]
    register.accept([former | {"former_scheme_applied_on": "2018-08-10"}], "registrations_20190401.csv")
    assert register.publish()["notes"] == []


def test_publishing_twice_gives_the_same_bytes_and_nothing_staged_no_file(extracts):
    register = extracts("kr_enrolments")
    register.accept([korean(2), korean(1)], "enrolments_20210101.csv")
    register.publish()
    path = register.home.lake / "participants" / "kr_enrolments.parquet"
    first = path.read_bytes()
    path.unlink()
    register.publish()
    assert path.read_bytes() == first
    register.staged.clear()
    assert register.publish() == {}
    assert not path.exists()


def test_lake_has_the_declared_columns(extracts):
    register = extracts("kr_enrolments")
    register.accept([korean(1)], "enrolments_20210101.csv")
    register.publish()
    with duckdb.connect() as con:
        create_sources(con, register.home.lake)
        for table in ("participants", "participant_utilities"):
            path = register.home.lake / table / "kr_enrolments.parquet"
            described = {row[0]: row[1] for row in con.sql(f"describe from read_parquet('{path}')").fetchall()}
            assert described == TABLES[table]
            assert con.execute(f"select count(*) from lake.{table}").fetchall() == [(1,)]
