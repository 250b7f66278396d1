"""An operator starts the chain in a browser, an approver answers in one; nothing personal is shown.

``SCREENSHOTS=<folder>`` keeps what was seen (those of the README lie in ``docs/images``).
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.browser.conftest import PACK, Installation, until

CHROMIUM, CHROMEDRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,840",
    "--lang=en",
]
PERSONAL_COLUMNS = ("氏名", "住所")
SECONDS = 120

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(3000),
    pytest.mark.skipif(
        not (CHROMIUM and CHROMEDRIVER),
        reason="there is no chromium with chromedriver on this machine (Debian: chromium chromium-driver)",
    ),
]


@dataclass
class Person:
    """Somebody logged in; ``seen`` is the source of every page they looked at."""

    browser: webdriver.Chrome
    url: str
    seen: dict[str, str] = field(default_factory=dict)

    def go(self, path: str) -> None:
        self.browser.get(self.url + path)

    def find(self, selector: str) -> WebElement:
        """The first such element once it is shown."""

        def shown(browser: webdriver.Chrome) -> WebElement | None:
            found = browser.find_element(By.CSS_SELECTOR, selector)
            return found if found.is_displayed() else None

        return self._wait(shown)

    def read(self, text: str) -> str:
        """The page's text once it holds ``text``."""

        def reads(browser: webdriver.Chrome) -> str | None:
            said = browser.find_element(By.TAG_NAME, "body").text
            return said if text in said else None

        return self._wait(reads, f"{text!r} is not on {self.browser.current_url}")

    def look(self, name: str) -> None:
        """Keep the page's source, and its picture when pictures are asked for."""
        self.seen[name] = self.browser.page_source
        if folder := os.environ.get("SCREENSHOTS"):
            assert self.browser.save_screenshot(str(Path(folder).resolve() / f"{name}.png"))

    def _wait(self, happens: Callable, message: str = ""):
        ignored = (NoSuchElementException, StaleElementReferenceException)
        return WebDriverWait(self.browser, SECONDS, ignored_exceptions=ignored).until(happens, message)


@pytest.fixture(scope="module")
def log_in(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Person]]:
    """Log somebody of a role in, each with a browser of their own."""
    browsers = []

    def log_in(role: str) -> Person:
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in [*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"]:
            options.add_argument(flag)
        browsers.append(webdriver.Chrome(options=options, service=webdriver.ChromeService(CHROMEDRIVER)))
        person = Person(browsers[-1], installation.url)
        person.go("/")
        for name, value in zip(("username", "password"), installation.password(role), strict=True):
            person.find(f"#{name}").send_keys(value)
        person.find("[type=submit]").click()
        person.read("Active Dags")
        return person

    yield log_in
    for browser in browsers:
        browser.quit()


@pytest.fixture(scope="module")
def operator(log_in, installation: Installation) -> Person:
    """The operator, who has started ingest with the form and seen the chain go green."""
    person = log_in("operator")
    person.go("/dags/ingest_extracts")
    person.find("[data-testid=trigger-dag-button]").click()
    day = person.find("#element_as_of")
    day.send_keys("06302020")
    assert day.get_attribute("value") == "2020-06-30"
    person.read("Ids of the sources to take, one a line. Empty: all.")
    person.look("trigger")
    person.find("[data-testid=trigger-dag-submit]").click()
    for dag_id in ("ingest_extracts", "evaluate_programs"):
        run = until(lambda dag_id=dag_id: latest(installation, dag_id))
        until(lambda run=run: installation.run(run["dag_id"], run["dag_run_id"])["state"] == "success")
        person.go(f"/dags/{dag_id}/runs/{run['dag_run_id']}")
        person.read("Success")
        person.look(dag_id)
    until(lambda: installation.waiting("FY2018") and installation.waiting("FY2019"))
    return person


@pytest.fixture(scope="module")
def approver(log_in, operator: Person, installation: Installation) -> Person:
    """The approver, who has approved one of the two payouts under Required Actions."""
    person = log_in("approver")
    person.look("home")
    person.go("/required_actions")
    person.read("2 Required Actions")
    person.look("required_actions")
    subject = "jp_nakano_eco_point FY2018-001: pay 496,000 JPY in 124 lines?"
    person.go(path_of_link(person, subject))
    person.read("By region and kind")
    person.look("approval")
    person.find("[data-testid=hitl-option-Approve]").click()
    until(lambda: "FY2018-001" in installation.batches())
    return person


def test_what_was_started_with_the_form_runs_with_its_day(operator: Person, installation: Installation):
    assert latest(installation, "ingest_extracts")["conf"] == {"sources": None, "as_of": "2020-06-30"}


def test_the_grid_names_the_files(operator: Person, installation: Installation):
    run = latest(installation, "ingest_extracts")["dag_run_id"]
    operator.go(f"/dags/ingest_extracts/runs/{run}")
    operator.read("jp_meter_slips: slips_2018_late.csv +7")


def test_the_batch_is_issued_under_the_approvers_name(approver: Person, installation: Installation):
    manifest = installation.batches()["FY2018-001"]
    assert manifest["approved_by"] == installation.password("approver")[0]
    assert manifest["amount"] == 496_000  # what the page asked about


def test_what_waits_still_waits(approver: Person, installation: Installation):
    approver.go("/required_actions")
    approver.read("FY2019-001")
    assert "FY2019-001" not in installation.batches()


def test_nothing_personal_is_shown_or_passed_on(operator: Person, approver: Person, installation: Installation):
    pages = operator.seen | approver.seen
    assert "FY2018-001" in pages["approval"]
    passed_on = xcoms(installation)
    assert any("FY2018-001" in value for value in passed_on)
    personal = personal_data()
    for name, text in [*pages.items(), *enumerate(passed_on)]:
        assert [value for value in personal if value in text] == [], name


def latest(it: Installation, dag_id: str) -> dict | None:
    runs = [run for run in it.operator.runs() if run["dag_id"] == dag_id]
    return runs[-1] if runs else None


def path_of_link(person: Person, subject: str) -> str:
    """Where the link with this text, shortened on the page, leads to."""
    links = person.browser.find_elements(By.CSS_SELECTOR, "a")
    [address] = [link.get_attribute("href") for link in links if link.text == subject]
    return address.removeprefix(person.url)


def xcoms(it: Installation) -> list[str]:
    """Whatever a task passed on, as text."""
    values = []
    for run in it.operator.runs():
        for task in it.operator.tasks(run):
            path = f"/dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}/taskInstances/{task['task_id']}/xcomEntries"
            for entry in it.operator.get(path, limit=100)["xcom_entries"]:
                value = it.operator.get(f"{path}/{entry['key']}", map_index=entry["map_index"])["value"]
                values.append(json.dumps(value, ensure_ascii=False))
    return values


def personal_data() -> set[str]:
    """Names and addresses in the sample's registers."""
    values: set[str] = set()
    for path in sorted((PACK / "sample" / "jp_registrations").glob("*.csv")):
        for row in csv.DictReader(io.StringIO(path.read_text("cp932"))):
            values |= {row[column].strip() for column in PERSONAL_COLUMNS}
    values = {value for value in values if len(value) >= 3}
    assert len(values) > 100
    return values
