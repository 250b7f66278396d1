"""What stands before Airflow's web server: its headers, and the pause after wrong passwords."""

from __future__ import annotations

import asyncio

import pytest

from tanso.airflow import doors
from tanso.airflow.doors import Doors

TOKEN = "/auth/token"


class House:
    """The application behind; says 401 until the password is right."""

    def __init__(self):
        self.status = 401
        self.asked = 0

    async def __call__(self, scope, receive, send):
        self.asked += 1
        own = [(b"content-type", b"text/html"), (b"X-Frame-Options", b"ALLOWALL")]
        await send({"type": "http.response.start", "status": self.status, "headers": own})
        await send({"type": "http.response.body", "body": b"x"})


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def door(house: House) -> Doors:
    return Doors(house)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(doors.time, "monotonic", lambda: now[0])
    return now


def knock(door: Doors, path: str = TOKEN, method: str = "POST", address: str | None = "10.0.0.1"):
    """Status and headers of the answer."""
    sent = []

    async def send(message):
        sent.append(message)

    client = (address, 5000) if address else None
    asyncio.run(door({"type": "http", "method": method, "path": path, "client": client}, None, send))
    return sent[0]["status"], sent[0]["headers"]


def test_forty_wrong_passwords_are_five(door, house, clock):
    statuses = [knock(door)[0] for _ in range(40)]
    assert statuses == [401] * 5 + [429] * 35
    assert house.asked == 5
    clock[0] += 59.5
    status, headers = knock(door)
    assert (status, dict(headers)[b"retry-after"]) == (429, b"1")
    clock[0] += 1
    assert knock(door)[0] == 401


def test_both_ways_to_a_token_count_together(door, clock):
    for path in (TOKEN, "/auth/token/cli", "/tanso/auth/token", "/auth/token/", TOKEN):
        assert knock(door, path)[0] == 401
    assert knock(door, "/auth/token/cli")[0] == 429


def test_others_are_not_held_up(door, clock):
    for _ in range(5):
        knock(door)
    assert knock(door)[0] == 429
    assert knock(door, address="10.0.0.2")[0] == 401
    assert knock(door, address=None)[0] == 401
    assert knock(door, "/api/v2/dags", "GET")[0] == 401


@pytest.mark.parametrize("status", [201, 400, 422])
def test_only_wrong_passwords_count(door, house, clock, status):
    house.status = status
    assert {knock(door)[0] for _ in range(40)} == {status}


def test_many_at_once_are_no_way_round(house, clock):
    """All are on their way before the first is answered."""
    door, statuses = Doors(house), []

    async def send(message):
        if message["type"] == "http.response.start":
            statuses.append(message["status"])
        await asyncio.sleep(0)

    async def all_at_once():
        scope = {"type": "http", "method": "POST", "path": TOKEN, "client": ("10.0.0.1", 1)}
        await asyncio.gather(*(door(dict(scope), None, send) for _ in range(40)))

    asyncio.run(all_at_once())
    assert sorted(statuses) == [401] * 5 + [429] * 35


def test_what_is_remembered_stays_small(door, clock, monkeypatch):
    monkeypatch.setattr(doors, "ADDRESSES_KEPT", 10)
    for number in range(50):
        clock[0] += 10
        knock(door, address=f"10.0.0.{number}")
    assert len(door.tries) <= 12


def test_every_answer_has_the_headers_once(door, clock):
    for _ in range(6):  # the last is the door's own answer
        headers = [(name.lower(), value) for name, value in knock(door)[1]]
        assert [value for name, value in headers if name == b"x-frame-options"] == [b"DENY"]
        found = dict(headers)
        assert b"frame-ancestors 'none'" in found[b"content-security-policy"]
        assert found[b"x-content-type-options"] == b"nosniff"


@pytest.mark.parametrize(
    ("scheme", "cookies"),
    [
        ("http", [b"session=1; HttpOnly", b"_token=2; Secure"]),
        ("https", [b"session=1; HttpOnly; Secure", b"_token=2; Secure"]),
    ],
)
def test_cookies_that_came_by_https_stay_there(scheme, cookies):
    sent = []

    async def app(scope, receive, send):
        own = [(b"set-cookie", b"session=1; HttpOnly"), (b"set-cookie", b"_token=2; Secure")]
        await send({"type": "http.response.start", "status": 200, "headers": own})

    async def send(message):
        sent.append(message)

    asyncio.run(Doors(app)({"type": "http", "method": "GET", "path": "/", "scheme": scheme}, None, send))
    assert [value for name, value in sent[0]["headers"] if name == b"set-cookie"] == cookies


def test_what_is_no_request_passes(house):
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    asyncio.run(Doors(app)({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]
