"""What is pulled from real servers is landed byte for byte, once, and whole or not at all."""

from __future__ import annotations

import base64
import hashlib
import os

import pytest

from tanso.ingest.pull import places
from tanso.reports.summary import summarize
from tests.ingest.pull.conftest import PASSWORD, USER, Bucket, Programme, SshServer, WebServer, put, readings

OLD, NEW = readings(100), readings(200)


def names(programme: Programme, source_id: str) -> list[tuple[str, str]]:
    return [(receipt["file_name"], receipt["status"]) for receipt in programme.receipts(source_id)]


def test_sftp(programme: Programme, sftp: SshServer) -> None:
    put(sftp.folder, "m_1.csv", OLD)
    put(sftp.folder, "m_전기.csv", NEW)
    put(sftp.folder, "readme.txt", b"hello")
    (sftp.folder / "m_dir.csv").mkdir()
    programme.connection("works", **sftp.connection)
    programme.declare("meters", sftp.url, connection="works")

    result = programme.ingest()
    assert result.problems == []
    assert result.sources[0].ignored_files == ["readme.txt"]
    assert programme.landed() == sorted([OLD, NEW])
    receipt = programme.receipts("meters")[0]
    assert (receipt["file_name"], receipt["size"], receipt["status"]) == ("m_1.csv", len(OLD), "landed")
    assert receipt["sha256"] == hashlib.sha256(OLD).hexdigest()
    assert result.totals["meters"]["rows_accepted"] == 4

    assert programme.ingest().sources[0].files == []
    put(sftp.folder, "m_1.csv", readings(300), age_s=1800)  # a correction under the old name
    put(sftp.folder, "m_2.csv", NEW)  # known bytes
    (sftp.folder / "m_3.csv").symlink_to(put(sftp.folder / "old", "x", readings(400)))
    os.mkfifo(sftp.folder / "m_4.csv")
    assert programme.ingest().problems == []
    assert names(programme, "meters") == [
        ("m_1.csv", "landed"),
        ("m_전기.csv", "landed"),
        ("m_1.csv", "landed"),
        ("m_2.csv", "duplicate"),
        ("m_3.csv", "not_a_file"),
        ("m_4.csv", "not_a_file"),
    ]
    assert programme.landed() == sorted([OLD, NEW, readings(300)])


def test_sftp_does_not_talk_to_a_server_it_does_not_know(programme: Programme, sftp: SshServer) -> None:
    put(sftp.folder, "m_1.csv", OLD)
    extra = {key: value for key, value in sftp.connection["extra"].items() if key != "host_key"}
    programme.connection("works", **{**sftp.connection, "extra": extra})
    programme.declare("meters", sftp.url, connection="works")
    [problem] = programme.ingest().problems
    assert problem.startswith(f"meters: {sftp.url} cannot be pulled: HostKeyNotVerifiable")
    assert programme.landed() == []


def test_sftp_is_not_tried_again_with_credentials_that_are_refused(programme: Programme, sftp: SshServer) -> None:
    programme.connection("works", **{**sftp.connection, "login": "nobody-known", "password": PASSWORD})
    programme.declare("meters", sftp.url, connection="works")
    [problem] = programme.ingest().problems
    assert "cannot be pulled: PermissionError" in problem and PASSWORD not in problem
    assert sftp.log.read_text().count("Invalid user nobody-known from") == 1


def test_s3(programme: Programme, bucket: Bucket) -> None:
    bucket.put("extracts/m_1.csv", OLD)
    bucket.put("extracts/m_2 (late).csv", NEW)
    bucket.put("extracts/deeper/m_3.csv", NEW)
    bucket.put("extracts/notes.txt", b"hello")
    programme.connection("store", **bucket.connection)
    programme.declare("meters", f"s3://{bucket.name}/extracts", connection="store")

    result = programme.ingest()
    assert result.problems == []
    assert result.sources[0].ignored_files == ["notes.txt"]
    assert programme.landed() == sorted([OLD, NEW])
    assert result.totals["meters"]["rows_accepted"] == 4

    assert programme.ingest().sources[0].files == []
    bucket.put("extracts/m_1.csv", readings(300))
    assert programme.ingest().problems == []
    assert names(programme, "meters") == [("m_1.csv", "landed"), ("m_2 (late).csv", "landed"), ("m_1.csv", "landed")]


def test_s3_says_when_the_bucket_is_not_there(programme: Programme, bucket: Bucket) -> None:
    programme.connection("store", **bucket.connection)
    programme.declare("empty", f"s3://{bucket.name}/nothing-yet", connection="store")
    programme.declare("wrong", f"s3://{bucket.name}-no/extracts", connection="store")
    [problem] = programme.ingest().problems
    assert problem.startswith(f"wrong: s3://{bucket.name}-no/extracts cannot be pulled: FileNotFoundError")


@pytest.mark.parametrize("listing", [True, False])
def test_https(programme: Programme, web: WebServer, listing: bool) -> None:
    web.listing = listing
    put(web.folder / "out", "m_1.csv", OLD)
    put(web.folder / "out", "m_전기 2024&5%.csv", NEW)
    place = {} if listing else {"files": ["m_1.csv", "m_전기 2024&5%.csv"]}
    programme.connection("site", **web.connection)
    programme.declare("meters", f"{web.url}/out/", connection="site", **place)

    result = programme.ingest()
    assert result.problems == []
    assert programme.landed() == sorted([OLD, NEW])
    assert names(programme, "meters") == [("m_1.csv", "landed"), ("m_전기 2024&5%.csv", "landed")]

    web.requests.clear()
    assert programme.ingest().sources[0].files == []
    assert web.fetched() == []  # unchanged files are not even fetched
    put(web.folder / "out", "m_1.csv", readings(300), age_s=1800)
    programme.ingest()
    assert web.fetched() == ["m_1.csv"]
    assert programme.landed() == sorted([OLD, NEW, readings(300)])


def test_a_file_just_written_is_fetched_again_and_compared(programme: Programme, web: WebServer) -> None:
    """Its time stamp, in whole seconds, would not tell of another change."""
    path = put(web.folder, "m_1.csv", OLD, age_s=0)
    programme.connection("site", **web.connection)
    programme.declare("meters", web.url, connection="site")
    programme.ingest()
    path.write_bytes(NEW)  # of the same size
    programme.ingest()
    programme.ingest()
    assert names(programme, "meters") == [("m_1.csv", "landed"), ("m_1.csv", "landed")]
    assert web.fetched() == ["m_1.csv"] * 3


def test_https_with_a_password_and_without(programme: Programme, web: WebServer) -> None:
    web.password = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    put(web.folder, "m_1.csv", OLD)
    programme.connection("site", login=USER, password=PASSWORD, **web.connection)
    programme.connection("stranger", login=USER, password="wr0ng-Pa55", **web.connection)
    programme.declare("meters", web.url, connection="site")
    programme.declare("refused", web.url, connection="stranger")
    [problem] = programme.ingest().problems
    assert problem.startswith(f"refused: {web.url} cannot be pulled: ClientResponseError: 401")
    assert "wr0ng-Pa55" not in problem
    assert programme.landed() == [OLD]


def test_https_is_refused_without_a_trusted_certificate(programme: Programme, web: WebServer) -> None:
    put(web.folder, "m_1.csv", OLD)
    programme.declare("meters", web.url)
    [problem] = programme.ingest().problems
    assert "ClientConnectorCertificateError" in problem
    assert programme.landed() == []


SECRET_HEADERS = {"X-Api-Key": "k3y-of-the-works", "Cookie": "session=c00kie"}


def test_https_does_not_follow_a_redirect_to_http(programme: Programme, web: WebServer, plain_web: WebServer) -> None:
    put(plain_web.folder, "m_1.csv", OLD)
    put(web.folder, "m_1.csv", NEW)
    put(web.folder, "m_2.csv", NEW)
    web.redirects = {"/m_1.csv": f"{plain_web.url}/m_1.csv?token=t0ken", "/moved/": f"{plain_web.url}/"}
    programme.connection("site", login=USER, password=PASSWORD, **web.connection)
    programme.declare("meters", web.url, connection="site")
    programme.declare("moved", f"{web.url}/moved/", connection="site")
    meters, moved = programme.ingest().problems
    said = f"cannot be pulled: InsecureRedirect: the server leads on to {plain_web.url}"
    assert meters == (
        f"meters: {web.url}/m_1.csv {said}/m_1.csv, which is not encrypted; ask the provider for an https address"
    )
    assert moved.startswith(f"moved: {web.url}/moved {said}/, which is not encrypted")
    assert plain_web.requests == []  # not one byte was asked for in the clear
    assert web.fetched() == ["m_1.csv", "m_2.csv"]  # and trying again would be of no use
    assert programme.landed() == [NEW]


def test_https_does_not_follow_a_page_that_links_to_http(
    programme: Programme, web: WebServer, plain_web: WebServer
) -> None:
    """A link to the same server without encryption is taken for one of its files, and refused as such."""
    host = web.url.removeprefix("https://")
    put(web.folder, "index.html", f'<a href="http://{host}/m_1.csv">January</a>'.encode())
    programme.connection("site", login=USER, password=PASSWORD, **web.connection)
    programme.declare("meters", web.url, connection="site")
    [problem] = programme.ingest().problems
    assert f"InsecureRedirect: the server leads on to http://{host}/m_1.csv" in problem
    assert programme.landed() == []


@pytest.mark.parametrize("listing", [True, False])
def test_credentials_do_not_follow_a_redirect_to_another_server(
    programme: Programme, web: WebServer, other_web: WebServer, listing: bool
) -> None:
    """The file comes from where the provider's server says it is; what is secret stays with the provider's server."""
    put(other_web.folder, "m_1.csv", OLD)
    put(web.folder, "m_1.csv", b"")  # for the listing
    put(web.folder, "m_2.csv", NEW)
    put(web.folder, "here.csv", readings(300))
    web.redirects = {"/m_1.csv": f"{other_web.url}/m_1.csv", "/m_3.csv": "/here.csv"}
    extra = {**web.connection["extra"], "headers": SECRET_HEADERS}
    programme.connection("site", login=USER, password=PASSWORD, conn_type="http", extra=extra)
    place = {} if listing else {"files": ["m_1.csv", "m_2.csv", "m_3.csv"]}
    programme.declare("meters", web.url, connection="site", **place)
    assert programme.ingest().problems == []
    assert programme.landed() == sorted([OLD, NEW] if listing else [OLD, NEW, readings(300)])
    assert other_web.fetched() == ["m_1.csv"]
    login = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    for headers in other_web.headers:
        assert not {"authorization", "cookie", "x-api-key"} & set(headers)
        assert headers["accept-encoding"] == "identity"
    for headers in web.headers:  # on its own server they also follow a redirect
        assert (headers["authorization"], headers["x-api-key"]) == (login, "k3y-of-the-works")
        assert headers["cookie"] == "session=c00kie"


def test_a_server_that_is_busy_twice_is_asked_a_third_time(programme: Programme, web: WebServer) -> None:
    put(web.folder / "out", "m_1.csv", OLD)
    web.failures = {"/out/": 2, "/out/m_1.csv": 2}
    programme.connection("site", **web.connection)
    programme.declare("meters", f"{web.url}/out/", connection="site")
    assert programme.ingest().problems == []
    assert programme.landed() == [OLD]
    assert web.fetched() == ["m_1.csv"] * places.TRIES


def test_half_a_transfer_leaves_nothing_and_the_next_pull_heals(programme: Programme, web: WebServer) -> None:
    put(web.folder, "m_1.csv", OLD)
    put(web.folder, "m_2.csv", NEW)
    web.cut = {"/m_1.csv"}
    programme.connection("site", **web.connection)
    programme.declare("meters", web.url, connection="site")
    [problem] = programme.ingest().problems
    assert problem.startswith(f"meters: {web.url}/m_1.csv cannot be pulled: ClientPayloadError")
    assert names(programme, "meters") == [("m_2.csv", "landed")]
    assert programme.landed() == [NEW]  # and no part of the other file
    web.cut = set()
    assert programme.ingest().problems == []
    assert names(programme, "meters") == [("m_2.csv", "landed"), ("m_1.csv", "landed")]
    assert programme.landed() == sorted([OLD, NEW])


def test_what_a_killed_run_left_is_cleaned(programme: Programme, web: WebServer) -> None:
    put(programme.home.landing, ".incoming", OLD[:20])
    programme.connection("site", **web.connection)
    programme.declare("meters", web.url, connection="site")
    assert programme.ingest().problems == []
    assert programme.landed() == []


def test_a_broken_place_is_left_after_three_files(programme: Programme, web: WebServer) -> None:
    for number in range(1, 6):
        put(web.folder, f"m_{number}.csv", readings(number))
    web.failures = {f"/m_{number}.csv": 99 for number in range(1, 6)}
    programme.connection("site", **web.connection)
    programme.declare("meters", web.url, connection="site")
    problems = programme.ingest().problems
    assert len(problems) == 4 and problems[-1] == "meters: the files after m_3.csv are left for the next run"
    web.failures = {}
    assert programme.ingest().problems == []
    assert programme.landed() == sorted(readings(number) for number in range(1, 6))


def test_a_forbidden_column_is_seen_before_landing(programme: Programme, bucket: Bucket) -> None:
    bucket.put("m_1.csv", b"customer_no,usage_month,usage,password\n1,2024-01,5,hunter2\n")
    programme.connection("store", **bucket.connection)
    programme.declare("meters", f"s3://{bucket.name}", connection="store")
    for _ in range(2):
        assert programme.ingest().problems == []
        assert names(programme, "meters") == [("m_1.csv", "forbidden_column")]
        assert programme.landed() == []


def test_a_dead_source_stops_no_other(programme: Programme, sftp: SshServer, bucket: Bucket) -> None:
    put(sftp.folder, "m_1.csv", OLD)
    bucket.put("m_1.csv", NEW)
    programme.connection("works", **sftp.connection)
    programme.connection("store", **bucket.connection)
    programme.connection("gone", **{**bucket.connection, "extra": {"endpoint_url": "http://127.0.0.1:9"}})
    programme.declare("a_dead", "s3://any/where", connection="gone")
    programme.declare("b_sftp", sftp.url, connection="works")
    programme.declare("c_s3", f"s3://{bucket.name}", connection="store")
    programme.declare("d_moved", sftp.url + "/moved", connection="works")
    first = programme.ingest()
    assert [problem.split(" cannot")[0] for problem in first.problems] == [
        "a_dead: s3://any/where",
        f"d_moved: {sftp.url}/moved",
    ]
    assert {source: totals["rows_accepted"] for source, totals in first.totals.items()} == {
        "a_dead": 0,
        "b_sftp": 2,
        "c_s3": 2,
        "d_moved": 0,
    }
    sftp.stop()
    second = programme.ingest()
    assert [problem.split(":")[0] for problem in second.problems] == ["a_dead", "b_sftp", "d_moved"]
    assert second.totals == first.totals  # what was taken stays
    assert not any(PASSWORD in problem for problem in first.problems + second.problems)


def test_the_summary_shows_a_source_that_is_down(
    programme: Programme, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tanso import steps

    monkeypatch.setenv("TANSO_PROGRAMS", str(programme.root))
    programme.connection("site", **web.connection)
    programme.declare("meters", f"{web.url}/nowhere/", connection="site")
    with pytest.raises(RuntimeError, match="meters: .*/nowhere cannot be pulled"):
        steps.ingest_source("meters")
    steps.publish_lake()
    assert f"{web.url}/nowhere cannot be pulled: FileNotFoundError" in summarize(programme.home)
    (web.folder / "nowhere").mkdir()
    steps.ingest_source("meters")
    assert "cannot be pulled" not in summarize(programme.home)


def test_sftp_names_that_are_no_utf_8(programme: Programme, sftp: SshServer) -> None:
    put(sftp.folder, os.fsdecode(b"m_\xc0\xfc.csv"), OLD)
    put(sftp.folder, "m_\n\u200b.csv", NEW)
    programme.connection("works", **sftp.connection)
    programme.declare("meters", sftp.url, connection="works")
    assert programme.ingest().problems == []
    assert names(programme, "meters") == [(r"m_\x0a\u200b.csv", "landed"), (r"m_\xc0\xfc.csv", "landed")]


@pytest.mark.parametrize("place", ["sftp", "s3", "https"])
def test_what_a_server_says_changed_lately_is_left(
    programme: Programme, request: pytest.FixtureRequest, place: str
) -> None:
    if place == "s3":
        bucket: Bucket = request.getfixturevalue("bucket")
        bucket.put("extracts/m_1.csv", OLD)
        programme.connection("place", **bucket.connection)
        url = f"s3://{bucket.name}/extracts"
    else:
        server = request.getfixturevalue({"sftp": "sftp", "https": "web"}[place])
        put(server.folder, "m_1.csv", OLD, age_s=0)
        programme.connection("place", **server.connection)
        url = server.url
    programme.declare("meters", url, connection="place", settled_for=600)
    result = programme.ingest()
    assert result.problems == [] and programme.landed() == []
    left = [{"file_name": "m_1.csv", "why": "it changed less than 600 seconds ago"}]
    assert result.sources[0].left_files == left
    programme.declare("meters", url, connection="place", settled_for=0)
    assert programme.ingest().problems == [] and programme.landed() == [OLD]


def test_https_names_that_are_no_utf_8(programme: Programme, web: WebServer) -> None:
    put(web.folder, "m_\ufffd\ufffd.csv", OLD)  # Python's server finds this for bytes that are no UTF-8
    put(web.folder, "m_\u200b a\n.csv", NEW)
    put(web.folder, "index.html", b'<a href="m_%C0%FC.csv">one</a> <a href="m_%E2%80%8B%20a%0A.csv">two</a>')
    programme.connection("site", **web.connection)
    programme.declare("meters", f"{web.url}/", connection="site")
    assert programme.ingest().problems == []
    assert names(programme, "meters") == [(r"m_\u200b a\x0a.csv", "landed"), (r"m_\xc0\xfc.csv", "landed")]
