"""What stands before Airflow's web server, since Airflow has no setting for it.

Headers that keep its pages out of other sites' frames and other sites' contents out of its pages; cookies that came by
https go by https only; and a pause after a few wrong passwords where tokens are given out. (The form people log in with
has FAB's own limit.)
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

TOKENS = ("/auth/token", "/auth/token/cli")
WRONG_PASSWORDS = 5  # from one address
PER_SECONDS = 60
ADDRESSES_KEPT = 10_000

POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; "
    # Pages of the login form have scripts, and all pages styles, in the page itself.
    "script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "worker-src 'self' blob:"
)
HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-frame-options": b"DENY",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
}

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class Doors:
    """ASGI middleware. What it remembers of an address goes after a minute, and with the process."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.tries: dict[str, deque[float]] = {}  # address -> when a password was tried that was not right (yet)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass the request on, or ask to come back later."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message.get("headers", []) if pair[0].lower() not in HEADERS]
                if scope.get("scheme") == "https":
                    kept = [(name, _secure(value) if name.lower() == b"set-cookie" else value) for name, value in kept]
                message = {**message, "headers": [*kept, *HEADERS.items()]}
            await send(message)

        if scope["method"] == "POST" and scope["path"].rstrip("/").endswith(TOKENS):
            await self._token(scope, receive, with_headers)
        else:
            await self.app(scope, receive, with_headers)

    async def _token(self, scope: Message, receive: Receive, send: Send) -> None:
        now = time.monotonic()
        tries = self._tries((scope.get("client") or ("",))[0], now)
        if len(tries) >= WRONG_PASSWORDS:
            await _come_back(send, math.ceil(tries[0] + PER_SECONDS - now))
            return
        # Counted before it is known to be wrong, so that many at once are no way round.
        tries.append(now)

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] != 401 and now in tries:
                tries.remove(now)
            await send(message)

        await self.app(scope, receive, noted)

    def _tries(self, address: str, now: float) -> deque[float]:
        if len(self.tries) > ADDRESSES_KEPT:
            self.tries = {one: tries for one, tries in self.tries.items() if tries and tries[-1] > now - PER_SECONDS}
        tries = self.tries.setdefault(address, deque())
        while tries and tries[0] <= now - PER_SECONDS:
            tries.popleft()
        return tries


def _secure(cookie: bytes) -> bytes:
    return cookie if b"; secure" in cookie.lower() else cookie + b"; Secure"


async def _come_back(send: Send, seconds: int) -> None:
    body = b'{"detail": "Too many wrong passwords; try again later."}'
    headers = [(b"content-type", b"application/json"), (b"retry-after", str(seconds).encode())]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": body})
