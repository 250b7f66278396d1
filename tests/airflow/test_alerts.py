"""Messages: what they say, what they do not say, and that nothing is sent where nobody asked for any."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest

from tanso.airflow import alerts
from tanso.steps import files_brought

DOC = """
### Title

**Does** This.

**When it fails** Nothing is lost:
mend `what the log names` and run again.
"""


def raised(action) -> Exception:
    try:
        action()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def context(error, run: str = "manual__1"):
    task = SimpleNamespace(
        dag_id="ingest_extracts", task_id="ingest_source", run_id=run, try_number=3, log_url="http://127.0.0.1/log"
    )
    task.rendered_map_index = "kr_kepco: kepco_202207.csv"
    run = SimpleNamespace(start_date="2022-07-01")
    return {"ti": task, "dag_run": run, "dag": SimpleNamespace(doc_md=DOC), "exception": error}


@pytest.fixture
def sent(monkeypatch) -> list:
    kept: list = []
    monkeypatch.setattr(alerts, "send", lambda subject, lines: kept.append((subject, lines)))
    return kept


def test_a_failed_run_is_told_once(home, sent):
    from tanso.steps import source_ids

    error = raised(lambda: source_ids(["nowhere"]))
    alerts.failed(context(error))
    alerts.failed(context(RuntimeError("another task of the run")))
    [(subject, lines)] = sent
    assert subject == "tanso: ingest_extracts failed at ingest_source [kr_kepco: kepco_202207.csv]"
    assert lines[:3] == [
        "DAG: ingest_extracts",
        "Task: ingest_source [kr_kepco: kepco_202207.csv], try 3",
        "Run: manual__1",
    ]
    assert lines[3].startswith("Error: ValueError: Unknown source: nowhere. Declared sources: ")
    assert lines[4:] == [
        "Next: Nothing is lost: mend what the log names and run again.",
        "Log: http://127.0.0.1/log",
    ]
    alerts.failed(context(error, "manual__2"))
    assert len(sent) == 2


def test_words_of_a_library_are_not_passed_on():
    import duckdb

    error = raised(lambda: duckdb.sql("select cast('김보기 010-0000-0000' as integer)").fetchall())
    assert "010-0000-0000" in str(error)
    assert alerts.first_line(error) == "ConversionException; the log has more"
    assert alerts.first_line(raised(lambda: int("김보기"))) == "ValueError; the log has more"
    assert "killed" in alerts.first_line(None)


def test_a_list_of_problems_is_told_with_its_first(monkeypatch):
    monkeypatch.setattr(alerts, "OUR_WORDS", (__file__,))

    def check():
        raise ValueError("policy has 2 problem(s):\n  tiers.csv, row 2: no points\n  tiers.csv, row 3: no rate")

    assert alerts.first_line(raised(check)) == "ValueError: policy has 2 problem(s): tiers.csv, row 2: no points"


def test_nothing_is_sent_without_a_connection(home, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    assert alerts.send("tanso: a test", ["line"]) is False
    assert "no message is sent" in capsys.readouterr().out


def test_an_approval_that_was_answered_is_no_news(sent):
    run = {"dag_id": "issue_payouts", "dag_run_id": "asset__1", "queued_at": "2022-07-01T09:00:00Z", "state": "failed"}
    alerts.unanswered({"dag_run": run})
    assert sent == []
    alerts.unanswered({"dag_run": run | {"state": "running"}})
    [(subject, _)] = sent
    assert subject == "tanso: issue_payouts waits for approval since 2022-07-01"


@pytest.mark.parametrize(
    ("as_of", "said"),
    [  # payable from the first day of month 12 of 2019; near: 31 days before, late: 14 days after
        (date(2019, 10, 30), ""),
        (date(2019, 10, 31), "becomes payable on 2019-12-01: 5,000 KRW. Run evaluate_programs on or after that day."),
        (date(2019, 11, 30), "becomes payable on 2019-12-01: 5,000 KRW. Run evaluate_programs on or after that day."),
        (date(2019, 12, 1), ""),
        (date(2019, 12, 14), ""),
        (date(2019, 12, 15), "is payable since 2019-12-01, and 5,000 KRW are not issued. Approve its proposal."),
    ],
)
def test_payout_dates_that_are_near_or_missed(as_of, said, sample_home, monkeypatch):
    """The sample, as if 5,000 won of 2019H1 were not issued."""
    from tanso.payouts import decision
    from tanso.reports.payout_dates import sentences

    def standing(home, days):
        day = days["kr_carbon_point"]
        row = {"program_id": "kr_carbon_point", "currency": "KRW"}
        owed = 5_000 if day >= date(2019, 12, 1) else 0
        return [row | {"period_id": "2019H1", "to_pay": owed}, row | {"period_id": "2019H2", "to_pay": 0}]

    monkeypatch.setattr(decision, "standing", standing)
    assert sentences(sample_home, as_of) == ([f"kr_carbon_point 2019H1 {said}"] if said else [])


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["usage_2022-07.csv"], "usage_2022-07.csv"),
        (["b.csv", "a.csv", "c.csv"], "a.csv +2"),
        (["전력 1월.csv"], "전력 1월.csv"),
        (["a\n\u202egpj.csv"], r"a\x0a\u202egpj.csv"),  # a line break, and a mark that turns what follows around
        (["x" * 81], "x" * 79 + "…"),
    ],
)
def test_files_are_named_safely(names, shown):
    assert files_brought(names) == shown
