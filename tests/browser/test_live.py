"""A live Airflow: who may do what, answers that pay nobody, questions asked again, and who is told."""

from __future__ import annotations

import base64
import csv
import io
import json
import sqlite3
import time
from contextlib import closing

import httpx
import pytest

from tests.browser.conftest import AS_OF, PACK, Installation, path_of, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(3000)]

NEW_RUN = {"logical_date": None, "conf": {}}


def test_it_says_where_it_is_and_who_may_log_in(installation: Installation):
    assert installation.url in installation.started
    assert installation.url.startswith("http://127.0.0.1:")
    assert "park (operator), 김 담당 (approver), lee (analyst)" in installation.started
    passwords = installation.home.root / "airflow" / "users.json"
    assert str(passwords) in installation.started
    assert passwords.stat().st_mode & 0o777 == 0o600
    assert (installation.home.root / "airflow").stat().st_mode & 0o777 == 0o700
    given = json.loads(passwords.read_text("utf-8"))
    assert len(set(given.values())) == len(given) == 3 and all(len(password) >= 16 for password in given.values())
    assert not any(password in installation.started for password in given.values())


def test_up_again_says_that_it_is_up(installation: Installation):
    before = installation.url
    again = installation.command("up")
    assert again.returncode == 0
    assert "up already" in again.stdout and before in again.stdout
    assert installation.url == before


@pytest.mark.parametrize("who", ["operator", "approver", "analyst"])
def test_roles(asked: Installation, who: str):
    client: httpx.Client = getattr(asked, who).client
    operates = 200 if who == "operator" else 403
    assert client.get("/api/v2/dags").json()["total_entries"] == 3
    assert client.get("/api/v2/pools").status_code == 200
    for dag_id in ("ingest_extracts", "evaluate_programs", "issue_payouts"):
        assert client.patch(f"/api/v2/dags/{dag_id}", json={"is_paused": False}).status_code == operates
        if who != "operator":
            assert client.post(f"/api/v2/dags/{dag_id}/dagRuns", json=NEW_RUN).status_code == 403
    # Nobody reads or writes secrets, or what a task passed on, in the UI.
    for kind in ("connections", "variables"):
        assert client.get(f"/api/v2/{kind}").status_code == 403
    connection = {"connection_id": "bank", "conn_type": "http"}
    assert client.post("/api/v2/connections", json=connection).status_code == 403
    [waiting, *_] = asked.waiting("FY2019")
    forged = {"key": "return_value", "value": {"responded_by_user": {"name": "김 담당"}}, "map_index": 0}
    path = path_of(waiting).rsplit("/", 1)[0]
    assert client.post(f"{path}/xcomEntries", json=forged).status_code == 403


@pytest.mark.parametrize("who", ["operator", "analyst"])
def test_only_an_approver_answers(asked: Installation, who: str):
    [waiting, *_] = asked.waiting("FY2019")
    assert asked.answer(waiting, "Approve", getattr(asked, who)) == 403
    assert asked.task(waiting)["state"] == "awaiting_input"


def test_passwords_are_needed(installation: Installation):
    assert httpx.get(f"{installation.url}/api/v2/dags", trust_env=False).status_code == 401
    login = {"username": "park", "password": "park"}
    assert httpx.post(f"{installation.url}/auth/token", json=login, trust_env=False).status_code == 401


def test_wrong_passwords_are_slowed_down(installation: Installation):
    login = {"username": "park", "password": "park"}
    answers = [httpx.post(f"{installation.url}/auth/token", json=login, trust_env=False, timeout=60) for _ in range(40)]
    refused = [answer.status_code for answer in answers]
    assert set(refused) <= {401, 429} and refused.count(401) <= 10 and refused[-1] == 429
    time.sleep(int(answers[-1].headers["Retry-After"]))  # others come from the same address


def test_no_other_site_frames_its_pages_or_stands_in_them(installation: Installation):
    for path in ("/", "/auth/login/", "/api/v2/version"):
        headers = httpx.get(installation.url + path, trust_env=False, timeout=60).headers
        assert headers["X-Frame-Options"] == "DENY", path
        assert "default-src 'self'" in headers["Content-Security-Policy"], path
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], path


def test_a_token_lasts_an_hour(installation: Installation):
    name, password = installation.password("approver")
    login = {"username": name, "password": password}
    answer = httpx.post(f"{installation.url}/auth/token", json=login, trust_env=False, timeout=60)
    payload = answer.json()["access_token"].split(".")[1]
    told = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert told["exp"] - told["iat"] == 3600


def test_sources_are_named_by_their_files(asked: Installation):
    [run] = [run for run in asked.operator.runs() if run["dag_id"] == "ingest_extracts"]
    shown = {task["rendered_map_index"] for task in asked.operator.tasks(run) if task["task_id"] == "ingest_source"}
    assert shown == {  # by the file names in the pack's sample/
        "jp_actions: actions_fy2018.csv +1",
        "jp_applications: applications_20190531.csv +5",
        "jp_meter_slips: slips_2018_late.csv +7",
        "jp_opening_points: opening_20180401.csv",
        "jp_registrations: registrations_20181228.csv +5",
    }


def test_a_wrong_day_is_refused_at_once(asked: Installation):
    refused = asked.operator.client.post(
        "/api/v2/dags/ingest_extracts/dagRuns", json={"logical_date": None, "conf": {"as_of": "30.06.2020"}}
    )
    assert refused.status_code == 400
    assert "as_of" in refused.text and "30.06.2020" in refused.text


def test_the_first_batch_names_the_responder(asked: Installation):
    for waiting in asked.waiting("FY2018"):  # the browser test has answered, where there is a browser
        assert asked.answer(waiting, "Approve") == 200
    manifest = until(lambda: asked.batches().get("FY2018-001"))
    assert manifest["approved_by"] == "김 담당"
    assert manifest["as_of"] == AS_OF
    until(asked.quiet)
    # The batch started an evaluation; what still waited was not asked for once more.
    assert len(asked.waiting("FY2019")) == 1


def test_a_rejection_fails_the_run_and_pays_nobody(asked: Installation):
    [waiting] = asked.waiting("FY2019")
    assert asked.answer(waiting, "Reject") == 200
    run = until(lambda: finished(asked, waiting["dag_id"], waiting["dag_run_id"]))
    assert run["state"] == "failed"
    assert asked.task(waiting, "payout.issue")["state"] == "upstream_failed"
    assert set(asked.batches()) == {"FY2018-001"}
    [message] = until(lambda: list(asked.posted))
    assert message["path"] == "/hook"
    assert message["text"].startswith("tanso: issue_payouts failed at payout.approve [jp_nakano_eco_point FY2019-001")
    assert "the proposal was rejected; nothing was issued" in message["text"]
    assert f"Run: {waiting['dag_run_id']}\n" in message["text"]
    assert "Next: No batch is ever half-written" in message["text"]
    assert f"Log: {asked.url}/dags/issue_payouts/runs/" in message["text"]


def test_a_source_that_is_not_declared_stops_the_run_with_one_message(asked: Installation):
    asked.posted.clear()
    run_id = asked.operator.trigger("ingest_extracts", {"sources": ["jp_actions", "jp_gas"]})
    run = until(lambda: finished(asked, "ingest_extracts", run_id))
    states = {task["task_id"]: (task["state"], task["try_number"]) for task in asked.operator.tasks(run)}
    assert run["state"] == "failed"
    assert states["list_sources"] == ("failed", 1)
    assert states["publish_lake"][0] == "skipped"
    assert states["report_failed_sources"][0] == "failed"
    # Two tasks failed; one message says so, and only what is needed.
    [message] = until(lambda: list(asked.posted))
    assert "Error: AirflowFailException: Unknown source: jp_gas. Declared sources: jp_actions, " in message["text"]


def test_what_was_rejected_is_asked_again_after_the_next_evaluation(asked: Installation):
    asked.operator.trigger("evaluate_programs", {})
    [again] = until(lambda: asked.waiting("FY2019"))
    assert again["rendered_map_index"].startswith("jp_nakano_eco_point FY2019-001: pay ")


def test_an_approval_of_what_is_no_longer_due_is_refused(asked: Installation):
    [older] = asked.waiting("FY2019")
    rules = asked.pack / "policy" / "point_rules.csv"  # ten times the points for a behaviour report
    rules.write_text(rules.read_text("utf-8").replace(",total,250,", ",total,2500,"), "utf-8")
    asked.operator.trigger("evaluate_programs", {})
    # What nobody answered is asked again, with the new figures.
    _, newer = until(lambda: len(found := asked.waiting("FY2019")) == 2 and found)
    assert newer["rendered_map_index"] != older["rendered_map_index"]
    asked.posted.clear()
    assert asked.answer(older, "Approve") == 200
    refused = until(lambda: (task := asked.task(older))["state"] == "failed" and task)
    assert asked.task(older, "payout.issue")["state"] != "success"
    assert "FY2019-001" not in asked.batches()
    [message] = until(lambda: list(asked.posted))
    assert "StaleProposal" in message["text"]
    assert "was replaced by jp_nakano_eco_point/FY2019-001/" in message["text"]
    assert any("approve that" in line for line in asked.operator.log(refused))


def test_a_week_without_an_answer_is_told(asked: Installation):
    asked.posted.clear()
    [waiting] = asked.waiting("FY2019")
    with closing(sqlite3.connect(asked.home.root / "airflow" / "airflow.db", timeout=60)) as airflow:
        [(days,)] = airflow.execute(
            "select julianday(d.deadline_time) - julianday(r.queued_at) from deadline d join dag_run r "
            "on r.id = d.dagrun_id where r.run_id = ?",
            [waiting["dag_run_id"]],
        )
        airflow.execute(
            "update deadline set deadline_time = '2020-01-01 00:00:00' where dagrun_id = "
            "(select id from dag_run where run_id = ?)",
            [waiting["dag_run_id"]],
        )
        airflow.commit()
    assert round(days, 3) == 7
    [message] = until(lambda: list(asked.posted))
    assert message["text"].startswith("tanso: issue_payouts waits for approval since ")
    assert f"Run: {waiting['dag_run_id']}\n" in message["text"]


def test_marking_approvals_as_done_pays_nobody(asked: Installation):
    [waiting] = asked.waiting("FY2019")
    for task_id in ("payout.approve", "payout.approve_again"):
        task = until(lambda task_id=task_id: ended_or_waits(asked.task(waiting, task_id)))
        marked = asked.operator.client.patch(path_of(task), json={"new_state": "success"})
        assert marked.status_code == 200
    refused = until(lambda: (task := asked.task(waiting, "payout.issue"))["state"] == "failed" and task)
    assert "FY2019-001" not in asked.batches()
    assert any("No person's answer is recorded" in line for line in asked.operator.log(refused))


def test_after_a_restart_a_broken_policy_is_tried_again_and_told_once_by_mail(asked: Installation, mailbox):
    port, mailed = mailbox
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "tanso@city.example", "to": "ops@city.example"}
    connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}
    asked.posted.clear()
    asked.restart(AIRFLOW_CONN_TANSO_ALERTS=json.dumps(connection))
    tiers = asked.pack / "policy" / "bonus_tiers.csv"
    sound = tiers.read_text("utf-8")
    tiers.write_text(sound.replace("bonus-15,jp_nakano_eco_point,FY2018", "bonus-15,jp_nakano_eco_point,2018"), "utf-8")
    try:
        run_id = asked.operator.trigger("evaluate_programs", {})
        run = until(lambda: finished(asked, "evaluate_programs", run_id))
    finally:
        tiers.write_text(sound, "utf-8")
    tried = {task["task_id"]: task["try_number"] for task in asked.operator.tasks(run)}
    assert tried["check_policy"] == 2
    [mail] = until(lambda: list(mailed))
    assert (mail["From"], mail["To"]) == ("tanso@city.example", "ops@city.example")
    assert mail["Subject"] == "tanso: evaluate_programs failed at check_policy"
    [part] = mail.iter_parts()
    assert "Error: PolicyError: policy has " in part.get_content()
    assert "bonus_tiers" in part.get_content()
    assert asked.posted == []


def test_nothing_personal_is_in_airflow(asked: Installation):
    names = personal_names()
    folder = asked.home.root / "airflow"
    seen = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name.startswith("airflow.db") for path in seen)
    assert any(path.name.startswith("attempt=") for path in seen)
    for path in seen:
        content = path.read_bytes()
        leaked = [name for name in names if name.encode() in content or json.dumps(name)[1:-1].encode() in content]
        assert leaked == [], path
    assert not any(name in message["text"] for message in asked.posted for name in names)


def finished(it: Installation, dag_id: str, run_id: str) -> dict | None:
    run = it.run(dag_id, run_id)
    return run if run["state"] in ("success", "failed") else None


def ended_or_waits(task: dict) -> dict | None:
    return task if task["state"] in ("awaiting_input", "failed") else None


def personal_names() -> set[str]:
    """Names in the sample's registers, of three characters or more."""
    names: set[str] = set()
    for path in sorted((PACK / "sample" / "jp_registrations").glob("*.csv")):
        names |= {row["氏名"].strip() for row in csv.DictReader(io.StringIO(path.read_text("cp932")))}
    names = {name for name in names if len(name) >= 3}
    assert len(names) > 50
    return names
