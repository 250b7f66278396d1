"""Credentials of the places that files are pulled from: Airflow connections, in Airflow or from ``AIRFLOW_CONN_<ID>``.

No secret stands in a declaration; what of a connection is secret is cut out of every message.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

# What of a connection's extra may be shown.
_PLAIN = {"key_file", "host_key", "known_hosts", "ca_file", "endpoint_url", "region_name"}


class ConnectionUnknown(ValueError):
    """A connection that is missing or cannot be used; the message names it and the next step, and no secret."""


@dataclass(frozen=True)
class Connection:
    """An Airflow connection, as far as pulling needs it."""

    host: str | None = None
    port: int | None = None
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def without_secrets(self, text: str) -> str:
        """The text with every secret of this connection replaced by ``***``."""
        secrets = [self.password, *_texts({key: value for key, value in self.extra.items() if key not in _PLAIN})]
        for secret in sorted(filter(None, secrets), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text


# Finds connections that the scheduler keeps; none in a process that runs no task.
_scheduler: Callable[[str], Connection] | None = None


def ask_scheduler(find_there: Callable[[str], Connection]) -> None:
    """Find connections there too, from now on in this process; ``find_there`` raises ConnectionUnknown."""
    global _scheduler
    _scheduler = find_there


def find(conn_id: str) -> Connection:
    """The connection of that id. Raises ConnectionUnknown when there is none or it cannot be read."""
    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    text = os.environ.get(variable)
    if text is not None:
        try:
            return parse(text)
        except (ValueError, TypeError, AttributeError):  # whatever is said of it might quote the password
            raise ConnectionUnknown(
                f"{variable} cannot be read; it must be a URI or JSON, as Airflow has connections"
            ) from None
    if _scheduler:
        return _scheduler(conn_id)
    raise ConnectionUnknown(f"connection {conn_id!r} is not known; set {variable} to its URI or JSON")


def parse(text: str) -> Connection:
    """A connection as Airflow writes it: JSON, or ``type://login:password@host:port/schema?extra``.

    Raises ValueError, TypeError or AttributeError for what is neither.
    """
    if text.lstrip().startswith("{"):
        data = json.loads(text)
        extra = data.get("extra") or {}
        extra = json.loads(extra) if isinstance(extra, str) else extra
        port = int(data["port"]) if data.get("port") else None
        return Connection(data.get("host") or None, port, data.get("login"), data.get("password"), dict(extra))
    parts = urlsplit(text)
    if not parts.scheme:
        raise ValueError("no scheme")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    extra = json.loads(query["__extra__"]) if "__extra__" in query else query
    return Connection(_host(parts), parts.port, _unquoted(parts.username), _unquoted(parts.password), extra)


def _host(parts: SplitResult) -> str | None:
    """Lower case, but for names that are quoted paths, which no place of ours has."""
    return unquote(parts.hostname) if parts.hostname else None


def _unquoted(text: str | None) -> str | None:
    return None if text is None else unquote(text)


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []
