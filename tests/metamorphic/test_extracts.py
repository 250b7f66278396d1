"""At the door: the order of rows, their spread over files and the files' arrival change nothing in the lake."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tanso import lake
from tanso.ingest import ingest_source, publish_lake
from tanso.packs.policy import load_policy
from tanso.packs.sources import load_sources
from tanso.settings import PROJECT_ROOT, Home
from tests.blackbox.files import write_csv

PACKS = [PROJECT_ROOT / "include" / "programs"]
METERS = [f"{number:010}" for number in range(1, 7)]
# What a file's name, bytes and place in the order of arrival decide is not part of the comparison.
COMPARED = {
    "readings": "* exclude (source_file_id)",
    "participants": "* exclude (source_file_id)",
    "participant_utilities": "*",
    "quarantine": "source_id, reason",
}

readings = st.fixed_dictionaries(
    {
        "고객번호": st.sampled_from([*METERS, "12-3456-789", ""]),
        "청구년월": st.sampled_from(["202101", "2021-02", "2021.03", "202113"]),
        "사용량": st.sampled_from(["100", "1,234.5", "0", "-1", "x", "100001", "0.0005"]),
        "계약종별": st.sampled_from(["주택용", "농사용(갑)", ""]),
        "검침구분": st.sampled_from(["실측", "인정"]),
    }
)
# Few values, so that members share log-in ids, homes and meters, and the order of enrolment decides who stays.
enrolments = st.fixed_dictionaries(
    {
        "아이디": st.sampled_from(["member01", "member02", "member03", "member04", "no"]),
        "참여유형": st.sampled_from(["개인(만14세이상)", "상업시설", "법인"]),
        "행정구역코드": st.sampled_from(["48170", "48170", "43110", "11680"]),
        "도로명주소": st.sampled_from(["진주대로 1", "진주대로 1 (상대동)", "진주대로 2", ""]),
        "가입일자": st.sampled_from(["20200408", "20200409"]),
        "탈퇴일자": st.sampled_from(["", "", "20210101"]),
        "필수동의": st.sampled_from(["Y", "Y", "Y", "N"]),
        "전기고객번호": st.sampled_from([*METERS, ""]),
    }
)
PLAIN = {"참여자명": "홍길동", "인센티브유형": "현금", "전기업체": "한국전력", "전기납부방식": "개별납부"}


@pytest.fixture(scope="module")
def declared():
    return {s.source_id: s for s in load_sources(PACKS) if s.source_id in ("kr_enrolments", "kr_kepco")}


@pytest.fixture(scope="module")
def policy():
    return load_policy(PACKS)


def headers(source) -> list[str]:
    return [column.headers[0] for column in source.columns.values()]


def drop(home: Home, source, name: str, rows: list[dict[str, str]]) -> None:
    """A file in the source's inbox, its columns in the order of the declaration."""
    names = headers(source)
    table = [[row.get(name, "") for name in names] for row in rows]
    write_csv(home.inbox / source.source_id / name, names, table, source.encoding)


def contents(home: Home) -> dict[str, list[tuple]]:
    with duckdb.connect() as connection:
        lake.create_sources(connection, home.lake)
        return {
            table: connection.execute(f"select {columns} from lake.{table} order by all").fetchall()
            for table, columns in COMPARED.items()
        }


def few(count: int):
    """A few examples, always the same ones: each of them ingests twice."""
    return settings(
        max_examples=count, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


@few(5)
@given(
    rows=st.lists(readings, min_size=5, max_size=18),
    members=st.lists(enrolments, min_size=2, max_size=8),
    order=st.randoms(use_true_random=False),
)
def test_the_order_of_rows_changes_nothing(tmp_path_factory, one_key, declared, policy, rows, members, order):
    members = [PLAIN | member | {"참여자번호": f"P{number}"} for number, member in enumerate(members)]
    lakes = []
    for shuffled in (False, True):
        home = Home(tmp_path_factory.mktemp("home"))
        for source_id, name, listed in (
            ("kr_kepco", "kepco_1.csv", rows),
            ("kr_enrolments", "enrolments_20210401.csv", members),
        ):
            listed = order.sample(listed, len(listed)) if shuffled else listed
            drop(home, declared[source_id], name, listed)
        take(home, declared, policy)
        lakes.append(contents(home))
    assert lakes[0] == lakes[1]


@few(5)
@given(
    usages=st.dictionaries(
        st.tuples(st.sampled_from(METERS), st.sampled_from(["202101", "202102", "202103"])),
        st.sampled_from(["1", "2.5", "300"]),
        min_size=4,
    ),
    corrected=st.sampled_from(["7", "2.5"]),
    order=st.randoms(use_true_random=False),
)
def test_files_and_their_arrival_change_nothing(tmp_path_factory, one_key, declared, policy, usages, corrected, order):
    """One file, or three of which the last by name corrects a reading but arrives first, in a run of its own."""
    kepco = {"kr_kepco": declared["kr_kepco"]}
    (meter, month), *_ = sorted(usages)
    rows = [{"고객번호": key[0], "청구년월": key[1], "사용량": usage} for key, usage in usages.items()]
    at_once = Home(tmp_path_factory.mktemp("home"))
    drop(at_once, declared["kr_kepco"], "kepco_1.csv", [
        row | ({"사용량": corrected} if (row["고객번호"], row["청구년월"]) == (meter, month) else {}) for row in rows
    ])  # fmt: skip
    take(at_once, kepco, policy)

    in_parts = Home(tmp_path_factory.mktemp("home"))
    order.shuffle(rows)
    cut = order.randint(1, len(rows) - 1)
    late = {"고객번호": meter, "청구년월": month, "사용량": corrected}
    for name, part in (("kepco_3.csv", [late]), ("kepco_2.csv", rows[:cut]), ("kepco_1.csv", rows[cut:])):
        drop(in_parts, declared["kr_kepco"], name, part)
        take(in_parts, kepco, policy)
    assert contents(at_once) == contents(in_parts)


def take(home: Home, sources: dict, policy) -> None:
    results = [ingest_source(source, home, policy) for source in sources.values()]
    assert not [problem for result in results for problem in result.problems]
    publish_lake(home, list(sources.values()), policy, results, expectations=False)


@pytest.fixture(scope="module")
def one_key():
    """One key for all homes: keyed hashes of accounts are compared."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANSO_VAULT_KEY", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
        yield
