"""fsspec file systems of URLs, with credentials from a connection; a scheme's packages are imported when it is used."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from tanso.ingest.pull.connections import Connection

_WAIT_S = 60  # for an answer, not for a whole file
_FINAL_HTTP = {400, 401, 403, 404, 405, 410, 451}


def connector(url: str, connection: Connection) -> Callable[[], tuple[Any, str]]:
    """A function that opens a new file system and gives it with the URL's path in it.

    Raises ValueError for a connection that is not for the URL's host.
    """
    import fsspec

    parts = urlsplit(url)
    options: dict[str, Any] = {}
    if parts.scheme in ("sftp", "https"):
        host = (connection.host or "").split("://")[-1].split("/")[0].split(":")[0]
        if host and host.lower() != (parts.hostname or ""):
            raise ValueError(f"the connection is for host {host}, and pull.url names {parts.hostname}; fix one of them")
    if parts.scheme == "sftp":
        return _sftp(parts, connection)
    if parts.scheme == "s3":
        options = _s3(connection)
    elif parts.scheme == "https":
        options = _https(url, connection)
    return lambda: fsspec.core.url_to_fs(url, skip_instance_cache=True, **options)


def is_final(error: Exception) -> bool:
    """Whether trying again is of no use, or does harm: a wrong password tried thrice locks accounts."""
    if isinstance(error, (FileNotFoundError, PermissionError, ValueError, ImportError)):
        return True
    if type(error).__name__ in ("HostKeyNotVerifiable", "PermissionDenied", "NoCredentialsError"):
        return True
    return getattr(error, "status", None) in _FINAL_HTTP


def _sftp(parts: SplitResult, connection: Connection) -> Callable[[], tuple[Any, str]]:
    """The server's key must be known: from ``host_key`` or ``known_hosts`` of the connection, or the user's own."""
    import asyncssh
    from sshfs import SSHFileSystem

    extra = connection.extra
    options: dict[str, Any] = {
        "port": parts.port or connection.port or 22,
        "connect_timeout": _WAIT_S,
        "login_timeout": _WAIT_S,
        "keepalive_interval": 15,
        "known_hosts": extra.get("known_hosts") or (),  # (): the user's; sshfs would trust any server
        "sftp_client_kwargs": {"path_errors": "surrogateescape"},  # as Python has names that are no UTF-8
    }
    if host_key := extra.get("host_key"):
        text = host_key if " " in host_key.strip() else f"ssh-rsa {host_key}"
        options["known_hosts"] = ([asyncssh.import_public_key(text)], [], [])
    if user := unquote(parts.username or "") or connection.login:
        options["username"] = user
    if connection.password:
        options["password"] = connection.password
    if text := extra.get("private_key"):
        options["client_keys"] = [asyncssh.import_private_key(text, extra.get("private_key_passphrase"))]
    elif path := extra.get("key_file"):
        options["client_keys"] = [asyncssh.read_private_key(path, extra.get("private_key_passphrase"))]
    folder = unquote(parts.path).rstrip("/") or "/"
    return lambda: (SSHFileSystem(parts.hostname, skip_instance_cache=True, **options), folder)


def _s3(connection: Connection) -> dict[str, Any]:
    """Without a connection: the machine's own, as every AWS tool finds them."""
    extra = connection.extra
    client = {"endpoint_url": extra.get("endpoint_url"), "region_name": extra.get("region_name")}
    client["verify"] = extra.get("ca_file")
    return {
        "key": connection.login,
        "secret": connection.password,
        "token": extra.get("aws_session_token"),
        "client_kwargs": {name: value for name, value in client.items() if value},
        # Tries are pull's business; s3fs has some of its own.
        "config_kwargs": {
            "connect_timeout": _WAIT_S,
            "read_timeout": _WAIT_S,
            "retries": {"total_max_attempts": 1},
        },
        "default_block_size": 8 << 20,
        "use_listings_cache": False,
    }


class InsecureRedirect(ValueError):
    """A server, or a link on its page, leads to a place without encryption."""


def _https(url: str, connection: Connection) -> dict[str, Any]:
    import aiohttp
    from yarl import URL

    own = {**connection.extra.get("headers", {})}
    if connection.login:
        own["Authorization"] = aiohttp.encode_basic_auth(connection.login, connection.password or "")
    server = URL(url).origin()

    async def guarded(request: Any, send: Callable[[Any], Any]) -> Any:
        """Every request passes here, those that follow a redirect too: what is the connection's is for its server."""
        if request.url.scheme != "https":
            raise InsecureRedirect(
                f"the server leads on to {request.url.with_query(None)}, which is not encrypted; "
                "ask the provider for an https address"
            )
        if request.url.origin() != server:
            for name in own:
                request.headers.popall(name, None)
        return await send(request)

    # No compression on the way: what is landed are the file's own bytes.
    headers = {"Accept-Encoding": "identity", **own}
    wait = aiohttp.ClientTimeout(total=None, sock_connect=_WAIT_S, sock_read=_WAIT_S)
    client = {"headers": headers, "timeout": wait, "middlewares": (guarded,)}
    options: dict[str, Any] = {"client_kwargs": client, "simple_links": False, "use_listings_cache": False}
    if path := connection.extra.get("ca_file"):
        options["ssl"] = ssl.create_default_context(cafile=path)
    return options
