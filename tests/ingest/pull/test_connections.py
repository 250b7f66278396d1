"""Credentials: read as Airflow reads them, and shown nowhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tanso.airflow import connections as airflow_connections
from tanso.ingest.pull import connections, filesystems
from tanso.ingest.pull.connections import Connection, ConnectionUnknown
from tanso.packs.sources import SourceError, load_sources
from tests.ingest.pull.conftest import PASSWORD, Programme

WRITTEN = {
    "URI": "sftp://tanso:p%40ss%2Fw%3Ard@files.example:2222/?key_file=%2Fetc%2Fkey&host_key=ssh-ed25519+AAAA",
    "URI without port": "aws://AKIA:secret@/?region_name=ap-northeast-2",
    "URI without host": "aws://?__extra__=%7B%22headers%22%3A+%7B%22X-Key%22%3A+%22k%22%7D%7D",
    "JSON": '{"conn_type": "http", "host": "data.example", "login": "tanso", "password": "p@ss", "port": 8443}',
    "JSON with extra": '{"conn_type": "aws", "login": "AKIA", "extra": {"endpoint_url": "https://store.example"}}',
    "JSON with extra as text": json.dumps({"conn_type": "http", "extra": json.dumps({"headers": {"X-Key": "k"}})}),
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_a_connection_is_what_airflow_makes_of_it(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))  # where Airflow settles if it was not imported before
    from airflow.sdk import Connection as AirflowConnection

    if text.startswith("{"):
        expected = AirflowConnection.from_json(text, conn_id="x")
    else:
        expected = AirflowConnection(conn_id="x", uri=text)
    found = connections.parse(text)
    assert (found.host or "", found.port, found.login or "", found.password or "") == (
        expected.host or "",
        expected.port,
        expected.login or "",
        expected.password or "",
    )
    assert dict(found.extra) == expected.extra_dejson


@pytest.mark.parametrize("text", ["", "nothing", f'{{"password": "{PASSWORD}", ', f"sftp://a:{PASSWORD}@host:port/"])
def test_what_cannot_be_read_is_not_quoted(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WORKS", text)
    with pytest.raises(ConnectionUnknown, match="AIRFLOW_CONN_WORKS cannot be read") as caught:
        connections.find("works")
    assert PASSWORD not in str(caught.value)


def test_inside_airflow_its_connections_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Found:
        host, port, login, password, extra_dejson = "files.example", 22, "tanso", PASSWORD, {"key_file": "k"}

    class BaseHook:
        @classmethod
        def get_connection(cls, conn_id: str) -> Any:
            if conn_id != "works":
                raise LookupError(conn_id)
            return Found

    monkeypatch.setattr(airflow_connections, "BaseHook", BaseHook)
    monkeypatch.setattr(connections, "_scheduler", None)
    connections.ask_scheduler(airflow_connections.find)
    assert connections.find("works") == Connection("files.example", 22, "tanso", PASSWORD, {"key_file": "k"})
    with pytest.raises(ConnectionUnknown, match=r"'other' is not known to Airflow \(LookupError\).*AIRFLOW_CONN_OTHER"):
        connections.find("other")


def test_outside_airflow_a_missing_connection_names_the_variable(
    programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_scheduler", None)
    programme.declare("meters", "s3://bucket/folder", connection="store")
    [problem] = programme.ingest().problems
    assert problem == (
        "meters: s3://bucket/folder cannot be pulled: ConnectionUnknown: connection 'store' is not known; "
        "set AIRFLOW_CONN_STORE to its URI or JSON"
    )


def test_secrets_are_cut_out_of_messages() -> None:
    connection = Connection(
        "files.example", None, "tanso", PASSWORD, {"headers": {"X-Key": "t0ken"}, "region_name": "ap-northeast-2"}
    )
    said = f"tanso with {PASSWORD} and t0ken at ap-northeast-2"
    assert connection.without_secrets(said) == "tanso with *** and *** at ap-northeast-2"
    assert PASSWORD not in repr(connection) and "t0ken" not in repr(connection)


def test_a_connection_is_used_for_its_own_host_only() -> None:
    connection = Connection(host="https://data.example", login="tanso", password=PASSWORD)
    assert filesystems.connector("https://data.example/usage/", connection)
    with pytest.raises(ValueError, match="the connection is for host data.example, and pull.url names evil.example"):
        filesystems.connector("https://evil.example/usage/", connection)


REFUSED = {
    "a password": (f"sftp://tanso:{PASSWORD}@files.example/out", {}, "pull.url: holds a password"),
    "a user of https": (f"https://{PASSWORD}@data.example/out", {}, "pull.url: holds a password, user"),
    "a signed address": (f"https://data.example/out?token={PASSWORD}", {}, "pull.url: holds a password, user or query"),
    "no encryption": ("http://data.example/out", {}, "pull.url: http:// is none of a folder, sftp://, s3://, https://"),
    "files that can be listed": ("sftp://files.example/out", {"files": ["m_1.csv"]}, "pull.files: is for https"),
    "files of another name": (
        "https://data.example/out",
        {"files": ["n_1.csv"]},
        "pull.files: 'n_1.csv' does not",
    ),
    "a folder with a connection": (
        "inbox/meters",
        {"connection": "works"},
        "pull.connection: a folder takes no",
    ),
    "a connection that is no name": ("s3://bucket/out", {"connection": 5}, "pull.connection: must be a text"),
}


@pytest.mark.parametrize(("url", "place", "message"), REFUSED.values(), ids=REFUSED)
def test_what_a_declaration_may_not_say(programme: Programme, url: str, place: dict, message: str) -> None:
    programme.declare("meters", url, **place)
    with pytest.raises(SourceError) as caught:
        load_sources([programme.root])
    path: Path = programme.root / "cambridge_estates" / "sources" / "meters.yml"
    assert f"{path}: {message}" in str(caught.value)
    assert PASSWORD not in str(caught.value)
